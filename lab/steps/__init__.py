"""The steps of the exercise, and those after a destroy: each judges what was read, and changes nothing.

One step changes something: data_survives.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """What a step judges: it knows the names for the step's command."""

    @property
    def names(self) -> Mapping[str, str]: ...


Seen = TypeVar("Seen", bound=Named)


@dataclass(frozen=True)
class Finding:
    """What a step found. `ok` is None where the step could not be tried, and `found` says why. `hint` says what to
    look at after a failure, and is empty otherwise."""

    ok: bool | None
    found: str
    hint: str = ""


@dataclass(frozen=True)
class Step(Generic[Seen]):
    """`key` names it for machines. `says` is the sentence that has to be true. `typed` is the command with which a
    learner sees it, with names in braces. `look` judges."""

    key: str
    says: str
    typed: str
    look: Callable[[Seen], Finding]

    def command(self, seen: Seen) -> str:
        """Return what to type, with the names of what was seen."""
        return self.typed.format(**seen.names)


def judged(found: str, *checks: tuple[bool, str]) -> Finding:
    """Return a finding that passes if every check does; otherwise with the hints of those that fail."""
    hints = [hint for passes, hint in checks if not passes]
    return Finding(not hints, found, "; ".join(hints))


def missing(what: str, hint: str) -> Finding:
    """Return a failure: something is not as the exercise needs it."""
    return Finding(False, what, hint)
