"""The chain of persistence, from the Deployment down to the EC2 instance: each link holds the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lab.reading.objects import Thing, at, condition, instance_id_of, moment, name_of, tags_of
from lab.reading.snapshot import CopyOfClaim, Snapshot

MISSING = "not there"


@dataclass(frozen=True)
class Link:
    """One object of the chain. `name` is empty where it is not known; `well` says whether the chain holds here; `since`
    is when the object was created, if that is known; `about` are ids, facts and warnings of Kubernetes."""

    kind: str
    name: str
    state: str
    well: bool
    since: datetime | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chain:
    """The links of one server, each held by the one before. `beside` are its claim's snapshots, and its clients."""

    server: str
    links: Sequence[Link]
    beside: Sequence[Link] = ()


def chain_of(seen: Snapshot) -> Chain:
    """Return the chain in a snapshot; a missing object becomes a link that says so."""
    links = [
        _deployment(seen),
        _pod(seen),
        _claim(seen),
        _pv(seen),
        *_attachments(seen),
        _volume(seen),
        _instance(seen),
    ]
    return Chain(seen.server.label, links, [_copy(one) for one in seen.copies])


def _link(kind: str, thing: Thing | None, state: str, well: bool, *about: str, name: str = "") -> Link:
    """`name` is the object's name where the configuration has it, with the namespace if that is not the default."""
    if thing is None:
        return Link(kind, name, MISSING, well=False)
    if at(thing, "metadata", "deletionTimestamp"):
        state, well = f"{state}, being deleted", False
    made = moment(at(thing, "metadata", "creationTimestamp"))
    return Link(kind, name or name_of(thing) or "", state, well, made, tuple(fact for fact in about if fact))


def _deployment(seen: Snapshot) -> Link:
    wanted, there = at(seen.deployment, "spec", "replicas"), at(seen.deployment, "status", "availableReplicas") or 0
    return _link(
        "Deployment", seen.deployment, f"{there}/{wanted} available", there == wanted,
        seen.last_warning(seen.deployment).strip(), name=seen.server.label,
    )  # fmt: skip


def _pod(seen: Snapshot) -> Link:
    ready = condition(seen.pod, "Ready")
    node = at(seen.pod, "spec", "nodeName")
    state = f"{at(seen.pod, 'status', 'phase')}, {'ready' if ready else 'not ready'}"
    # Warnings about a server that is ready are about its past.
    return _link(
        "Pod", seen.pod, state, ready, f"on {node}" if node else "on no node",
        "" if ready else seen.last_warning(seen.pod).strip(),
    )  # fmt: skip


def _claim(seen: Snapshot) -> Link:
    phase = at(seen.claim, "status", "phase")
    source = at(seen.claim, "spec", "dataSource", "name")
    size = at(seen.claim, "status", "capacity", "storage") or at(seen.claim, "spec", "resources", "requests", "storage")
    return _link(
        "PersistentVolumeClaim", seen.claim, str(phase), phase == "Bound",
        f"{size}, class {at(seen.claim, 'spec', 'storageClassName')}",
        f"restored from the snapshot {source}" if source else "",
        "" if phase == "Bound" else seen.last_warning(seen.claim).strip(), name=seen.server.claim_name,
    )  # fmt: skip


def _pv(seen: Snapshot) -> Link:
    phase = at(seen.pv, "status", "phase")
    return _link(
        "PersistentVolume", seen.pv, str(phase), phase == "Bound",
        f"{at(seen.pv, 'spec', 'persistentVolumeReclaimPolicy')}, handle {at(seen.pv, 'spec', 'csi', 'volumeHandle')}",
    )  # fmt: skip


def _attachments(seen: Snapshot) -> list[Link]:
    """Return one link, or two while a volume moves to another node."""
    return [_attachment(one) for one in seen.attachments] or [_attachment(None)]


def _attachment(thing: Thing | None) -> Link:
    attached = at(thing, "status", "attached") is True
    failed = at(thing, "status", "attachError", "message") or at(thing, "status", "detachError", "message")
    return _link(
        "VolumeAttachment", thing, "attached" if attached else "not attached", attached,
        f"to {at(thing, 'spec', 'nodeName')}", failed or "",
    )  # fmt: skip


def _volume(seen: Snapshot) -> Link:
    volume = seen.volume
    if volume is None:
        return Link("EBS volume", "", MISSING, well=False)
    to = [f"{one['State']} to {one['InstanceId']}" for one in volume.get("Attachments") or ()]
    return Link(
        "EBS volume",
        volume["VolumeId"],
        volume["State"],
        volume["State"] == "in-use",
        moment(volume.get("CreateTime")),
        (
            tags_of(volume).get("Name", "no Name"),
            f"{volume['Size']} GiB {volume['VolumeType']}, {volume['AvailabilityZone']}",
            *to,
        ),
    )


def _instance(seen: Snapshot) -> Link:
    instance = seen.instance
    if instance is None:
        return Link("EC2 instance", instance_id_of(seen.node) or "", MISSING, well=False)
    state = instance["State"]["Name"]
    node = name_of(seen.node)
    about = (
        f"{instance['InstanceType']}, {instance['Placement']['AvailabilityZone']}",
        *([f"is {node}"] if node else ()),
    )
    return Link(
        "EC2 instance", instance["InstanceId"], state, state == "running", moment(instance.get("LaunchTime")), about
    )


def _copy(copy: CopyOfClaim) -> Link:
    """Return a link that is well also while EC2 copies: nothing is broken then."""
    failed, ready = at(copy.wish, "status", "error", "message"), at(copy.wish, "status", "readyToUse") is True
    state = f", {copy.ebs['State']}" if copy.ebs else f", {MISSING}" if copy.lost else ""
    ebs = f"EBS snapshot {copy.handle}{state}" if copy.handle else ""
    return _link(
        "VolumeSnapshot", copy.wish, "ready to use" if ready else "failed" if failed else "being taken",
        not copy.lost if ready else not failed,
        at(copy.wish, "status", "restoreSize") or "", ebs, "" if ready else failed or "",
    )  # fmt: skip
