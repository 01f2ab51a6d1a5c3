"""Provider: the base of the dynamic providers, with an address that never moves and failures without a traceback."""

import sys
from base64 import b64decode
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from pulumi.dynamic import ConfigureRequest, CreateResult, DiffResult, ResourceProvider, UpdateResult

from .cancellation import cancelled, listen


class Failure(Exception):
    """What went wrong and what to do about it, for the person at the keyboard."""


# Pulumi prints the class in front of the sentence, with its module unless that is this one.
Failure.__module__ = "builtins"


GO_ON = "Not everything is deleted: run the command again, and it goes on from here."


@contextmanager
def without_traceback() -> Generator[None]:
    """Remove the traceback from a Failure that leaves the block.

    Pulumi's host of dynamic providers prints the traceback of whatever a provider raises, and a user would have to look
    for the sentence below it. The host formats the exception right after this block; other exceptions keep theirs.
    """
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit
    try:
        yield
    except Failure as failure:
        sys.tracebacklimit = 0
        raise failure from None  # nor the exception that it was made from


@contextmanager
def deleting() -> Generator[None]:
    """Do as `without_traceback` does, and raise Failure at the end of a delete during which Pulumi was told to stop.

    What is deleted then stays in the state. So a destroy that was interrupted cannot end as a success, and the next one
    deletes it again, which does no harm.
    """
    with without_traceback():
        yield
        if cancelled.is_set():
            raise Failure(f"this delete was the last before the interruption. {GO_ON}")


# The module that a state names every provider by: components/providers.py, whatever the folder is installed as.
ADDRESS = f"{__name__.removesuffix('.access.dynamic_provider')}.providers"
PROVIDER_KEY = "__provider"


class Provider(ResourceProvider):
    """A dynamic provider whose class is importable, so that the state holds its address instead of its code."""

    # Nothing secret is captured: an encrypted copy would differ at every update, and show as a change.
    serialize_as_secret_always = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__module__ = ADDRESS

    def configure(self, req: ConfigureRequest) -> None:
        """Called once in the host's process, before everything else."""
        listen()


def differs(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """Return the inputs whose values changed, and PROVIDER_KEY where the state has an address from before a move.

    The provider's text is not compared, because new code is not a reason for an update.
    """
    changed = [key for key in news if key != PROVIDER_KEY and olds.get(key) != news[key]]
    return sorted([*changed, PROVIDER_KEY] if _has_moved(olds) else changed)


def _has_moved(olds: Mapping[str, Any]) -> bool:
    return PROVIDER_KEY in olds and ADDRESS.encode() not in b64decode(olds[PROVIDER_KEY])


def inputs_of(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource's own properties, without those that Pulumi adds."""
    return {key: value for key, value in props.items() if not key.startswith("__")}


class RecordedInputs(Provider):
    """Creates nothing; records the inputs of the last `up`, which a subclass needs in `check` or `delete`."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        """Return the resource's id."""
        raise NotImplementedError

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(self.id_of(props), inputs_of(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=bool(differs(_olds, _news)))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(inputs_of(_news))
