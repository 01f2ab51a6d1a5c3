"""Objects of a cloud without Pulumi: a node whose instance EC2 knows, the driver, a class, a claim, and a Pod."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from localcloud.control_plane import ControlPlane
from tests.local.clouds import ec2_of, kubectl

ZONE = "us-east-1a"
CLASS = "ebs"


def apply(cloud: ControlPlane, *objects: dict[str, Any]) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    command = kubectl(cloud, "apply", "-f", "-", stdin=listed)
    assert command.returncode == 0, command.stderr


@contextmanager
def node(cloud: ControlPlane) -> Generator[None]:
    """A node with its instance, the driver and the class."""
    placement = {"AvailabilityZone": ZONE}
    started = ec2_of(cloud).run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, Placement=placement)
    instance = started["Instances"][0]["InstanceId"]
    driver = {"name": "ebs.csi.aws.com", "nodeID": instance, "topologyKeys": ["topology.kubernetes.io/zone"]}
    metadata = {
        "name": "node",
        "labels": {"kubernetes.io/hostname": "node", "topology.kubernetes.io/zone": ZONE},
        "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
    }
    storage = "storage.k8s.io/v1"
    objects: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": metadata,
            "spec": {"providerID": f"aws:///{ZONE}/{instance}"},
        },
        {
            "apiVersion": storage,
            "kind": "CSINode",
            "metadata": {"name": "node"},
            "spec": {"drivers": [driver | {"allocatable": {"count": 25}}]},
        },
        {
            "apiVersion": storage,
            "kind": "CSIDriver",
            "metadata": {"name": "ebs.csi.aws.com"},
            "spec": {"attachRequired": True},
        },
        {
            "apiVersion": storage,
            "kind": "StorageClass",
            "metadata": {"name": CLASS},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
    ]
    apply(cloud, *objects)
    yield
    for kind, name in (
        ("node", "node"),
        ("csinode", "node"),
        ("csidriver", "ebs.csi.aws.com"),
        ("storageclass", CLASS),
    ):
        kubectl(cloud, "delete", kind, name)


def claim(name: str = "claim", snapshot: str = "") -> dict[str, Any]:
    source = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": snapshot}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": CLASS,
            "resources": {"requests": {"storage": "1Gi"}},
            **({"dataSource": source} if snapshot else {}),
        },
    }


def pod(name: str = "pod", claim: str = "claim") -> dict[str, Any]:
    mounts = [{"name": "data", "mountPath": "/exports"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "nfs", "image": "k8s.gcr.io/volume-nfs:0.8", "volumeMounts": mounts}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }
