"""The keys that teach: each types one kubectl command, which a learner could type as well."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.settings.conventions import EXPORTS
from lab.reading.objects import at, name_of
from lab.reading.snapshot import Snapshot, snapshot_class
from lab.words import say

LINES = f"{EXPORTS}/lines"
WRITE = f'echo "$(date +%T) $(hostname)" >> {LINES}'
READ = f"tail -n 5 {LINES}"
# `create`, because the API server completes the name: a learner takes more than one.
MANIFEST = """\
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {{generateName: {claim}-, namespace: {namespace}}}
spec:
  volumeSnapshotClassName: {class_}
  source: {{persistentVolumeClaimName: {claim}}}
"""


@dataclass(frozen=True)
class Action:
    """What a key does. `words` are kubectl's, `given` its standard input, `expect` is what to look at, and `asks` is
    set where something ends."""

    title: str
    words: tuple[str, ...]
    expect: str
    asks: bool = False
    given: str = ""

    @property
    def command(self) -> str:
        """What to type in a shell."""
        typed = shlex.join(("kubectl", *self.words))
        return f"{typed} <<'EOF'\n{self.given}EOF" if self.given else typed


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
        raise NotNow(say("{server} has no Pod to delete.", server=seen.server.label))
    return Action(
        say("Delete the Pod?"),
        ("delete", "pod", str(name_of(seen.pod)), *_in(seen)),
        say("The Deployment creates another Pod. Its claim, the PersistentVolume and the EBS volume stay."),
        asks=True,
    )


def crash(seen: Snapshot) -> Action:
    """Return the end of the container's first process. Raises NotNow."""
    return Action(
        say("Crash the container?"),
        _exec(seen, "sh", "-c", "kill 1"),
        say("The same Pod starts its container again. The container's own files are lost, the volume's stay."),
        asks=True,
    )


def write(seen: Snapshot) -> Action:
    """Return the writing of one line on the share. Raises NotNow."""
    return Action(
        say("Write a line"),
        _exec(seen, "sh", "-c", WRITE),
        say(
            "The line has the time and the Pod's name. The next Pod finds it in {file}, on the volume.",
            file=LINES,
        ),
    )


def read(seen: Snapshot) -> Action:
    """Return the reading of the last lines. Raises NotNow."""
    return Action(
        say("Read the lines"),
        _exec(seen, *READ.split()),
        say("Lines of Pods that are gone show that the bytes outlive them."),
    )


def snapshot(seen: Snapshot) -> Action:
    """Return the creation of a VolumeSnapshot of the server's claim. Raises NotNow."""
    class_ = snapshot_class(seen.snapshot_classes)
    if class_ is None:
        raise NotNow(say("The cluster has no VolumeSnapshotClass for EBS volumes."))
    if seen.claim is None:
        raise NotNow(say("{server} has no claim to copy.", server=seen.server.label))
    server = seen.server
    return Action(
        say("Take a snapshot"),
        ("create", "-f", "-"),
        say("EC2 copies the volume. The copy stays when the claim is deleted, and another claim can begin with it."),
        given=MANIFEST.format(claim=server.claim_name, namespace=server.namespace, class_=class_),
    )


def scale(seen: Snapshot) -> Action:
    """Return the scaling to zero, or back to one where it is zero. Raises NotNow."""
    if seen.deployment is None:
        raise NotNow(say("The Deployment {server} does not exist: run pulumi up.", server=seen.server.label))
    down = at(seen.deployment, "spec", "replicas") != 0
    words = ("scale", f"deployment/{seen.server.name}", f"--replicas={0 if down else 1}", *_in(seen))
    if down:
        return Action(
            say("Scale to zero?"),
            words,
            say("Nobody serves until it is scaled back. The volume is detached from its node, and stays."),
            asks=True,
        )
    return Action(say("Scale back to one"), words, say("A new Pod is created, and the volume is attached to its node."))


KEYS: Mapping[str, Key] = {
    "delete": Key("d", "Delete Pod", delete_pod),
    "crash": Key("k", "Crash", crash),
    "write": Key("w", "Write", write),
    "read": Key("r", "Read", read),
    "snapshot": Key("s", "Snapshot", snapshot),
    "scale": Key("z", "Scale 0/1", scale),
}


def _exec(seen: Snapshot, *inside: str) -> tuple[str, ...]:
    if seen.pod is None:
        raise NotNow(say("{server} has no Pod in which a command could run.", server=seen.server.label))
    return ("exec", f"deployment/{seen.server.name}", *_in(seen), "--", *inside)


def _in(seen: Snapshot) -> tuple[str, ...]:
    return tuple(seen.in_namespace.split())
