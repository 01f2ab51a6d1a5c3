"""The keys that teach: each types one kubectl command, which a learner could type as well."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.settings.conventions import EXPORTS
from lab.reading.objects import at, name_of
from lab.reading.snapshot import Snapshot

LINES = f"{EXPORTS}/lines"
WRITE = f'echo "$(date +%T) $(hostname)" >> {LINES}'
READ = f"tail -n 5 {LINES}"


@dataclass(frozen=True)
class Action:
    """What a key does. `words` are kubectl's, `expect` is what to look at, `asks` is set where something ends."""

    title: str
    words: tuple[str, ...]
    expect: str
    asks: bool = False

    @property
    def command(self) -> str:
        """What to type in a shell."""
        return shlex.join(("kubectl", *self.words))


class NotNow(Exception):
    """Says why a key can do nothing at this moment."""


@dataclass(frozen=True)
class Key:
    """A key, its name at the foot of the screen, and its action for a server."""

    key: str
    label: str
    action: Callable[[Snapshot], Action]


def delete_pod(seen: Snapshot) -> Action:
    """Return the deletion of the server's Pod. Raises NotNow."""
    if seen.pod is None:
        raise NotNow(f"{seen.server.label} has no Pod to delete.")
    return Action(
        "Delete the Pod?",
        ("delete", "pod", str(name_of(seen.pod)), *_in(seen)),
        "The Deployment creates another Pod. Its claim, the PersistentVolume and the EBS volume stay.",
        asks=True,
    )


def crash(seen: Snapshot) -> Action:
    """Return the end of the container's first process. Raises NotNow."""
    return Action(
        "Crash the container?",
        _exec(seen, "sh", "-c", "kill 1"),
        "The same Pod starts its container again. The container's own files are lost, the volume's stay.",
        asks=True,
    )


def write(seen: Snapshot) -> Action:
    """Return the writing of one line on the share. Raises NotNow."""
    return Action(
        "Write a line",
        _exec(seen, "sh", "-c", WRITE),
        f"The line has the time and the Pod's name. {EXPORTS} is on the volume: the next Pod finds the line.",
    )


def read(seen: Snapshot) -> Action:
    """Return the reading of the last lines. Raises NotNow."""
    return Action(
        "Read the lines",
        _exec(seen, *READ.split()),
        "Lines of Pods that are gone show that the bytes outlive them.",
    )


def scale(seen: Snapshot) -> Action:
    """Return the scaling to zero, or back to one where it is zero. Raises NotNow."""
    if seen.deployment is None:
        raise NotNow(f"The Deployment {seen.server.label} does not exist: run pulumi up.")
    down = at(seen.deployment, "spec", "replicas") != 0
    words = ("scale", f"deployment/{seen.server.name}", f"--replicas={0 if down else 1}", *_in(seen))
    if down:
        return Action(
            "Scale to zero?",
            words,
            "Nobody serves until it is scaled back. The volume is detached from its node, and stays.",
            asks=True,
        )
    return Action("Scale back to one", words, "A new Pod is created, and the volume is attached to its node.")


KEYS: Mapping[str, Key] = {
    "delete": Key("d", "Delete Pod", delete_pod),
    "crash": Key("k", "Crash", crash),
    "write": Key("w", "Write", write),
    "read": Key("r", "Read", read),
    "scale": Key("z", "Scale 0/1", scale),
}


def _exec(seen: Snapshot, *inside: str) -> tuple[str, ...]:
    if seen.pod is None:
        raise NotNow(f"{seen.server.label} has no Pod in which a command could run.")
    return ("exec", f"deployment/{seen.server.name}", *_in(seen), "--", *inside)


def _in(seen: Snapshot) -> tuple[str, ...]:
    return tuple(seen.in_namespace.split())
