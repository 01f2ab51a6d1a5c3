"""Sentences about snapshots of claims."""

from collections.abc import Iterator

from lab.reading.objects import at
from lab.reading.world import Turn, World
from lab.sentences.common import Bad, called, leaving
from lab.words import say


def snapshot(turn: Turn, world: World) -> Iterator[str]:
    before, after = turn
    who = called(turn.thing)
    if after is None:
        yield say("{who} is gone.", who=who)
        return
    claim = at(after, "spec", "source", "persistentVolumeClaimName")
    if before is None and claim:
        yield say("{who} is created: it asks for a copy of the claim {claim}.", who=who, claim=claim)
    elif before is None:
        yield say("{who} is created.", who=who)
    if leaving(after) and not leaving(before):
        yield say("{who} is being deleted.", who=who)
    if at(after, "status", "readyToUse") is True and at(before, "status", "readyToUse") is not True:
        content = world.get("VolumeSnapshotContent", at(after, "status", "boundVolumeSnapshotContentName"))
        handle, size = at(content, "status", "snapshotHandle"), at(after, "status", "restoreSize")
        if handle:
            yield say("{who} is ready: {handle} in EC2 holds {size}.", who=who, handle=handle, size=size)
        else:
            yield say("{who} is ready.", who=who)
    message = at(after, "status", "error", "message")
    if message and message != at(before, "status", "error", "message"):
        yield Bad(say("{who} fails: {why}", who=who, why=message))


def content(turn: Turn, _world: World) -> Iterator[str]:
    """Say when EC2 has begun with a snapshot, and when the snapshot is deleted or stays behind."""
    before, after = turn
    who, handle = called(turn.thing), at(turn.thing, "status", "snapshotHandle")
    deletes = at(turn.thing, "spec", "deletionPolicy") == "Delete"
    if after is None and handle and deletes:
        yield say("{who} is gone, and with it {handle} in EC2.", who=who, handle=handle)
    elif after is None and handle:
        yield say("{who} is gone; {handle} stays in EC2, because of the policy Retain.", who=who, handle=handle)
    elif handle and handle != at(before, "status", "snapshotHandle"):
        volume = at(after, "spec", "source", "volumeHandle")
        if volume:
            yield say("EC2 takes the snapshot {handle} of {volume}.", handle=handle, volume=volume)
