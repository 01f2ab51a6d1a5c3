"""What an NFS server, and what is around it, is when nobody says otherwise."""

# The maintained successor of k8s.gcr.io/volume-nfs:0.8, which is a Docker schema 1 image.
DEFAULT_IMAGE = "registry.k8s.io/e2e-test-images/volume/nfs:1.6.0"
# What the Pods around the server run: a shell and nothing else, from the registry that the server's image is in.
SHELL_IMAGE = "registry.k8s.io/e2e-test-images/busybox:1.36.1-1"
DEFAULT_NAMESPACE = "default"
DEFAULT_STORAGE = "1Gi"


def default_claim_name(server: str) -> str:
    """nfs-server keeps its data in nfs-pvc: the lab's text calls that one claim by both names."""
    return f"{server.removesuffix('-server')}-pvc"
