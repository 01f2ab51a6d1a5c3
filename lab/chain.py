"""The chain of persistence: what holds what, from the Deployment down to the EC2 instance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lab.reading.objects import at, condition, moment, name_of, tags_of
from lab.reading.snapshot import Snapshot, Thing, instance_id_of
from lab.steps.finding import last_warning

MISSING = "not there"


@dataclass(frozen=True)
class Link:
    """One thing of the chain. `name` is empty where there is none; `well` is whether the chain holds here; `since` is
    when it was made, if that is known; `about` are ids and facts, and what Kubernetes complains about."""

    kind: str
    name: str
    state: str
    well: bool
    since: datetime | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chain:
    """The links of one server, each held by the one before."""

    server: str
    links: Sequence[Link]


def chain_of(seen: Snapshot) -> Chain:
    """The chain as it is in a snapshot; a link that is not there says so."""
    links = [
        _deployment(seen),
        _pod(seen),
        _claim(seen),
        _pv(seen),
        *_attachments(seen),
        _volume(seen),
        _instance(seen),
    ]
    return Chain(seen.server.label, links)


def _link(kind: str, thing: Thing | None, state: str, well: bool, *about: str) -> Link:
    if thing is None:
        return Link(kind, "", MISSING, well=False)
    if at(thing, "metadata", "deletionTimestamp"):
        state, well = f"{state}, on its way out", False
    made = moment(at(thing, "metadata", "creationTimestamp"))
    return Link(kind, name_of(thing) or "", state, well, made, tuple(fact for fact in about if fact))


def _deployment(seen: Snapshot) -> Link:
    wanted, there = at(seen.deployment, "spec", "replicas"), at(seen.deployment, "status", "availableReplicas") or 0
    return _link(
        "Deployment", seen.deployment, f"{there}/{wanted} available", there == wanted,
        last_warning(seen, seen.deployment).strip(),
    )  # fmt: skip


def _pod(seen: Snapshot) -> Link:
    ready = condition(seen.pod, "Ready")
    node = at(seen.pod, "spec", "nodeName")
    state = f"{at(seen.pod, 'status', 'phase')}, {'ready' if ready else 'not ready'}"
    # A running server has got over whatever it was warned about.
    return _link(
        "Pod", seen.pod, state, ready, f"on {node}" if node else "on no node",
        "" if ready else last_warning(seen, seen.pod).strip(),
    )  # fmt: skip


def _claim(seen: Snapshot) -> Link:
    phase = at(seen.claim, "status", "phase")
    size = at(seen.claim, "status", "capacity", "storage") or at(seen.claim, "spec", "resources", "requests", "storage")
    return _link(
        "PersistentVolumeClaim", seen.claim, str(phase), phase == "Bound",
        f"{size}, class {at(seen.claim, 'spec', 'storageClassName')}",
        "" if phase == "Bound" else last_warning(seen, seen.claim).strip(),
    )  # fmt: skip


def _pv(seen: Snapshot) -> Link:
    phase = at(seen.pv, "status", "phase")
    return _link(
        "PersistentVolume", seen.pv, str(phase), phase == "Bound",
        f"{at(seen.pv, 'spec', 'persistentVolumeReclaimPolicy')}, handle {at(seen.pv, 'spec', 'csi', 'volumeHandle')}",
    )  # fmt: skip


def _attachments(seen: Snapshot) -> list[Link]:
    """One, as a rule; two while a volume moves to another node."""
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
    about = (f"{instance['InstanceType']}, {instance['Placement']['AvailabilityZone']}", f"is {name_of(seen.node)}")
    return Link(
        "EC2 instance", instance["InstanceId"], state, state == "running", moment(instance.get("LaunchTime")), about
    )
