"""A claim on the local cloud without Pulumi: from the claim to an attached volume, a kill, and its deletion."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from checkout.until import until
from localcloud.control_plane import ControlPlane
from tests.local.clouds import ec2_of, kill, kubectl, pids, volume_ids

ZONE = "us-east-1a"


def _apply(cloud: ControlPlane, *objects: dict[str, Any]) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    command = kubectl(cloud, "apply", "-f", "-", stdin=listed)
    assert command.returncode == 0, command.stderr


@pytest.fixture
def node(cloud: ControlPlane) -> Iterator[str]:
    """A node with its instance, the driver and a class; yields the class's name."""
    client = ec2_of(cloud)
    placement = {"AvailabilityZone": ZONE}
    started = client.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, Placement=placement)
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
            "metadata": {"name": "ebs"},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
    ]
    _apply(cloud, *objects)
    yield "ebs"
    for kind, name in (
        ("node", "node"),
        ("csinode", "node"),
        ("csidriver", "ebs.csi.aws.com"),
        ("storageclass", "ebs"),
    ):
        kubectl(cloud, "delete", kind, name)


def _claim_and_pod(storage_class: str) -> list[dict[str, Any]]:
    mounts = [{"name": "data", "mountPath": "/exports"}]
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "claim"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": storage_class,
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pod"},
            "spec": {
                "containers": [{"name": "nfs", "image": "k8s.gcr.io/volume-nfs:0.8", "volumeMounts": mounts}],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "claim"}}],
            },
        },
    ]


def test_a_claim_gets_and_returns_its_volume_despite_a_kill(cloud: ControlPlane, node: str) -> None:
    client = ec2_of(cloud)
    before = volume_ids(client)
    _apply(cloud, *_claim_and_pod(node))

    def attached() -> bool:
        return kubectl(cloud, "get", "volumeattachment", "-o", "jsonpath={.items[*].status.attached}").stdout == "true"

    until(attached, "the volume is attached")
    handle = kubectl(cloud, "get", "pv", "-o", "jsonpath={.items[*].spec.csi.volumeHandle}").stdout
    assert volume_ids(client) - before == {handle}, "exactly one volume for one claim"

    kill(*pids(cloud).values())
    deleted: subprocess.CompletedProcess[str] = kubectl(cloud, "delete", "pod/pod", "pvc/claim")
    assert deleted.returncode == 0, deleted.stderr
    # Nodes that report seldom would take far longer than 30 s.
    until(lambda: handle not in volume_ids(client), "the volume of a cloud that was rebooted is deleted", 30)
    until(lambda: kubectl(cloud, "get", "pv", "-o", "name").stdout == "", "the PersistentVolume is deleted")
