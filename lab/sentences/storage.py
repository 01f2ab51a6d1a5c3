"""Sentences about claims, PersistentVolumes, their attachments, and the volumes and instances in EC2."""

from collections.abc import Iterator

from lab.reading.objects import Thing, at, name_of, tags_of
from lab.reading.world import Turn, World
from lab.sentences.common import Bad, called, leaving
from lab.words import joined, say


def claim(turn: Turn, world: World) -> Iterator[str]:
    before, after = turn
    who = called(turn.thing)
    if after is None:
        yield say("{who} is gone.", who=who)
        return
    if before is None:
        size, class_ = at(after, "spec", "resources", "requests", "storage"), at(after, "spec", "storageClassName")
        source = at(after, "spec", "dataSource")
        if source:
            whole = "{who} is created: it asks for {size} of the class {class_}, with the data of {source}."
            yield say(whole, who=who, size=size, class_=class_, source=f"{source.get('kind')} {source.get('name')}")
        elif not class_:
            yield say("{who} is created: it asks for {size}, without a class.", who=who, size=size)
        else:
            yield say("{who} is created: it asks for {size} of the class {class_}.", who=who, size=size, class_=class_)
    if leaving(after) and not leaving(before):
        users = world.things.pods_on(after["metadata"]["namespace"], str(name_of(after)))
        if users:
            pods = joined(called(pod) for pod in users)
            yield say("{who} is being deleted; it waits for {pods}, which uses it.", who=who, pods=pods)
        else:
            yield say("{who} is being deleted.", who=who)
    phase = at(after, "status", "phase")
    if phase == "Bound" != at(before, "status", "phase"):
        yield say("{who} is bound to {pv}.", who=who, pv=at(after, "spec", "volumeName"))
    elif before and phase == "Lost" != at(before, "status", "phase"):
        yield Bad(say("{who} is Lost: its PersistentVolume is gone.", who=who))
    was, now = at(before, "status", "capacity", "storage"), at(after, "status", "capacity", "storage")
    if was and now and was != now:
        yield say("{who} has grown from {before} to {after}.", who=who, before=was, after=now)


def pv(turn: Turn, _world: World) -> Iterator[str]:
    before, after = turn
    who, handle = called(turn.thing), at(turn.thing, "spec", "csi", "volumeHandle")
    deletes = at(turn.thing, "spec", "persistentVolumeReclaimPolicy") == "Delete"
    if after is None and handle and deletes:
        yield say("{who} is gone, and the driver deletes {volume}.", who=who, volume=handle)
    elif after is None:
        yield say("{who} is gone.", who=who)
    elif before is None and handle:
        yield say("{who} is created for the volume {volume}.", who=who, volume=handle)
    elif before is None:
        yield say("{who} is created.", who=who)
    elif (phase := at(after, "status", "phase")) != at(before, "status", "phase") and phase in ("Released", "Failed"):
        if deletes:
            yield say("{who} is {phase}: its claim is gone, and its volume is deleted next.", who=who, phase=phase)
        else:
            whole = "{who} is {phase}: its claim is gone, and its volume stays, because of the policy Retain."
            yield say(whole, who=who, phase=phase)


def attachment(turn: Turn, world: World) -> Iterator[str]:
    before, after = turn
    source = at(turn.thing, "spec", "source", "persistentVolumeName")
    volume = at(world.get("PersistentVolume", source), "spec", "csi", "volumeHandle") or source
    node = at(turn.thing, "spec", "nodeName")
    if after is None:
        yield say("{volume} is detached from {node}.", volume=volume, node=node)
        return
    if before is None:
        yield say("{volume} is to be attached to {node}.", volume=volume, node=node)
    if at(after, "status", "attached") is True and at(before, "status", "attached") is not True:
        yield say("{volume} is attached to {node}.", volume=volume, node=node)
    if leaving(after) and not leaving(before):
        yield say("{volume} is to be detached from {node}.", volume=volume, node=node)
    for failed, whole in (
        ("attachError", "{volume}: attaching it to {node} fails: {why}"),
        ("detachError", "{volume}: detaching it from {node} fails: {why}"),
    ):
        message = at(after, "status", failed, "message")
        if message and message != at(before, "status", failed, "message"):
            yield Bad(say(whole, volume=volume, node=node, why=message))


def about_volume(id_: str, before: Thing | None, after: Thing | None, world: World) -> str:
    """Return what EC2 says about a volume now; empty if it said so before."""
    now = _volume_state(after, world)
    if now == _volume_state(before, world):
        return ""
    if after is None:
        return say("EC2: {volume} does not exist.", volume=id_)
    state, size, places = now
    if places:
        whole = "EC2: {volume} is {state}, {size} GiB, {places}."
        return say(whole, volume=id_, state=state, size=size, places=joined(places))
    return say("EC2: {volume} is {state}, {size} GiB, attached to nothing.", volume=id_, state=state, size=size)


def _volume_state(volume: Thing | None, world: World) -> tuple[object, object, tuple[str, ...]]:
    """Return state, size and where it is attached."""
    places: list[str] = []
    for one in at(volume, "Attachments") or ():
        node = world.node_of(one["InstanceId"])
        places.append(say("{state} to {instance} ({node})", state=one["State"], instance=one["InstanceId"], node=node))
    return at(volume, "State"), at(volume, "Size"), tuple(places)


def about_instance(id_: str, before: Thing | None, after: Thing | None) -> str:
    """Return what EC2 says about an instance now; empty if it said so before."""
    was, now = at(before, "State", "Name"), at(after, "State", "Name")
    if was == now:
        return ""
    name = tags_of(after or before).get("Name")
    who = f"{id_} ({name})" if name else id_
    if now is None:
        return say("EC2: the instance {who} does not exist.", who=who)
    return say("EC2: the instance {who} is {state}.", who=who, state=now)
