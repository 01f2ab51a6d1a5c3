"""A lab in which all is well, as kubectl and EC2 describe it; tests break one thing in it and look again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from components.settings import parse
from lab.reading.ec2 import Ec2Reader
from lab.reading.kubectl import Kubectl
from lab.reading.objects import Thing
from lab.reading.snapshot import Snapshot, take_snapshots
from lab.reading.stack import Stack
from lab.reading.things import SNAPSHOT_KINDS

PV = "pvc-cc10d05f-cc2e-4c2e-ba0d-95e0052ca4db"
VOLUME = "vol-11513e53ef2002a02"
SNAPSHOT = "snap-0c9a1f5b7d3e24680"
INSTANCE = "i-96fc6c479780abf2c"
POD = "nfs-server-576868c54d-kgg7b"
MADE = "2026-03-01T10:00:00Z"
AUTHORED = {"f:spec": {"f:accessModes": {}, "f:resources": {"f:requests": {"f:storage": {}}}}}


def meta(name: str, namespace: str | None = "default", **more: Any) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, "uid": f"uid-of-{name}", "creationTimestamp": MADE, **place, **more}


def tags(**more: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in {**more, "storage-lab": "storage-lab-local"}.items()]


def endpoint(pod: str) -> Thing:
    return {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": pod, "uid": f"uid-of-{pod}"}}


def things() -> list[Thing]:
    role = {"role": "nfs-server"}
    pod_spec = {
        "containers": [{"name": "nfs-server", "volumeMounts": [{"name": "data", "mountPath": "/exports"}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "nfs-pvc"}}],
    }
    return [
        {
            "kind": "PersistentVolumeClaim",
            "metadata": meta(
                "nfs-pvc",
                annotations={"volume.kubernetes.io/selected-node": "node-1"},
                managedFields=[{"manager": "pulumi-kubernetes", "operation": "Apply", "fieldsV1": AUTHORED}],
            ),
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": "ebs",
                "volumeName": PV,
            },
            "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
        },
        {
            "kind": "Deployment",
            "metadata": meta("nfs-server", labels=role),
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": role},
                "template": {"metadata": {"labels": role}, "spec": pod_spec},
            },
            "status": {"availableReplicas": 1},
        },
        {
            "kind": "Pod",
            "metadata": meta(
                POD, labels=role, ownerReferences=[{"kind": "ReplicaSet", "name": "nfs-server-576868c54d"}]
            ),
            "spec": {**pod_spec, "nodeName": "node-1"},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        },
        {
            "kind": "Service",
            "metadata": meta("nfs-server", labels=role),
            "spec": {"clusterIP": "10.0.0.9", "selector": dict(role)},
        },
        {
            "kind": "EndpointSlice",
            "metadata": meta("nfs-server-gt66x", labels={"kubernetes.io/service-name": "nfs-server", **role}),
            "endpoints": [endpoint(POD)],
        },
        {
            "kind": "PersistentVolume",
            "metadata": meta(PV, None, annotations={"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"}),
            "spec": {
                "claimRef": {"uid": "uid-of-nfs-pvc", "name": "nfs-pvc", "namespace": "default"},
                "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": VOLUME},
                "persistentVolumeReclaimPolicy": "Delete",
            },
            "status": {"phase": "Bound"},
        },
        {
            "kind": "VolumeAttachment",
            "metadata": meta("csi-86367afb", None),
            "spec": {"nodeName": "node-1", "source": {"persistentVolumeName": PV}},
            "status": {"attached": True},
        },
        {
            "kind": "StorageClass",
            "metadata": meta("ebs", None, annotations={"storageclass.kubernetes.io/is-default-class": "true"}),
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
            "allowVolumeExpansion": True,
        },
        {
            "kind": "Node",
            "metadata": meta("node-1", None, labels={"topology.kubernetes.io/zone": "us-east-1a"}),
            "spec": {"providerID": f"aws:///us-east-1a/{INSTANCE}"},
        },
        {
            "kind": "Event",
            "metadata": meta("nfs-pvc.1"),
            "type": "Normal",
            "reason": "WaitForFirstConsumer",
            "message": "waiting for first consumer to be created before binding",
            "involvedObject": {"uid": "uid-of-nfs-pvc"},
        },
    ]


def snapshot_things() -> list[Thing]:
    """Return a snapshot that is ready, what it is bound to, and the class, as the snapshot controller leaves them."""
    return [
        {
            "kind": "VolumeSnapshot",
            "metadata": meta("nfs-pvc-x7k2p"),
            "spec": {"source": {"persistentVolumeClaimName": "nfs-pvc"}, "volumeSnapshotClassName": "ebs-snapshots"},
            "status": {"boundVolumeSnapshotContentName": "snapcontent-4711", "readyToUse": True, "restoreSize": "1Gi"},
        },
        {
            "kind": "VolumeSnapshotContent",
            "metadata": meta("snapcontent-4711", None),
            "spec": {
                "deletionPolicy": "Delete",
                "driver": "ebs.csi.aws.com",
                "source": {"volumeHandle": VOLUME},
                "volumeSnapshotRef": {"name": "nfs-pvc-x7k2p", "namespace": "default"},
            },
            "status": {"readyToUse": True, "restoreSize": 1 << 30, "snapshotHandle": SNAPSHOT},
        },
        {
            "kind": "VolumeSnapshotClass",
            "metadata": meta("ebs-snapshots", None),
            "driver": "ebs.csi.aws.com",
            "deletionPolicy": "Delete",
        },
    ]


def volumes() -> list[Thing]:
    return [
        {
            "VolumeId": VOLUME,
            "State": "in-use",
            "Size": 1,
            "VolumeType": "gp3",
            "Encrypted": True,
            "AvailabilityZone": "us-east-1a",
            "CreateTime": datetime(2026, 3, 1, 10, 0, 1, tzinfo=UTC),
            "Attachments": [{"InstanceId": INSTANCE, "State": "attached"}],
            "Tags": tags(Name=f"kubernetes-dynamic-{PV}"),
        }
    ]


def ebs_snapshots() -> list[Thing]:
    about = {"SnapshotId": SNAPSHOT, "State": "completed", "VolumeId": VOLUME}
    return [{**about, "Tags": tags(Name="default/nfs-pvc-x7k2p")}]


def instances() -> list[Thing]:
    return [
        {
            "InstanceId": INSTANCE,
            "InstanceType": "t3.medium",
            "State": {"Name": "running"},
            "Placement": {"AvailabilityZone": "us-east-1a"},
            "LaunchTime": datetime(2026, 3, 1, 9, 59, tzinfo=UTC),
        }
    ]


def outputs() -> dict[str, Any]:
    server = {
        "claimName": "nfs-pvc",
        "pvName": PV,
        "volumeId": VOLUME,
        "volumeName": f"kubernetes-dynamic-{PV}",
        "nfsServerIp": "10.0.0.9",
    }
    return {
        **server,
        "servers": {"nfs-server": dict(server)},
        "kubeconfig": "a kubeconfig",
        "ec2Endpoint": "http://127.0.0.1:1",
    }


class Ec2:
    """EC2's pages, filtered as EC2 filters."""

    def __init__(self, volumes: list[Thing], instances: list[Thing], snapshots: list[Thing]) -> None:
        self._volumes, self._instances, self._snapshots = volumes, instances, snapshots
        self._operation = ""

    def get_paginator(self, operation: str) -> Ec2:
        self._operation = operation
        return self

    def paginate(self, Filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        [wanted] = Filters
        name, values = wanted["Name"], wanted["Values"]
        if self._operation == "describe_instances":
            assert name == "instance-id"
            found = [one for one in self._instances if one["InstanceId"] in values]
            return [{"Reservations": [{"Instances": found}]}]
        if self._operation == "describe_snapshots":
            assert name == "snapshot-id"
            return [{"Snapshots": [one for one in self._snapshots if one["SnapshotId"] in values]}]
        assert self._operation == "describe_volumes"
        if name == "volume-id":
            return [{"Volumes": [one for one in self._volumes if one["VolumeId"] in values]}]
        assert name.startswith("tag:"), f"EC2 has no filter {name}"
        [value] = values
        tag = {"Key": name.removeprefix("tag:"), "Value": value}
        return [{"Volumes": [one for one in self._volumes if tag in one["Tags"]]}]


class Listing:
    """kubectl that lists what it was given."""

    def __init__(self, things: list[Thing]) -> None:
        self._things = things

    def list(self, kinds: str, *, optional: bool = False) -> list[Thing]:
        return [thing for thing in self._things if (thing["kind"] in SNAPSHOT_KINDS) is optional]


@dataclass
class FakeLab:
    """What kubectl, EC2 and pulumi say about a lab."""

    things: list[Thing] = field(default_factory=things)
    volumes: list[Thing] = field(default_factory=volumes)
    instances: list[Thing] = field(default_factory=instances)
    ebs_snapshots: list[Thing] = field(default_factory=ebs_snapshots)
    outputs: dict[str, Any] = field(default_factory=outputs)
    config: dict[str, str] = field(default_factory=lambda: {"target": "local"})

    def the(self, kind: str) -> Thing:
        """Return the first of a kind."""
        return next(thing for thing in self.things if thing["kind"] == kind)

    def remove(self, kind: str) -> None:
        self.things = [thing for thing in self.things if thing["kind"] != kind]

    @property
    def stack(self) -> Stack:
        return Stack("local", parse(self.config), self.outputs)

    @property
    def ec2(self) -> Ec2Reader:
        return Ec2Reader(Ec2(self.volumes, self.instances, self.ebs_snapshots))

    def snapshots(self) -> list[Snapshot]:
        return take_snapshots(self.stack, cast(Kubectl, Listing(self.things)), self.ec2)

    def seen(self) -> Snapshot:
        """Return the snapshot of the only server."""
        [one] = self.snapshots()
        return one


def with_snapshots() -> FakeLab:
    """Return a lab whose claim has a snapshot."""
    lab = FakeLab(things=[*things(), *snapshot_things()])
    lab.config["snapshots"] = "true"
    return lab


Breakage = Callable[[FakeLab], object]


def broken(*breakages: Breakage) -> FakeLab:
    lab = FakeLab()
    for breakage in breakages:
        breakage(lab)
    return lab
