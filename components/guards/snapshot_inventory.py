"""Snapshot: what is left of a snapshot of the driver, in Kubernetes and in EC2.

A VolumeSnapshot is the wish, its VolumeSnapshotContent stands for the EBS snapshot. The driver deletes the EBS snapshot
with the content, if the content's deletion policy is Delete.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..access.lookups import tagged_snapshots
from ..settings.conventions import EBS_DRIVER, SNAPSHOT_GROUP, SNAPSHOT_VERSION

NOT_FOUND = 404


@dataclass(frozen=True)
class Snapshot:
    """A snapshot by the "namespace/name" of its VolumeSnapshot, which `exists` or was deleted.

    `content` and `handle`, the id of the EBS snapshot, are empty before they exist. `policy` is the content's.
    """

    name: str
    exists: bool = True
    content: str = ""
    policy: str = "Delete"
    handle: str = ""

    def __str__(self) -> str:
        return f"VolumeSnapshot {self.name}" if self.exists else f"VolumeSnapshotContent {self.content}"


@dataclass(frozen=True)
class EbsSnapshot:
    """An EBS snapshot: id, EC2's word for its state."""

    id: str
    state: str


@cache
def volume_snapshots() -> Any:
    """Return lightkube's class of VolumeSnapshots, whose objects are plain dicts."""
    return _generic().create_namespaced_resource(SNAPSHOT_GROUP, SNAPSHOT_VERSION, "VolumeSnapshot", "volumesnapshots")


@cache
def snapshot_contents() -> Any:
    """Return lightkube's class of VolumeSnapshotContents."""
    kind, plural = "VolumeSnapshotContent", "volumesnapshotcontents"
    return _generic().create_global_resource(SNAPSHOT_GROUP, SNAPSHOT_VERSION, kind, plural)


@cache
def snapshot_classes() -> Any:
    """Return lightkube's class of VolumeSnapshotClasses."""
    kind, plural = "VolumeSnapshotClass", "volumesnapshotclasses"
    return _generic().create_global_resource(SNAPSHOT_GROUP, SNAPSHOT_VERSION, kind, plural)


def _generic() -> Any:
    from lightkube import generic_resource

    return generic_resource


def listed(kubernetes: Any, kind: Any, namespace: str | None = None) -> list[dict[str, Any]]:
    """Return the objects of one of the three classes; none where the cluster does not know the kind."""
    import httpx2

    try:
        return list(kubernetes.list(kind, namespace=namespace))
    # Not lightkube's ApiError, which is a subclass: about an unknown group the API server answers in plain text.
    except httpx2.HTTPStatusError as error:
        if error.response.status_code != NOT_FOUND:
            raise
        return []


def snapshots_in_kubernetes(kubernetes: Any) -> tuple[Snapshot, ...]:
    """Return the driver's snapshots: the contents, and the VolumeSnapshots of its classes that have none yet."""
    wishes = {_name(one["metadata"]): one["spec"] for one in listed(kubernetes, volume_snapshots(), "*")}
    contents = [
        _snapshot(one, wishes) for one in listed(kubernetes, snapshot_contents()) if one["spec"]["driver"] == EBS_DRIVER
    ]
    begun = {content.name for content in contents}
    waiting = {name: wish for name, wish in wishes.items() if name not in begun}
    if waiting:
        classes = listed(kubernetes, snapshot_classes())
        served = {one["metadata"]["name"] for one in classes if one["driver"] == EBS_DRIVER}
        contents += [Snapshot(name) for name, wish in waiting.items() if wish.get("volumeSnapshotClassName") in served]
    return tuple(contents)


def _snapshot(content: Mapping[str, Any], wishes: Collection[str]) -> Snapshot:
    name = _name(content["spec"]["volumeSnapshotRef"])
    status: Mapping[str, Any] = content.get("status") or {}
    return Snapshot(
        name=name,
        exists=name in wishes,
        content=content["metadata"]["name"],
        policy=content["spec"]["deletionPolicy"],
        handle=status.get("snapshotHandle", ""),
    )


def snapshots_in_ec2(ec2: Any, sets: Sequence[Mapping[str, str]]) -> tuple[EbsSnapshot, ...]:
    """Return the EBS snapshots that carry all tags of one of the sets."""
    found = {one["SnapshotId"]: one for tags in sets for one in tagged_snapshots(ec2, tags)}
    return tuple(EbsSnapshot(id_, one["State"]) for id_, one in found.items())


def about_snapshot(snapshot: Snapshot) -> str:
    """Return what a snapshot is, and what to type so that the driver deletes its EBS snapshot."""
    namespace, _, name = snapshot.name.partition("/")
    ebs, content = f"the EBS snapshot {snapshot.handle or 'that begins'}", snapshot.content
    if snapshot.exists:
        delete = f"kubectl delete volumesnapshot {name} -n {namespace}"
    else:
        delete = f"kubectl delete volumesnapshotcontent {content}"
    if snapshot.policy != "Delete":
        patch = f"""kubectl patch volumesnapshotcontent {content} --type=merge -p '{_DELETED}'"""
        return f"{snapshot} would leave {ebs}; its deletion policy is {snapshot.policy}: {patch} && {delete}"
    if not snapshot.exists:
        return f"{snapshot} is being deleted, and {ebs} with it"
    return f"{snapshot} has {ebs}: {delete}"


_DELETED = '{"spec":{"deletionPolicy":"Delete"}}'


def _name(reference: Mapping[str, str]) -> str:
    return f"{reference['namespace']}/{reference['name']}"
