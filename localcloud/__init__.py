"""The lab's cloud on this machine: a real Kubernetes control plane, CSI sidecars and an EC2 API, as plain processes.

Nothing in this package knows Pulumi. `control_plane.ControlPlane` is the way in; the kubeconfig calls
`python -m localcloud`. This file imports nothing, because the credential plugin runs before every client's first
request.
"""
