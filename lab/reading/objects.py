"""Reading Kubernetes and EC2 objects that are plain dicts, and may lack what is asked for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast


def at(thing: object, *path: str) -> Any:
    """The value at a path of keys, None where any of them is missing."""
    for key in path:
        if not isinstance(thing, Mapping):
            return None
        thing = cast("Mapping[str, Any]", thing).get(key)
    return thing


def name_of(thing: object) -> str | None:
    return at(thing, "metadata", "name")


def tags_of(thing: object) -> dict[str, str]:
    """The tags of an EC2 object."""
    return {tag["Key"]: tag["Value"] for tag in at(thing, "Tags") or ()}


def condition(thing: object, kind: str) -> bool:
    """Whether a condition of the object's status is True."""
    return any(one["type"] == kind and one["status"] == "True" for one in at(thing, "status", "conditions") or ())


def moment(value: object) -> datetime | None:
    """A time as Kubernetes writes it, or as boto3 parses it."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else None


def age(since: datetime | None, now: datetime) -> str:
    """As kubectl does: 42s, 7m, 3h, 2d; empty where it is not known."""
    if since is None:
        return ""
    seconds = max(0, int((now - since).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
