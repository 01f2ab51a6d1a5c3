"""Sizes of claims: what a claim asks for, what it, its PersistentVolume and its EBS volume have, and what refused."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ..access.dynamic_provider import Failure
from ..settings.conventions import EBS_DRIVER

# The manager under which Kubernetes notes the size that is set here.
FIELD_MANAGER = "storage-lab"
TAKEN_BACK = (
    "Or set storage-lab:storage back: no data is lost, but a claim that asks for the size already may still grow to it."
)
# What csi-resizer says when the driver refused.
RESIZE_FAILED = "VolumeResizeFailed"


@dataclass(frozen=True)
class ClaimSize:
    """A claim by "namespace/name"; sizes are Kubernetes quantities, "" where there is none. `handle` names the EBS
    volume. `waits` is whether it has no volume yet, because no Pod has used it.
    """

    name: str
    waits: bool
    bound: bool
    asked: str
    has: str
    volume: str
    handle: str


@dataclass(frozen=True)
class Refusal:
    """An event that a volume could not grow. `key` changes when the event happens again."""

    key: str
    text: str


def sizes_in_kubernetes(kubernetes: Any, names: Collection[str]) -> list[ClaimSize]:
    """Return the sizes of the claims of these names that exist."""
    from lightkube.resources.core_v1 import PersistentVolume, PersistentVolumeClaim

    volumes = {volume.metadata.name: volume.spec for volume in kubernetes.list(PersistentVolume)}
    return [
        _size(name, claim, volumes.get(claim.spec.volumeName))
        for claim in kubernetes.list(PersistentVolumeClaim, namespace="*")
        if (name := f"{claim.metadata.namespace}/{claim.metadata.name}") in names
    ]


def _size(name: str, claim: Any, volume: Any) -> ClaimSize:
    csi = volume and volume.csi
    status = claim.status
    capacity: dict[str, str] = (status and status.capacity) or {}
    of_volume: dict[str, str] = (volume and volume.capacity) or {}
    return ClaimSize(
        name=name,
        waits=not claim.spec.volumeName,
        bound=bool(volume) and bool(status) and status.phase == "Bound",
        asked=claim.spec.resources.requests.get("storage", ""),
        has=capacity.get("storage", ""),
        volume=of_volume.get("storage", ""),
        handle=csi.volumeHandle if csi and csi.driver == EBS_DRIVER else "",
    )


def ask_for(kubernetes: Any, claim: ClaimSize, storage: str) -> None:
    """Have the claim ask for that size. Raises Failure where Kubernetes refuses it."""
    from lightkube.core.exceptions import ApiError
    from lightkube.resources.core_v1 import PersistentVolumeClaim

    namespace, _, name = claim.name.partition("/")
    larger = {"spec": {"resources": {"requests": {"storage": storage}}}}
    try:
        kubernetes.patch(PersistentVolumeClaim, name, larger, namespace=namespace, field_manager=FIELD_MANAGER)
    except ApiError as error:
        if error.status.code not in (403, 422):  # anything else passes, or is told by the next look
            raise
        raise Failure(
            f"Kubernetes does not let claim {claim.name} grow to {storage}: {error.status.message}\n"
            f"Remove the reason, then run pulumi up again. {TAKEN_BACK}"
        ) from error


def ebs_sizes(ec2: Any, ids: Sequence[str]) -> dict[str, str]:
    """Return the size of each of these EBS volumes that exists, as a quantity."""
    found = ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": list(ids)}])["Volumes"]
    return {volume["VolumeId"]: f"{volume['Size']}Gi" for volume in found}


def refusals_of_growth(kubernetes: Any, names: Collection[str]) -> list[Refusal]:
    """Return what csi-resizer told of these claims, oldest first."""
    from lightkube.resources.core_v1 import Event

    events = [
        event
        for event in kubernetes.list(Event, namespace="*")
        if event.reason == RESIZE_FAILED and f"{event.involvedObject.namespace}/{event.involvedObject.name}" in names
    ]
    events.sort(key=lambda event: str(event.lastTimestamp or event.metadata.creationTimestamp))
    return [
        Refusal(f"{event.metadata.uid} {event.metadata.resourceVersion}", " ".join(event.message.split()))
        for event in events
    ]
