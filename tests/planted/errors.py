"""Errors in what a program registers: another input, a dependency that is missing, a dependency too many.

An error changes the record of a run, not the text of the program, so it stays planted when files move or are rewritten.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from tests.unit.mocks import Deployed, Registered

Pick = Callable[[Deployed], Iterable[Registered]]
"""Finds the resources that an error is about."""

Error = Callable[[Deployed], Deployed]
"""Returns the record of the same run with the error in it."""


def of_type(type_: str, *, but_read: bool = False) -> Pick:
    """Pick every resource of a type; `but_read` leaves out those that the program only reads."""
    return lambda lab: [each for each in lab.all(type_) if not (but_read and each.read)]


def changed(lab: Deployed, resources: Iterable[Registered]) -> Deployed:
    """Return the record with these resources in the place of those with the same URN.

    Raises AssertionError where that changes nothing: such an error would prove nothing.
    """
    broken = copy.copy(lab)
    broken.resources = lab.resources | {each.urn: each for each in resources}
    assert broken.resources != lab.resources, "the program has this error already, or not what the error is about"
    return broken


def inputs(pick: Pick, **values: Any) -> Error:
    """Give the resources other inputs; None removes one, and a function gets the value that is there."""

    def with_values(before: dict[str, Any]) -> dict[str, Any]:
        after = {key: value(before[key]) if callable(value) else value for key, value in values.items()}
        return {key: value for key, value in {**before, **after}.items() if value is not None}

    return lambda lab: changed(lab, [replace(each, inputs=with_values(dict(each.inputs))) for each in pick(lab)])


def does_not_wait(pick: Pick, needed: Pick) -> Error:
    """Take from the resources, and from the components around them, their dependencies on the needed ones."""

    def without(lab: Deployed) -> Iterator[Registered]:
        urns = {each.urn for each in needed(lab)}
        for resource in pick(lab):
            for each in _with_parents(lab, resource):
                yield replace(each, dependencies=each.dependencies - urns)

    return lambda lab: changed(lab, without(lab))


def waits(pick: Pick, needed: Pick) -> Error:
    """Make the resources depend on others."""

    def with_more(lab: Deployed) -> Iterator[Registered]:
        urns = {each.urn for each in needed(lab)}
        return (replace(each, dependencies=each.dependencies | urns) for each in pick(lab))

    return lambda lab: changed(lab, with_more(lab))


def options(pick: Pick, change: Callable[[Any], object]) -> Error:
    """Change the options of the resources; `change` gets the request with which each was registered."""

    def with_options(lab: Deployed) -> Iterator[Registered]:
        for each in pick(lab):
            request = copy.deepcopy(each.options)
            change(request)
            yield replace(each, options=request)

    return lambda lab: changed(lab, with_options(lab))


def output(name: str, value: Any) -> Error:
    """Give the stack another output."""

    def plant(lab: Deployed) -> Deployed:
        assert name in lab.outputs, f"the stack has no output {name}"
        broken = copy.copy(lab)
        broken.outputs = {**lab.outputs, name: value}
        return broken

    return plant


def _with_parents(lab: Deployed, resource: Registered) -> Iterator[Registered]:
    while True:
        yield resource
        if resource.parent not in lab.resources:
            return
        resource = lab.resources[resource.parent]
