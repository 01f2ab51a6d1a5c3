"""The names, paths and defaults that several parts of the lab share. Each is written here and nowhere else."""

EBS_DRIVER = "ebs.csi.aws.com"
# The annotation that makes a StorageClass the default.
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
# The scheduler puts no more on one node of the local target; the real driver reports it for a t3.medium with one
# network interface.
VOLUMES_PER_NODE = 25
# The API of VolumeSnapshots, whose CRDs Kubernetes does not bring along.
SNAPSHOT_GROUP, SNAPSHOT_VERSION = "snapshot.storage.k8s.io", "v1"
# The annotation that makes a VolumeSnapshotClass the default of its driver.
DEFAULT_SNAPSHOT_CLASS = "snapshot.storage.kubernetes.io/is-default-class"
# The tag on every volume and snapshot of the lab. Its value is the cluster's name.
LAB_TAG = "storage-lab"
# What the driver writes on each volume and each snapshot. No other cluster uses the EC2 of a local cloud.
LOCAL_DRIVER_TAGS = {"ebs.csi.aws.com/cluster": "true"}
# The folder in which an NFS server keeps what it exports.
EXPORTS = "/exports"

# The maintained successor of k8s.gcr.io/volume-nfs:0.8, which is a Docker schema 1 image.
DEFAULT_IMAGE = "registry.k8s.io/e2e-test-images/volume/nfs:1.6.0"
# What the Pods around the server run: a shell and nothing else, from the registry that the server's image is in.
SHELL_IMAGE = "registry.k8s.io/e2e-test-images/busybox:1.36.1-1"
DEFAULT_NAMESPACE = "default"
DEFAULT_STORAGE = "1Gi"


def default_claim_name(server: str) -> str:
    """nfs-server keeps its data in nfs-pvc: the lab's text calls that one claim by both names."""
    return f"{server.removesuffix('-server')}-pvc"


def cluster_name(stack: str) -> str:
    """Return the name of a stack's cluster, which is also the value of LAB_TAG on its volumes."""
    return f"storage-lab-{stack}"


def driver_tags(cluster: str) -> dict[str, str]:
    """Return the tags that the driver itself writes on each volume of an EKS cluster, whatever its StorageClass is.

    The first is the same for every cluster. The second is from --k8s-tag-cluster-id, which the EKS add-on sets.
    """
    return {**LOCAL_DRIVER_TAGS, "KubernetesCluster": cluster}


def snapshot_tags(cluster: str) -> dict[str, str]:
    """Return the tags that the driver itself writes on each snapshot of an EKS cluster, as `driver_tags` does."""
    return {**LOCAL_DRIVER_TAGS, f"kubernetes.io/cluster/{cluster}": "owned"}


def cloud_folder(stack: str) -> str:
    """Return the folder of a stack's local cloud, as a path below the project's folder."""
    return f".lab/clouds/{stack}"


def ebs_volume_name(pv_name: str) -> str:
    """Return the Name tag of the EBS volume behind a PersistentVolume.

    The distributions of the driver write different prefixes into this tag; the lab's text says this one.
    """
    return f"kubernetes-dynamic-{pv_name}"
