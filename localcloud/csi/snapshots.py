"""Snapshots: EC2's, found by name, created once for each name, listed page by page.

A snapshot is answered once it is completed. The real driver answers earlier, because EBS needs minutes; here a later
call can replace a snapshot that failed, because nobody has heard of its id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from .deadline import Deadline
from .ec2 import Answer, Ec2
from .errors import CsiError
from .requests import required
from .stubs import csi
from .tags import OWNED, SNAPSHOT_NAME, Demand, snapshot_tags
from .volume_types import GIB

# Added to the parameters by csi-snapshotter --extra-create-metadata.
_DEMAND = {
    "csi.storage.k8s.io/volumesnapshot/name": "snapshot_name",
    "csi.storage.k8s.io/volumesnapshot/namespace": "snapshot_namespace",
    "csi.storage.k8s.io/volumesnapshotcontent/name": "content_name",
}
_TAG = re.compile(r"tagspecification_\w+", re.IGNORECASE)
_TOKEN = re.compile(r"snap-[0-9a-f]+")


@dataclass(frozen=True)
class Wish:
    """The snapshot that a CreateSnapshot call asks for."""

    name: str
    volume_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Snapshot:
    """One EBS snapshot. state: pending, completed, error."""

    snapshot_id: str
    name: str
    volume_id: str
    size_gib: int
    state: str
    started: datetime

    def message(self) -> csi.Snapshot:
        """Return it as CSI tells it."""
        told = csi.Snapshot(
            snapshot_id=self.snapshot_id,
            source_volume_id=self.volume_id,
            size_bytes=self.size_gib * GIB,
            ready_to_use=self.state == "completed",
        )
        told.creation_time.FromDatetime(self.started)
        return told


def wish_of(request: csi.CreateSnapshotRequest) -> Wish:
    """Return the snapshot that the request asks for. Raises INVALID_ARGUMENT for what the driver does not fulfil."""
    required(name=request.name, source_volume_id=request.source_volume_id)
    demand: dict[str, str] = {}
    tags: dict[str, str] = {}
    for name, value in cast(Mapping[str, str], request.parameters).items():
        if name in _DEMAND:
            demand[_DEMAND[name]] = value
        elif _TAG.fullmatch(name):
            tags[name] = value
        else:
            raise CsiError("INVALID_ARGUMENT", f"parameter {name} is not known; accepted is tagSpecification_N")
    return Wish(request.name, request.source_volume_id, snapshot_tags(request.name, Demand(**demand), tags))


def found_or_created(ec2: Ec2, wish: Wish, deadline: Deadline) -> Snapshot:
    """Return the one snapshot of that name, completed: what an earlier call left, or else a new snapshot.

    Raises ALREADY_EXISTS where the name has a snapshot of another volume.
    """
    snapshot = _named(ec2, wish.name, deadline)
    if snapshot is not None and snapshot.volume_id != wish.volume_id:
        raise CsiError(
            "ALREADY_EXISTS",
            f"snapshot {wish.name} exists as {snapshot.snapshot_id} of {snapshot.volume_id}, not of {wish.volume_id}",
        )
    if snapshot is None:
        snapshot = _create(ec2, wish, deadline)
    try:
        completed = _completed(ec2, snapshot, deadline)
        if completed.state == "error":
            # It has no bytes. The next call creates another one.
            delete(ec2, completed.snapshot_id, deadline)
    except CsiError as error:
        raise error.undecided() from error
    if completed.state == "error":
        raise CsiError("ABORTED", f"EC2 could not complete {completed.snapshot_id}, so it was deleted")
    return completed


def delete(ec2: Ec2, snapshot_id: str, deadline: Deadline) -> None:
    """Delete a snapshot, also where it does not exist any more."""
    try:
        ec2.ask("DeleteSnapshot", deadline, SnapshotId=snapshot_id)
    except CsiError as error:
        if error.code != "NOT_FOUND":
            raise


def check_source(ec2: Ec2, snapshot_id: str, gib: int, deadline: Deadline) -> None:
    """Refuse to create a volume of that size from that snapshot, where EC2 would.

    Raises NOT_FOUND, ABORTED where the snapshot is not completed, OUT_OF_RANGE where it is larger.
    """
    snapshot = _by_id(ec2, snapshot_id, deadline)
    if snapshot.state != "completed":
        raise CsiError("ABORTED", f"snapshot {snapshot_id} is not completed but {snapshot.state}")
    if gib < snapshot.size_gib:
        raise CsiError("OUT_OF_RANGE", f"{gib} GiB: a volume from {snapshot_id} has {snapshot.size_gib} GiB at least")


def listed(ec2: Ec2, request: csi.ListSnapshotsRequest, deadline: Deadline) -> tuple[list[Snapshot], str]:
    """Return the driver's snapshots that the request asks for, by id, and the token of the next page or "".

    Raises INVALID_ARGUMENT, and ABORTED for a token that is not one.
    """
    if request.max_entries < 0:
        raise CsiError("INVALID_ARGUMENT", f"max_entries is {request.max_entries}")
    if request.starting_token and not _TOKEN.fullmatch(request.starting_token):
        raise CsiError("ABORTED", f"starting_token {request.starting_token!r} is not from this driver")
    found = sorted(_asked_for(ec2, request, deadline), key=lambda each: each.snapshot_id)
    rest = [each for each in found if each.snapshot_id > request.starting_token]
    page = rest[: request.max_entries or None]
    return page, page[-1].snapshot_id if len(page) < len(rest) else ""


def _asked_for(ec2: Ec2, request: csi.ListSnapshotsRequest, deadline: Deadline) -> list[Snapshot]:
    if request.snapshot_id:
        try:
            found = [_by_id(ec2, request.snapshot_id, deadline)]
        except CsiError as error:
            if error.code != "NOT_FOUND":
                raise
            found = []
    else:
        found = _described(ec2, deadline, Filters=[{"Name": f"tag:{OWNED}", "Values": ["true"]}])
    return [each for each in found if request.source_volume_id in ("", each.volume_id)]


def _named(ec2: Ec2, name: str, deadline: Deadline) -> Snapshot | None:
    filters = [{"Name": f"tag:{SNAPSHOT_NAME}", "Values": [name]}]
    try:
        # EC2 takes * and ? in a filter as wildcards: only the exact name counts.
        found = [each for each in _described(ec2, deadline, Filters=filters) if each.name == name]
    except CsiError as error:
        raise error.undecided() from error
    if len(found) > 1:
        ids = ", ".join(each.snapshot_id for each in found)
        raise CsiError("ABORTED", f"snapshot {name} exists more than once: {ids}; delete all but one")
    return found[0] if found else None


def _by_id(ec2: Ec2, snapshot_id: str, deadline: Deadline) -> Snapshot:
    found = _described(ec2, deadline, SnapshotIds=[snapshot_id])
    if not found:
        raise CsiError("NOT_FOUND", f"snapshot {snapshot_id} does not exist")
    return found[0]


def _create(ec2: Ec2, wish: Wish, deadline: Deadline) -> Snapshot:
    """Ask for a snapshot, once: EC2 takes no token for it, so a repeated request would create a second one."""
    tags = [{"Key": key, "Value": value} for key, value in wish.tags.items()]
    specification = {"ResourceType": "snapshot", "Tags": tags}
    answer = ec2.ask_once(
        "CreateSnapshot",
        deadline,
        VolumeId=wish.volume_id,
        Description=f"Created by AWS EBS CSI driver for volume {wish.volume_id}",
        TagSpecifications=[specification],
    )
    return _snapshot(answer)


def _completed(ec2: Ec2, snapshot: Snapshot, deadline: Deadline) -> Snapshot:
    """Return the snapshot once EC2 does not work on it any more."""

    def look() -> Snapshot | None:
        seen = _by_id(ec2, snapshot.snapshot_id, deadline)
        return None if seen.state == "pending" else seen

    if snapshot.state != "pending":
        return snapshot
    return deadline.wait_until(look, f"snapshot {snapshot.snapshot_id} is completed")


def _described(ec2: Ec2, deadline: Deadline, **arguments: Any) -> list[Snapshot]:
    found: list[Snapshot] = []
    token: dict[str, str] = {}
    while True:
        answer = ec2.ask("DescribeSnapshots", deadline, OwnerIds=["self"], **arguments, **token)
        found += [_snapshot(each) for each in cast(list[Answer], answer.get("Snapshots", []))]
        if not answer.get("NextToken"):
            return found
        token = {"NextToken": answer["NextToken"]}


def _snapshot(answer: Answer) -> Snapshot:
    """One item of DescribeSnapshots, or the answer of CreateSnapshot."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in answer.get("Tags", [])}
    return Snapshot(
        snapshot_id=answer["SnapshotId"],
        name=tags.get(SNAPSHOT_NAME, ""),
        volume_id=answer["VolumeId"],
        size_gib=int(answer["VolumeSize"]),
        state=answer["State"],
        started=answer["StartTime"],
    )
