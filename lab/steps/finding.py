"""What a step of the exercise is, and what looking at it found."""

from collections.abc import Callable
from dataclasses import dataclass

from lab.reading.objects import at, name_of
from lab.reading.snapshot import Snapshot, instance_id_of


@dataclass(frozen=True)
class Finding:
    """`ok` is None where the step could not be tried, which `found` explains. `hint` says what to look at after a
    failure, and is empty otherwise."""

    ok: bool | None
    found: str
    hint: str = ""


def judged(found: str, *checks: tuple[bool, str]) -> Finding:
    """Passes if every check does; otherwise the hints of those that do not."""
    hints = [hint for passes, hint in checks if not passes]
    return Finding(not hints, found, "; ".join(hints))


def missing(what: str, hint: str) -> Finding:
    return Finding(False, what, hint)


@dataclass(frozen=True)
class Step:
    """`key` names it for machines, `says` is the sentence that has to be true, `typed` the command with which a learner
    sees it, with the names of `command` in braces; `look` judges a snapshot and does nothing else."""

    key: str
    says: str
    typed: str
    look: Callable[[Snapshot], Finding]

    def command(self, seen: Snapshot) -> str:
        """What to type for this server. A name that is not known yet stays in angle brackets."""
        server = seen.server
        return self.typed.format(
            stack=seen.stack,
            n=seen.n,
            server=server.name,
            claim=server.claim_name,
            pod=name_of(seen.pod) or "<pod>",
            pv=name_of(seen.pv) or "<pv>",
            storage_class=at(seen.claim, "spec", "storageClassName") or "<class>",
            node=name_of(seen.node) or "<node>",
            volume=at(seen.pv, "spec", "csi", "volumeHandle") or seen.outputs.get("volumeId") or "<volume>",
            instance=instance_id_of(seen.node) or "<instance>",
        )


def last_warning(seen: Snapshot, *things: object) -> str:
    """What Kubernetes complained about last concerning these objects, as the end of a hint; empty if it did not."""
    uids = {at(thing, "metadata", "uid") for thing in things} - {None}
    warnings = [
        event for event in seen.events if event.get("type") == "Warning" and at(event, "involvedObject", "uid") in uids
    ]
    if not warnings:
        return ""
    latest = max(warnings, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    return f" (Kubernetes: {latest.get('reason')}: {latest.get('message')})"
