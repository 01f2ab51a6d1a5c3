"""Says in plain sentences what a change means: for an object of Kubernetes, for a volume or an instance of EC2."""

from collections.abc import Callable, Iterator, Mapping

from components.access.lookups import claims_used_by
from lab.reading.objects import Thing, at, condition, name_of, tags_of
from lab.reading.things import makers_of
from lab.reading.world import Turn, World

DEFAULT_NAMESPACE = "default"


def sentences(turn: Turn, world: World) -> list[str]:
    """Return what the change means, in a world that has it already; empty where it means nothing to a learner."""
    said = _SAYERS.get(turn.thing["kind"])
    return list(said(turn, world)) if said else []


def called(thing: Thing) -> str:
    """Return kind and name, with the namespace if that is not the default one."""
    namespace = at(thing, "metadata", "namespace")
    place = f"{namespace}/" if namespace and namespace != DEFAULT_NAMESPACE else ""
    return f"{thing['kind']} {place}{name_of(thing)}"


def _deployment(turn: Turn, _world: World) -> Iterator[str]:
    who = called(turn.thing)
    if turn.before is None or turn.after is None:
        yield f"{who} is {'created' if turn.after else 'deleted'}."
        return
    before, after = at(turn.before, "spec", "replicas"), at(turn.after, "spec", "replicas")
    if before != after:
        yield f"{who} is scaled from {before} to {after}."
    elif at(turn.before, "spec", "template") != at(turn.after, "spec", "template"):
        yield f"{who} has a new template, so its Pods are replaced."


def _pod(turn: Turn, world: World) -> Iterator[str]:
    before, after = turn
    who = called(turn.thing)
    if after is None:
        yield f"{who} is gone{_what_stays(turn.thing, world)}."
        return
    if before is None:
        yield f"{who} is created{_for(after)}."
    if _leaving(after) and not _leaving(before):
        yield f"{who} is being deleted."
    node = at(after, "spec", "nodeName")
    if node and not at(before, "spec", "nodeName"):
        yield f"{who} is to run on {node}."
    yield from _containers(before, after)
    if condition(after, "Ready") and not condition(before, "Ready"):
        yield f"{who} is ready on {node}{_with_volumes(after, world)}."
    elif condition(before, "Ready") and not condition(after, "Ready") and not _leaving(after):
        yield f"{who} is no longer ready."


def _for(pod: Thing) -> str:
    makers = makers_of(pod)
    return f" for Deployment {makers[0]}" if makers else ""


def _leaving(thing: Thing | None) -> bool:
    return bool(at(thing, "metadata", "deletionTimestamp"))


def _containers(before: Thing | None, after: Thing) -> Iterator[str]:
    """Say which containers ended, started again, or cannot start, and why."""
    was = {one["name"]: one for one in at(before, "status", "containerStatuses") or ()}
    for one in at(after, "status", "containerStatuses") or ():
        old = was.get(one["name"])
        who = f"The container {one['name']} of {called(after)}"
        ended = at(one, "state", "terminated") or at(one, "lastState", "terminated")
        known = (at(old, "state", "terminated"), at(old, "lastState", "terminated"))
        if ended and old and ended.get("finishedAt") not in [at(one, "finishedAt") for one in known]:
            yield f"{who} ended with exit code {ended.get('exitCode')}; the Pod, its node and its volumes stay."
        if old and one.get("restartCount", 0) > old.get("restartCount", 0):
            yield f"{who} is started again (restart {one['restartCount']})."
        reason = at(one, "state", "waiting", "reason")
        if reason and reason != at(old, "state", "waiting", "reason") and reason not in _ON_THE_WAY:
            yield f"{who} waits: {reason}."


_ON_THE_WAY = ("ContainerCreating", "PodInitializing")


def _what_stays(pod: Thing, world: World) -> str:
    """Return the end of the sentence about a Pod that is gone: its volumes, and where they are."""
    parts: list[str] = []
    for name in claims_used_by(pod):
        claim = world.get("PersistentVolumeClaim", name, at(pod, "metadata", "namespace"))
        volume = world.volume_of(claim)
        if volume:
            nodes = world.attached_to(at(claim, "spec", "volumeName"))
            place = f"still attached to {' and '.join(nodes)}" if nodes else "attached to no node"
            parts.append(f"; the volume {volume} stays, {place}")
        elif claim is None:
            parts.append(f", and so is its claim {name}")
    return "".join(parts)


def _with_volumes(pod: Thing, world: World) -> str:
    volumes = {one["name"]: at(one, "persistentVolumeClaim", "claimName") for one in at(pod, "spec", "volumes") or ()}
    parts: list[str] = []
    for container in at(pod, "spec", "containers") or ():
        for mount in container.get("volumeMounts") or ():
            claim = world.get("PersistentVolumeClaim", volumes.get(mount["name"]), at(pod, "metadata", "namespace"))
            if volume := world.volume_of(claim):
                parts.append(f"{volume} at {mount['mountPath']}")
    return f", with the volume {' and '.join(parts)}" if parts else ""


def _claim(turn: Turn, world: World) -> Iterator[str]:
    before, after = turn
    who = called(turn.thing)
    if after is None:
        yield f"{who} is gone."
        return
    if before is None:
        size = at(after, "spec", "resources", "requests", "storage")
        yield f"{who} is created: it asks for {size} of the class {at(after, 'spec', 'storageClassName')}."
    if _leaving(after) and not _leaving(before):
        users = world.things.pods_on(after["metadata"]["namespace"], str(name_of(after)))
        waits = f"; it waits for {' and '.join(called(pod) for pod in users)}, which uses it" if users else ""
        yield f"{who} is being deleted{waits}."
    phase = at(after, "status", "phase")
    if phase == "Bound" != at(before, "status", "phase"):
        yield f"{who} is bound to {at(after, 'spec', 'volumeName')}."
    elif before and phase == "Lost":
        yield f"{who} is Lost: its PersistentVolume is gone."
    was, now = at(before, "status", "capacity", "storage"), at(after, "status", "capacity", "storage")
    if was and now and was != now:
        yield f"{who} has grown from {was} to {now}."


def _pv(turn: Turn, _world: World) -> Iterator[str]:
    before, after = turn
    who, handle = called(turn.thing), at(turn.thing, "spec", "csi", "volumeHandle")
    policy = at(turn.thing, "spec", "persistentVolumeReclaimPolicy")
    if after is None:
        yield f"{who} is gone{f', and the driver deletes {handle}' if handle and policy == 'Delete' else ''}."
    elif before is None:
        yield f"{who} is created{f' for the volume {handle}' if handle else ''}."
    elif (phase := at(after, "status", "phase")) != at(before, "status", "phase") and phase in ("Released", "Failed"):
        stays = "its volume is deleted next" if policy == "Delete" else "its volume stays, because of the policy Retain"
        yield f"{who} is {phase}: its claim is gone, and {stays}."


def _attachment(turn: Turn, world: World) -> Iterator[str]:
    before, after = turn
    pv = at(turn.thing, "spec", "source", "persistentVolumeName")
    volume = at(world.get("PersistentVolume", pv), "spec", "csi", "volumeHandle") or pv
    node = at(turn.thing, "spec", "nodeName")
    if after is None:
        yield f"{volume} is detached from {node}."
        return
    if before is None:
        yield f"{volume} is to be attached to {node}."
    if at(after, "status", "attached") is True and at(before, "status", "attached") is not True:
        yield f"{volume} is attached to {node}."
    if _leaving(after) and not _leaving(before):
        yield f"{volume} is to be detached from {node}."
    for failed, verb in (("attachError", "attaching it to"), ("detachError", "detaching it from")):
        message = at(after, "status", failed, "message")
        if message and message != at(before, "status", failed, "message"):
            yield f"{volume}: {verb} {node} fails: {message}"


def _node(turn: Turn, _world: World) -> Iterator[str]:
    before, after = turn
    who = called(turn.thing)
    if before is None or after is None:
        yield f"{who} is {'created' if after else 'deleted'}."
        return
    if condition(before, "Ready") != condition(after, "Ready"):
        yield f"{who} is {'ready' if condition(after, 'Ready') else 'no longer ready'}."
    cordoned = bool(at(after, "spec", "unschedulable"))
    if cordoned != bool(at(before, "spec", "unschedulable")):
        yield f"{who} accepts {'no new Pods' if cordoned else 'Pods again'}."


def _slice(turn: Turn, world: World) -> Iterator[str]:
    """Say where a Service leads, when that has changed."""
    before, after = (_ready_targets(one) for one in turn)
    owner = next(iter(at(turn.thing, "metadata", "ownerReferences") or ()), None)
    if before == after or owner is None or owner["kind"] != "Service":
        return
    service = {"kind": "Service", "metadata": {**turn.thing["metadata"], "name": owner["name"]}}
    yield f"{called(service)} leads to {' and '.join(after) or 'no Pod'}."


def _ready_targets(one: Thing | None) -> list[str]:
    return sorted(
        f"{at(endpoint, 'targetRef', 'kind')} {at(endpoint, 'targetRef', 'name')}"
        for endpoint in at(one, "endpoints") or ()
        if at(endpoint, "conditions", "ready") is not False
    )


def _event(turn: Turn, _world: World) -> Iterator[str]:
    """Repeat the warnings of Kubernetes, each once; the other events say what the objects say too."""
    after = turn.after
    if after is None or turn.before is not None or after.get("type") != "Warning":
        return
    about: Mapping[str, str] = after.get("involvedObject") or {}
    yield f"Kubernetes warns about {about.get('kind')} {about.get('name')}: {after.get('reason')}: {_one_line(after)}"


def _one_line(event: Thing) -> str:
    return " ".join(str(event.get("message") or "").split())


_SAYERS: Mapping[str, Callable[[Turn, World], Iterator[str]]] = {
    "Deployment": _deployment,
    "Pod": _pod,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _pv,
    "VolumeAttachment": _attachment,
    "Node": _node,
    "EndpointSlice": _slice,
    "Event": _event,
}


def about_volume(id_: str, before: Thing | None, after: Thing | None, world: World) -> str:
    """Return what EC2 says about a volume now; empty if it said so before."""
    if _volume_state(after, world) == _volume_state(before, world):
        return ""
    return f"EC2: {id_} {_volume_state(after, world)}."


def _volume_state(volume: Thing | None, world: World) -> str:
    if volume is None:
        return "does not exist"
    at_instances = [
        f"{one['State']} to {one['InstanceId']} ({world.node_of(one['InstanceId'])})"
        for one in volume.get("Attachments") or ()
    ]
    grown = f", {volume['Size']} GiB" if "Size" in volume else ""
    return f"is {volume['State']}{grown}, {' and '.join(at_instances) or 'attached to nothing'}"


def about_instance(id_: str, before: Thing | None, after: Thing | None) -> str:
    """Return what EC2 says about an instance now; empty if it said so before."""
    was, now = at(before, "State", "Name"), at(after, "State", "Name")
    if was == now:
        return ""
    name = tags_of(after or before).get("Name")
    return f"EC2: the instance {id_}{f' ({name})' if name else ''} {f'is {now}' if now else 'does not exist'}."
