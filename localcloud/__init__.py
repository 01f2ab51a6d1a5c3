"""The lab's cloud on this machine: a real Kubernetes control plane, CSI sidecars and an EC2 API, as plain processes.

Nothing in here knows Pulumi. `control_plane.ControlPlane` is the way in; `python -m localcloud` is what the
kubeconfig calls. This file imports nothing, because the credential plugin runs before every client's first request.
"""
