"""Sentences about Deployments, their Pods and the containers in them."""

from collections.abc import Iterator

from components.access.lookups import claims_used_by
from lab.reading.objects import Thing, at, condition
from lab.reading.things import makers_of
from lab.reading.world import Turn, World
from lab.sentences.common import Bad, called, leaving
from lab.words import joined, say

# What a container waits for on its ordinary way.
ON_THE_WAY = ("ContainerCreating", "PodInitializing")


def deployment(turn: Turn, _world: World) -> Iterator[str]:
    who = called(turn.thing)
    if turn.before is None:
        yield say("{who} is created.", who=who)
        return
    if turn.after is None:
        yield say("{who} is deleted.", who=who)
        return
    before, after = at(turn.before, "spec", "replicas"), at(turn.after, "spec", "replicas")
    if before != after:
        yield say("{who} is scaled from {before} to {after}.", who=who, before=before, after=after)
    elif at(turn.before, "spec", "template") != at(turn.after, "spec", "template"):
        yield say("{who} has a new template, so its Pods are replaced.", who=who)


def pod(turn: Turn, world: World) -> Iterator[str]:
    before, after = turn
    who = called(turn.thing)
    if after is None:
        yield say("{who} is gone{stays}.", who=who, stays=_what_stays(turn.thing, world))
        return
    if before is None:
        makers = makers_of(after)
        if makers:
            yield say("{who} is created for Deployment {maker}.", who=who, maker=makers[0])
        else:
            yield say("{who} is created.", who=who)
    if leaving(after) and not leaving(before):
        yield say("{who} is being deleted.", who=who)
    node = at(after, "spec", "nodeName")
    if node and not at(before, "spec", "nodeName"):
        yield say("{who} is to run on {node}.", who=who, node=node)
    yield from _containers(before, after)
    if condition(after, "Ready") and not condition(before, "Ready"):
        yield say("{who} is ready on {node}{volumes}.", who=who, node=node, volumes=_with_volumes(after, world))
    elif condition(before, "Ready") and not condition(after, "Ready") and not leaving(after):
        yield say("{who} is no longer ready.", who=who)


def _containers(before: Thing | None, after: Thing) -> Iterator[str]:
    """Say which containers ended, started again, or cannot start, and why."""
    was = {one["name"]: one for one in at(before, "status", "containerStatuses") or ()}
    for one in at(after, "status", "containerStatuses") or ():
        old = was.get(one["name"])
        who = say("The container {name} of {pod}", name=one["name"], pod=called(after))
        ended = at(one, "state", "terminated") or at(one, "lastState", "terminated")
        known = (at(old, "state", "terminated"), at(old, "lastState", "terminated"))
        if ended and old and ended.get("finishedAt") not in [at(one, "finishedAt") for one in known]:
            yield say(
                "{who} ended with exit code {code}; the Pod, its node and its volumes stay.",
                who=who, code=ended.get("exitCode"),
            )  # fmt: skip
        if old and one.get("restartCount", 0) > old.get("restartCount", 0):
            yield say("{who} is started again (restart {count}).", who=who, count=one["restartCount"])
        reason = at(one, "state", "waiting", "reason")
        if reason and reason != at(old, "state", "waiting", "reason") and reason not in ON_THE_WAY:
            yield Bad(say("{who} waits: {reason}.", who=who, reason=reason))


def _what_stays(pod: Thing, world: World) -> str:
    """Return the end of the sentence about a Pod that is gone: its volumes, and where they are."""
    parts: list[str] = []
    for name in claims_used_by(pod):
        claim = world.get("PersistentVolumeClaim", name, at(pod, "metadata", "namespace"))
        volume = world.volume_of(claim)
        nodes = world.attached_to(at(claim, "spec", "volumeName")) if volume else []
        if nodes:
            parts.append(
                say("; the volume {volume} stays, still attached to {nodes}", volume=volume, nodes=joined(nodes))
            )
        elif volume:
            parts.append(say("; the volume {volume} stays, attached to no node", volume=volume))
        elif claim is None:
            parts.append(say(", and so is its claim {name}", name=name))
    return "".join(parts)


def _with_volumes(pod: Thing, world: World) -> str:
    volumes = {one["name"]: at(one, "persistentVolumeClaim", "claimName") for one in at(pod, "spec", "volumes") or ()}
    parts: list[str] = []
    for container in at(pod, "spec", "containers") or ():
        for mount in container.get("volumeMounts") or ():
            claim = world.get("PersistentVolumeClaim", volumes.get(mount["name"]), at(pod, "metadata", "namespace"))
            if volume := world.volume_of(claim):
                parts.append(say("{volume} at {path}", volume=volume, path=mount["mountPath"]))
    return say(", with the volume {volumes}", volumes=joined(parts)) if parts else ""
