"""Objects as lightkube and boto3 return them, a cluster that lists and deletes, and an EC2 API that lists."""

from types import SimpleNamespace
from typing import Any

from lightkube.models.core_v1 import (
    ObjectReference,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimVolumeSource,
    PersistentVolumeSpec,
    PersistentVolumeStatus,
    PodSpec,
    Volume,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import PersistentVolume, PersistentVolumeClaim, Pod
from lightkube.types import CascadeType

from components.guards.volume_inventory import Claim


class Kubernetes:
    """Lists what it was given, by type; namespaced kinds only when all namespaces are asked for."""

    def __init__(self, *objects: Any) -> None:
        self._objects = list(objects)

    def list(self, res: Any, *, namespace: str | None = None) -> Any:
        assert (namespace == "*") == issubclass(res, PersistentVolumeClaim | Pod), "a claim may be in any namespace"
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
    """Answers DescribeVolumes with its volumes, one on a page, whatever the filter; notes the filter."""

    def __init__(self, *volumes: dict[str, Any]) -> None:
        self._volumes = volumes
        self.filters: Any = None

    def get_paginator(self, operation_name: str) -> Any:
        assert operation_name == "describe_volumes"
        return SimpleNamespace(paginate=self._paginate)

    def _paginate(self, **arguments: Any) -> Any:
        self.filters = arguments["Filters"]
        return [{"Volumes": [volume]} for volume in self._volumes]


def volume(name: str, of: str = "ebs", claim: Claim | None = None, policy: str = "Delete") -> PersistentVolume:
    reference = ObjectReference(namespace=claim.namespace, name=claim.name) if claim else None
    spec = PersistentVolumeSpec(storageClassName=of, claimRef=reference, persistentVolumeReclaimPolicy=policy)
    phase = "Bound" if claim else "Released"
    return PersistentVolume(metadata=ObjectMeta(name=name), spec=spec, status=PersistentVolumeStatus(phase=phase))


def claim(name: str, of: str | None = "ebs", namespace: str = "default") -> PersistentVolumeClaim:
    spec = PersistentVolumeClaimSpec(storageClassName=of)
    return PersistentVolumeClaim(metadata=ObjectMeta(name=name, namespace=namespace), spec=spec)


def pod(name: str, *volumes: Volume, namespace: str = "default", role: str | None = None) -> Pod:
    metadata = ObjectMeta(name=name, namespace=namespace, labels={"role": role} if role else None)
    return Pod(metadata=metadata, spec=PodSpec(containers=[], volumes=list(volumes)))


def using(claim_name: str) -> Volume:
    return Volume(name="data", persistentVolumeClaim=PersistentVolumeClaimVolumeSource(claimName=claim_name))
