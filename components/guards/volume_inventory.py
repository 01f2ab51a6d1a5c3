"""Inventory: the volumes, claims and snapshots of the driver, in Kubernetes and in EC2.

`in_kubernetes` and `in_ec2` are cheap, and a wait calls them again and again. `explain` reads Pods and attachments
too, because its lines say what uses a volume.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..access.lookups import claims_used_by, tagged_volumes
from ..settings.conventions import EBS_DRIVER
from .snapshot_inventory import EbsSnapshot, Snapshot, about_snapshot, snapshots_in_kubernetes


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
    """A Pod that uses a claim; `maker` is the Deployment or whatever else created it, empty for a Pod on its own."""

    namespace: str
    name: str
    maker: str = ""

    def __str__(self) -> str:
        return f"Pod {self.namespace}/{self.name}{f' of the {self.maker}' if self.maker else ''}"


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
    """The objects of the driver. `claims` are bound or not; for those in `creating` it may still create a volume."""

    volumes: tuple[BoundVolume, ...] = ()
    claims: tuple[Claim, ...] = ()
    ebs_volumes: tuple[EbsVolume, ...] = ()
    creating: tuple[Claim, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    ebs_snapshots: tuple[EbsSnapshot, ...] = ()

    def __bool__(self) -> bool:
        return any((self.volumes, self.claims, self.ebs_volumes, self.creating, self.snapshots, self.ebs_snapshots))

    def __str__(self) -> str:
        return ", ".join(
            [
                *(f"PersistentVolume {volume.name}" for volume in self.volumes),
                *(f"claim {claim}" for claim in self.claims),
                *(str(snapshot) for snapshot in self.snapshots),
                *(f"EBS volume {volume.id}" for volume in self.ebs_volumes),
                *(f"EBS snapshot {snapshot.id}" for snapshot in self.ebs_snapshots),
                *(f"the volume that the driver may still be creating for claim {claim}" for claim in self.creating),
            ]
        )


def in_kubernetes(kubernetes: Kubernetes, storage_class: str) -> Inventory:
    """Return the driver's PersistentVolumes and snapshots, and the claims of `storage_class` and its other classes.

    Without the driver nothing deletes their EBS volumes and snapshots, whatever class created them.
    """
    from lightkube.resources.core_v1 import PersistentVolume, PersistentVolumeClaim
    from lightkube.resources.storage_v1 import StorageClass

    served = {one.metadata.name for one in kubernetes.list(StorageClass) if one.provisioner == EBS_DRIVER}
    classes = {storage_class, *served}
    volumes = [
        BoundVolume(pv.metadata.name, pv.status.phase, pv.spec.persistentVolumeReclaimPolicy, _claim_of(pv))
        for pv in kubernetes.list(PersistentVolume)
        if pv.spec.storageClassName == storage_class or (pv.spec.csi and pv.spec.csi.driver == EBS_DRIVER)
    ]
    bound = {volume.claim for volume in volumes}
    claims = {
        Claim(one.metadata.namespace, one.metadata.name): one.spec.storageClassName
        for one in kubernetes.list(PersistentVolumeClaim, namespace="*")
    }
    return Inventory(
        volumes=tuple(volumes),
        claims=tuple(claim for claim, of in claims.items() if of in classes or claim in bound),
        snapshots=snapshots_in_kubernetes(kubernetes),
    )


def all_claims(kubernetes: Kubernetes) -> list[Claim]:
    """Return the claims of all classes and namespaces."""
    from lightkube.resources.core_v1 import PersistentVolumeClaim

    claims = kubernetes.list(PersistentVolumeClaim, namespace="*")
    return [Claim(one.metadata.namespace, one.metadata.name) for one in claims]


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


def in_ec2(ec2: Ec2, *sets: Mapping[str, str]) -> tuple[EbsVolume, ...]:
    """Return the EBS volumes that carry all tags of one of the sets, also those that EC2 is deleting."""
    found = {volume["VolumeId"]: volume for tags in sets for volume in tagged_volumes(ec2, tags)}
    return tuple(
        EbsVolume(
            volume["VolumeId"],
            volume["State"],
            tuple(attachment["InstanceId"] for attachment in volume.get("Attachments", ())),
        )
        for volume in found.values()
    )


def explain(left: Inventory, kubernetes: Kubernetes | None) -> Sequence[str]:
    """Return a line for each object, with what uses it. Without `kubernetes` nothing is said about users."""
    users = pods_by_claim(kubernetes) if kubernetes and (left.claims or left.volumes) else {}
    nodes = _nodes_by_volume(kubernetes) if kubernetes and left.volumes else {}
    bound = {volume.claim for volume in left.volumes}
    return [
        *(_about_volume(volume, users, nodes) for volume in left.volumes),
        *(f"claim {claim}{used_by(users.get(claim, ()))}" for claim in left.claims if claim not in bound),
        *(about_snapshot(snapshot) for snapshot in left.snapshots),
        *(_about_ebs_volume(volume) for volume in left.ebs_volumes),
        *(f"EBS snapshot {snapshot.id} is {snapshot.state}" for snapshot in left.ebs_snapshots),
        *(f"claim {claim} is deleted, and the driver may still be creating its volume" for claim in left.creating),
    ]


def used_by(pods: Sequence[User]) -> str:
    """Return the end of a sentence about a claim."""
    return f", used by {', '.join(map(str, pods))}" if pods else ", used by no Pod"


def pods_by_claim(kubernetes: Kubernetes) -> dict[Claim, list[User]]:
    """Return the Pods that use each claim, in all namespaces, also Pods that brought their claim along."""
    from lightkube.resources.apps_v1 import ReplicaSet
    from lightkube.resources.core_v1 import Pod

    sets = kubernetes.list(ReplicaSet, namespace="*")
    replica_sets = {(one.metadata.namespace, one.metadata.name): one for one in sets}
    users: defaultdict[Claim, list[User]] = defaultdict(list)
    for pod in kubernetes.list(Pod, namespace="*"):
        namespace: str = pod.metadata.namespace
        maker = _controller_of(pod)
        if maker and maker.kind == "ReplicaSet":
            maker = _controller_of(replica_sets.get((namespace, maker.name))) or maker
        user = User(namespace, pod.metadata.name, f"{maker.kind} {maker.name}" if maker else "")
        for claim in claims_used_by(pod.to_dict()):
            users[Claim(namespace, claim)].append(user)
    return users


def _controller_of(thing: Any) -> Any:
    """Return the reference to the owner that created an object, or None."""
    owners: list[Any] = (thing and thing.metadata.ownerReferences) or []
    return next((owner for owner in owners if owner.controller), None)


def _about_volume(volume: BoundVolume, users: dict[Claim, list[User]], nodes: dict[str, list[str]]) -> str:
    parts = [f"PersistentVolume {volume.name} is {volume.phase}"]
    if volume.policy != "Delete":
        parts.append(kept(volume))
    if volume.claim:
        parts.append(f"its claim is {volume.claim}{used_by(users.get(volume.claim, ()))}")
    parts += nodes.get(volume.name, [])
    return "; ".join(parts)


def kept(volume: BoundVolume) -> str:
    """Return why nothing deletes the EBS volume of a PersistentVolume, and the command after which the driver does."""
    patch = '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'
    return f"its reclaim policy is {volume.policy}: kubectl patch pv {volume.name} -p '{patch}' has its disk deleted"


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
