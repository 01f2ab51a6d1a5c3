"""World: all that was told so far about a cluster and its EC2, and what each piece of news changes in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lab.reading.ec2 import Ec2Seen
from lab.reading.objects import Thing, at, name_of
from lab.reading.stack import Stack
from lab.reading.things import Key, Things, key_of

KUBERNETES, EC2 = "Kubernetes", "EC2"


@dataclass(frozen=True)
class Listed:
    """Every object that exists: the first news, and the first after the cluster was away."""

    things: Sequence[Thing]


@dataclass(frozen=True)
class Changed:
    """One object as it is now, or as it was when it was deleted."""

    thing: Thing
    deleted: bool = False


@dataclass(frozen=True)
class Ec2Told:
    """The volumes and instances of the lab, as EC2 has them."""

    seen: Ec2Seen


@dataclass(frozen=True)
class Away:
    """KUBERNETES or EC2 does not answer, and why."""

    api: str
    why: str


@dataclass(frozen=True)
class StackRead:
    """The stack's configuration or outputs are others now: somebody ran `pulumi up`."""

    stack: Stack


News = Listed | Changed | Ec2Told | Away | StackRead


class Turn(NamedTuple):
    """An object of Kubernetes before and after: None before it was created and after it was deleted."""

    before: Thing | None
    after: Thing | None

    @property
    def thing(self) -> Thing:
        """The object as it was seen last."""
        thing = self.after or self.before
        assert thing is not None
        return thing


class World:
    """Empty until the first Listed."""

    def __init__(self) -> None:
        self._objects: dict[Key, Thing] = {}
        self._things: Things | None = None
        self.ec2 = Ec2Seen()

    @property
    def things(self) -> Things:
        """All objects, with the index that a Snapshot is made from."""
        if self._things is None:
            self._things = Things(self._objects.values())
        return self._things

    def get(self, kind: str, name: str | None, namespace: str | None = None) -> Thing | None:
        """Return the object of that name."""
        return self._objects.get((kind, namespace, name))

    def take(self, news: Listed | Changed) -> list[Turn]:
        """Take the news in, and return what it changes. An object that comes as it was is not a change."""
        if isinstance(news, Changed):
            turns = [self._turn(news.thing, news.deleted)]
        else:
            gone = self._objects.keys() - {key_of(thing) for thing in news.things}
            turns = [self._turn(self._objects[key], deleted=True) for key in sorted(gone, key=str)]
            turns += [self._turn(thing, deleted=False) for thing in news.things]
        self._things = None
        return [
            turn for turn in turns if turn.before is not turn.after and _version(turn.before) != _version(turn.after)
        ]

    def _turn(self, thing: Thing, deleted: bool) -> Turn:
        key = key_of(thing)
        before = self._objects.pop(key, None)
        if deleted:
            return Turn(before or thing, None)
        self._objects[key] = thing
        return Turn(before, thing)

    def volume_of(self, claim: Thing | None) -> str:
        """Return the id of the EBS volume behind a claim; empty without one."""
        pv = self.get("PersistentVolume", at(claim, "spec", "volumeName"))
        return at(pv, "spec", "csi", "volumeHandle") or ""

    def attached_to(self, pv: str) -> list[str]:
        """Return the nodes to which Kubernetes holds a PersistentVolume attached."""
        return [
            at(one, "spec", "nodeName")
            for one in self.things.attachments_of(pv)
            if at(one, "status", "attached") is True
        ]

    def node_of(self, instance: str) -> str:
        """Return the name of the Node that runs on an instance; the id where there is none."""
        nodes = (node for node in self.things.of("Node") if _instance(node) == instance)
        return next((str(name_of(node)) for node in nodes), instance)


def _instance(node: Thing) -> str:
    return (at(node, "spec", "providerID") or "").rpartition("/")[2]


def _version(thing: Thing | None) -> Mapping[str, object] | str | None:
    """Return what differs when an object differs: its version, or all of it where a test gives it none."""
    return at(thing, "metadata", "resourceVersion") or thing
