"""What a resource type of the stand-in for pulumi-aws is, and what its types have in common.

botocore checks every argument against AWS's own models, and the emulator every reference. A type or an input that is
not known is an error: the rehearsal must not pass over what it does not play.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

Props = dict[str, Any]
Clients = Callable[[str], Any]
# Inputs that every taggable type has.
TAGGED = frozenset({"tags", "region"})


@dataclass(frozen=True)
class Kind:
    """One resource type: how it is created, read, changed and deleted.

    `create` returns the id, `read` the outputs beyond the inputs, or None if the resource does not exist any more.
    `replaces` are the inputs that AWS cannot change in place, `named` is the input that gets a generated name.
    `keeps` are the inputs, dotted where one is inside another, that are optional and computed in the provider's schema:
    left out, they keep the value that AWS has.
    """

    inputs: frozenset[str]
    create: Callable[[Clients, Props], str]
    read: Callable[[Clients, str, Props], Props | None]
    delete: Callable[[Clients, str, Props], None]
    update: Callable[[Clients, str, Props, Props], None] | None = None
    replaces: frozenset[str] = field(default=frozenset())
    named: str | None = None
    keeps: frozenset[str] = field(default=frozenset())

    def planned(self, state: Props, inputs: Props) -> Props:
        """Return `inputs` with what they leave out and keep, as the provider completes them from its state."""
        planned = dict(inputs)
        for path in self.keeps:
            outer, _, inner = path.partition(".")
            if not inner and outer not in planned and outer in state:
                planned[outer] = state[outer]
            elif inner and inner in state.get(outer, {}):
                planned[outer] = {inner: state[outer][inner]} | planned.get(outer, {})
        return planned


def tags_of(props: Props) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(props["tagsAll"].items())]


def found(ask: Callable[[], Any]) -> Any | None:
    """What was asked for, or None where AWS says that there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NotFound" in code or code == "NoSuchEntity":
            return None
        raise
