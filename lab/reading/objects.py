"""Reads Kubernetes and EC2 objects that are plain dicts, and may lack what is asked for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

Thing = dict[str, Any]
"""A Kubernetes object as kubectl prints it in JSON, or an EC2 object as boto3 parses it."""


def at(thing: object, *path: str) -> Any:
    """Return the value at a path of keys, None where any of them is missing."""
    for key in path:
        if not isinstance(thing, Mapping):
            return None
        thing = cast("Mapping[str, Any]", thing).get(key)
    return thing


def name_of(thing: object) -> str | None:
    """Return the object's name, None where there is no object."""
    return at(thing, "metadata", "name")


def tags_of(thing: object) -> dict[str, str]:
    """Return the tags of an EC2 object."""
    return {tag["Key"]: tag["Value"] for tag in at(thing, "Tags") or ()}


def condition(thing: object, kind: str) -> bool:
    """Return whether a condition of the object's status is True."""
    return any(one["type"] == kind and one["status"] == "True" for one in at(thing, "status", "conditions") or ())


def instance_id_of(node: Thing | None) -> str | None:
    """Return the id of the EC2 instance that a Node runs on, by its providerID."""
    provider_id: str = at(node, "spec", "providerID") or ""
    return provider_id.rpartition("/")[2] or None


def moment(value: object) -> datetime | None:
    """Return a time as Kubernetes writes it or boto3 parses it, None where it is neither."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else None


def age(since: datetime | None, now: datetime) -> str:
    """Return an age as kubectl prints it: 42s, 7m, 3h, 2d; empty where it is not known."""
    if since is None:
        return ""
    seconds = max(0, int((now - since).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
