"""Sentences about nodes, Services, and the warnings of Kubernetes."""

from collections.abc import Iterator, Mapping

from lab.reading.objects import Thing, at, condition
from lab.reading.world import Turn, World
from lab.sentences.common import Bad, called
from lab.words import joined, say


def node(turn: Turn, _world: World) -> Iterator[str]:
    before, after = turn
    who = called(turn.thing)
    if before is None:
        yield say("{who} is created.", who=who)
    elif after is None:
        yield say("{who} is deleted.", who=who)
    elif condition(after, "Ready") and not condition(before, "Ready"):
        yield say("{who} is ready.", who=who)
    elif condition(before, "Ready") and not condition(after, "Ready"):
        yield Bad(say("{who} is no longer ready.", who=who))


def endpoint_slice(turn: Turn, _world: World) -> Iterator[str]:
    """Say where a Service leads, when that has changed."""
    before, after = (_ready_targets(one) for one in turn)
    owner = next(iter(at(turn.thing, "metadata", "ownerReferences") or ()), None)
    if before == after or owner is None or owner["kind"] != "Service":
        return
    service = {"kind": "Service", "metadata": {**turn.thing["metadata"], "name": owner["name"]}}
    if after:
        yield say("{who} leads to {pods}.", who=called(service), pods=joined(after))
    else:
        yield say("{who} leads to no Pod.", who=called(service))


def _ready_targets(one: Thing | None) -> list[str]:
    return sorted(
        f"{at(endpoint, 'targetRef', 'kind')} {at(endpoint, 'targetRef', 'name')}"
        for endpoint in at(one, "endpoints") or ()
        if at(endpoint, "conditions", "ready") is not False
    )


def event(turn: Turn, _world: World) -> Iterator[str]:
    """Repeat the warnings of Kubernetes, each once; the other events say what the objects say too."""
    after = turn.after
    if after is None or turn.before is not None or after.get("type") != "Warning":
        return
    about: Mapping[str, str] = after.get("involvedObject") or {}
    who = called({"kind": about.get("kind"), "metadata": about})
    message = " ".join(str(after.get("message") or "").split())
    whole = "Kubernetes warns about {who}: {reason}: {message}"
    yield Bad(say(whole, who=who, reason=after.get("reason"), message=message))
