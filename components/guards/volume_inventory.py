"""Inventory: the volumes and claims of a StorageClass, in Kubernetes and in EC2.

`in_kubernetes` and `in_ec2` are cheap, and a wait calls them again and again. `explain` reads Pods and attachments
too, because its lines say what uses a volume.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..access.lookups import claims_used_by, tagged_volumes


class Kubernetes(Protocol):
    """The part of lightkube.Client that is used here."""

    def list(self, res: Any, *, namespace: str | None = None) -> Any: ...

    def delete(self, res: Any, name: str, *, namespace: str | None = None, cascade: Any = None) -> None: ...


class Ec2(Protocol):
    """The part of boto3's EC2 client that is used here."""

    def get_paginator(self, operation_name: str) -> Any: ...


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim by namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class User:
    """A Pod that uses a claim; `role` is its label of that name, empty where it has none."""

    namespace: str
    name: str
    role: str = ""

    def __str__(self) -> str:
        return f"Pod {self.namespace}/{self.name}"


@dataclass(frozen=True)
class BoundVolume:
    """A PersistentVolume. `phase` is Kubernetes' word for its state; `claim` is None before it is bound."""

    name: str
    phase: str
    policy: str
    claim: Claim | None


@dataclass(frozen=True)
class EbsVolume:
    """An EBS volume: id, EC2's word for its state, ids of the instances that it is attached to."""

    id: str
    state: str
    instances: tuple[str, ...]


@dataclass(frozen=True)
class Inventory:
    """The objects of a class. `claims` are all claims that name the class, bound or not."""

    volumes: tuple[BoundVolume, ...] = ()
    claims: tuple[Claim, ...] = ()
    ebs_volumes: tuple[EbsVolume, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.volumes or self.claims or self.ebs_volumes)

    def __str__(self) -> str:
        return ", ".join(
            [
                *(f"PersistentVolume {volume.name}" for volume in self.volumes),
                *(f"claim {claim}" for claim in self.claims),
                *(f"EBS volume {volume.id}" for volume in self.ebs_volumes),
            ]
        )


def in_kubernetes(kubernetes: Kubernetes, storage_class: str) -> Inventory:
    """Return the PersistentVolumes and claims of `storage_class`."""
    from lightkube.resources.core_v1 import PersistentVolume, PersistentVolumeClaim

    volumes = [pv for pv in kubernetes.list(PersistentVolume) if pv.spec.storageClassName == storage_class]
    claims = kubernetes.list(PersistentVolumeClaim, namespace="*")
    return Inventory(
        volumes=tuple(
            BoundVolume(pv.metadata.name, pv.status.phase, pv.spec.persistentVolumeReclaimPolicy, _claim_of(pv))
            for pv in volumes
        ),
        claims=tuple(
            Claim(claim.metadata.namespace, claim.metadata.name)
            for claim in claims
            if claim.spec.storageClassName == storage_class
        ),
    )


def delete_claim(kubernetes: Kubernetes, claim: Claim) -> None:
    """Delete a claim together with what it owns, if the claim exists."""
    from lightkube import ApiError
    from lightkube.resources.core_v1 import PersistentVolumeClaim
    from lightkube.types import CascadeType

    try:
        kubernetes.delete(PersistentVolumeClaim, claim.name, namespace=claim.namespace, cascade=CascadeType.FOREGROUND)
    except ApiError as error:
        if error.status.code != 404:
            raise


def in_ec2(ec2: Ec2, tag: str, value: str) -> tuple[EbsVolume, ...]:
    """Return the EBS volumes that carry the tag, also those that EC2 is deleting."""
    return tuple(
        EbsVolume(
            volume["VolumeId"],
            volume["State"],
            tuple(attachment["InstanceId"] for attachment in volume.get("Attachments", ())),
        )
        for volume in tagged_volumes(ec2, tag, value)
    )


def explain(left: Inventory, kubernetes: Kubernetes | None) -> Sequence[str]:
    """Return a line for each object, with what uses it. Without `kubernetes` nothing is said about users."""
    users = pods_by_claim(kubernetes) if kubernetes and (left.claims or left.volumes) else {}
    nodes = _nodes_by_volume(kubernetes) if kubernetes and left.volumes else {}
    bound = {volume.claim for volume in left.volumes}
    return [
        *(_about_volume(volume, users, nodes) for volume in left.volumes),
        *(f"claim {claim}{used_by(users.get(claim, ()))}" for claim in left.claims if claim not in bound),
        *(_about_ebs_volume(volume) for volume in left.ebs_volumes),
    ]


def used_by(pods: Sequence[User]) -> str:
    """Return the end of a sentence about a claim."""
    return f", used by {', '.join(map(str, pods))}" if pods else ", used by no Pod"


def pods_by_claim(kubernetes: Kubernetes) -> dict[Claim, list[User]]:
    """The pods that use each claim, in all namespaces, those that brought their claim along included."""
    from lightkube.resources.core_v1 import Pod

    users: defaultdict[Claim, list[User]] = defaultdict(list)
    for pod in kubernetes.list(Pod, namespace="*"):
        labels: dict[str, str] = pod.metadata.labels or {}
        user = User(pod.metadata.namespace, pod.metadata.name, labels.get("role", ""))
        for claim in claims_used_by(pod.to_dict()):
            users[Claim(user.namespace, claim)].append(user)
    return users


def _about_volume(volume: BoundVolume, users: dict[Claim, list[User]], nodes: dict[str, list[str]]) -> str:
    parts = [f"PersistentVolume {volume.name} is {volume.phase}"]
    if volume.policy != "Delete":
        parts.append(f"its reclaim policy is {volume.policy}, so nothing but you deletes it")
    if volume.claim:
        parts.append(f"its claim is {volume.claim}{used_by(users.get(volume.claim, ()))}")
    parts += nodes.get(volume.name, [])
    return "; ".join(parts)


def _about_ebs_volume(volume: EbsVolume) -> str:
    attached = f", attached to {' and '.join(volume.instances)}" if volume.instances else ""
    return f"EBS volume {volume.id} is {volume.state}{attached}"


def _claim_of(pv: Any) -> Claim | None:
    reference = pv.spec.claimRef
    return Claim(reference.namespace, reference.name) if reference else None


def _nodes_by_volume(kubernetes: Kubernetes) -> dict[str, list[str]]:
    from lightkube.resources.storage_v1 import VolumeAttachment

    nodes: defaultdict[str, list[str]] = defaultdict(list)
    for attachment in kubernetes.list(VolumeAttachment):
        volume = attachment.spec.source.persistentVolumeName
        if volume:
            nodes[volume].append(
                f"VolumeAttachment {attachment.metadata.name} holds it on node {attachment.spec.nodeName}"
            )
    return nodes
