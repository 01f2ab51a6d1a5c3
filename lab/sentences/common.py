"""What all sentences share."""

from components.settings.conventions import DEFAULT_NAMESPACE
from lab.reading.objects import Thing, at, name_of


class Bad(str):
    """A sentence about a warning or a failure."""


def called(thing: Thing) -> str:
    """Return kind and name, with the namespace if that is not the default one."""
    namespace = at(thing, "metadata", "namespace")
    place = f"{namespace}/" if namespace and namespace != DEFAULT_NAMESPACE else ""
    return f"{thing['kind']} {place}{name_of(thing)}"


def leaving(thing: Thing | None) -> bool:
    """Return whether the object is being deleted."""
    return bool(at(thing, "metadata", "deletionTimestamp"))
