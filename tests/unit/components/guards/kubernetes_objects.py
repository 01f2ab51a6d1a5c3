"""Objects as lightkube and boto3 return them, a cluster that lists and deletes, and an EC2 API that lists."""

from types import SimpleNamespace
from typing import Any

import httpx2
from lightkube.models.apps_v1 import ReplicaSetSpec
from lightkube.models.core_v1 import (
    CSIPersistentVolumeSource,
    ObjectReference,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimVolumeSource,
    PersistentVolumeSpec,
    PersistentVolumeStatus,
    PodSpec,
    Volume,
)
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta, OwnerReference
from lightkube.resources.apps_v1 import ReplicaSet
from lightkube.resources.core_v1 import Event, PersistentVolume, PersistentVolumeClaim, Pod
from lightkube.resources.storage_v1 import StorageClass
from lightkube.types import CascadeType

from components.guards.snapshot_inventory import snapshot_classes, snapshot_contents, volume_snapshots
from components.guards.volume_inventory import Claim


class Kubernetes:
    """Lists what it was given, by type; namespaced kinds only when all namespaces are asked for.

    It knows snapshots where it was given something of them.
    """

    def __init__(self, *objects: Any) -> None:
        self._objects = list(objects)

    def list(self, res: Any, *, namespace: str | None = None) -> Any:
        namespaced = issubclass(res, PersistentVolumeClaim | Pod | ReplicaSet | Event | volume_snapshots())
        assert (namespace == "*") == namespaced, "a claim may be in any namespace"
        of_snapshots = (snapshot_classes(), snapshot_contents(), volume_snapshots())
        if res in of_snapshots and not any(isinstance(thing, of_snapshots) for thing in self._objects):
            request = httpx2.Request("GET", "https://127.0.0.1/apis/snapshot.storage.k8s.io/v1")
            answer = httpx2.Response(404, text="404 page not found", request=request)
            raise httpx2.HTTPStatusError("said by the test", request=request, response=answer)
        return iter([thing for thing in self._objects if isinstance(thing, res)])

    def delete(self, res: Any, name: str, *, namespace: str | None = None, cascade: Any = None) -> None:
        assert cascade is CascadeType.FOREGROUND, "what the object owns would outlive it"
        [found] = [
            one
            for one in self.list(res, namespace="*")
            if one.metadata.name == name and one.metadata.namespace == namespace
        ]
        self._objects.remove(found)


class Ec2:
    """Answers with its volumes and its snapshots, one on a page, whatever the filter; notes the filters."""

    def __init__(self, *volumes: dict[str, Any], snapshots: tuple[dict[str, Any], ...] = ()) -> None:
        self._volumes, self._snapshots = volumes, snapshots
        self.filters: list[Any] = []
        self.snapshot_filters: list[Any] = []

    def get_paginator(self, operation_name: str) -> Any:
        answers = {"describe_volumes": self._describe_volumes, "describe_snapshots": self._describe_snapshots}
        return SimpleNamespace(paginate=answers[operation_name])

    def _describe_volumes(self, **arguments: Any) -> Any:
        self.filters.append({one["Name"]: one["Values"] for one in arguments["Filters"]})
        return [{"Volumes": [volume]} for volume in self._volumes]

    def _describe_snapshots(self, **arguments: Any) -> Any:
        assert arguments["OwnerIds"] == ["self"], "AWS would go through the snapshots that everybody has published"
        self.snapshot_filters.append({one["Name"]: one["Values"] for one in arguments["Filters"]})
        return [{"Snapshots": [snapshot]} for snapshot in self._snapshots]


def storage_class(name: str, provisioner: str) -> StorageClass:
    return StorageClass(metadata=ObjectMeta(name=name), provisioner=provisioner)


def volume(
    name: str, of: str = "ebs", claim: Claim | None = None, policy: str = "Delete", driver: str = ""
) -> PersistentVolume:
    reference = ObjectReference(namespace=claim.namespace, name=claim.name) if claim else None
    csi = CSIPersistentVolumeSource(driver=driver, volumeHandle="vol-1") if driver else None
    spec = PersistentVolumeSpec(storageClassName=of, claimRef=reference, persistentVolumeReclaimPolicy=policy, csi=csi)
    phase = "Bound" if claim else "Released"
    return PersistentVolume(metadata=ObjectMeta(name=name), spec=spec, status=PersistentVolumeStatus(phase=phase))


def claim(name: str, of: str | None = "ebs", namespace: str = "default") -> PersistentVolumeClaim:
    spec = PersistentVolumeClaimSpec(storageClassName=of)
    return PersistentVolumeClaim(metadata=ObjectMeta(name=name, namespace=namespace), spec=spec)


def pod(name: str, *volumes: Volume, namespace: str = "default", of: str = "", role: str | None = None) -> Pod:
    """`of` is what created the Pod, as "kind name"."""
    metadata = _metadata(name, namespace, of)
    metadata.labels = {"role": role} if role else None
    return Pod(metadata=metadata, spec=PodSpec(containers=[], volumes=list(volumes)))


def replica_set(name: str, of: str, namespace: str = "default") -> ReplicaSet:
    spec = ReplicaSetSpec(selector=LabelSelector())
    return ReplicaSet(metadata=_metadata(name, namespace, of), spec=spec)


def _metadata(name: str, namespace: str, of: str) -> ObjectMeta:
    kind, _, owner = of.partition(" ")
    owners = [OwnerReference(apiVersion="apps/v1", kind=kind, name=owner, uid="1", controller=True)] if of else None
    return ObjectMeta(name=name, namespace=namespace, ownerReferences=owners)


def using(claim_name: str) -> Volume:
    return Volume(name="data", persistentVolumeClaim=PersistentVolumeClaimVolumeSource(claimName=claim_name))


def snapshot_class(name: str, driver: str = "ebs.csi.aws.com") -> Any:
    return snapshot_classes()({"metadata": {"name": name}, "driver": driver, "deletionPolicy": "Delete"})


def snapshot(name: str, of: str = "ebs-snapshots", namespace: str = "default", **status: Any) -> Any:
    metadata = {"name": name, "namespace": namespace}
    return volume_snapshots()({"metadata": metadata, "spec": {"volumeSnapshotClassName": of}, "status": status})


def content(of: str, policy: str = "Delete", driver: str = "ebs.csi.aws.com", handle: str = "snap-1") -> Any:
    """`of` is the name of its VolumeSnapshot in the namespace default."""
    reference = {"namespace": "default", "name": of}
    spec = {"volumeSnapshotRef": reference, "deletionPolicy": policy, "driver": driver}
    status = {"snapshotHandle": handle} if handle else {}
    return snapshot_contents()({"metadata": {"name": f"snapcontent-{of}"}, "spec": spec, "status": status})
