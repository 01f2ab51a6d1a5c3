"""The arguments of a component: checked before anything is registered, so that a wrong one is one sentence."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

import pulumi

# pulumi.Input says 'Output[T]' in a string.
_NAMES = {"Output": pulumi.Output, "T": TypeVar("T")}
_WORDS = {str: "a text", int: "a whole number", bool: "True or False", list: "a list", dict: "a dict", NoneType: "None"}


def check_arguments(component: str, name: str, args: object, accepted: type) -> None:
    """Compare the arguments with `accepted`, a TypedDict; the value of an output is not known yet and passes.

    Raises pulumi.RunError, which Pulumi prints without a traceback, with a sentence for each argument that is wrong.
    """
    hints = get_type_hints(accepted, localns=_NAMES)
    if not isinstance(args, Mapping):
        raise pulumi.RunError(f"{component} {name}: its arguments are {args!r}; accepted is a dict")
    known = cast(Mapping[str, object], args)
    required = cast(frozenset[str], getattr(accepted, "__required_keys__", frozenset[str]()))
    problems = [f"{key} is missing" for key in sorted(required - set(known))]
    for key, value in known.items():
        if key not in hints:
            problems.append(f"it has no argument {key}; known are {', '.join(hints)}")
        elif not _fits(value, hints[key]):
            problems.append(f"{key} is {_shown(value)}; accepted is {_accepted(hints[key])}")
    if problems:
        raise pulumi.RunError(f"{component} {name}: {'; '.join(problems)}")


def checked_text(
    component: str, name: str, what: str, value: pulumi.Input[str], check: Callable[[str], str]
) -> pulumi.Input[str]:
    """Check a known text now, before anything is registered, and an output as soon as it is known.

    Raises pulumi.RunError with what `check` says in its ValueError.
    """

    def checked(text: object) -> str:
        try:
            if not isinstance(text, str):  # the value of an output
                raise ValueError("is not a text")
            return check(text)
        except ValueError as error:
            raise pulumi.RunError(f"{component} {name}: the {what} {text!r} {error}") from None

    return applied(value, checked)


def applied(value: pulumi.Input[str], function: Callable[[str], str]) -> pulumi.Input[str]:
    """Return what the function makes of a text: at once where it is known, otherwise an output."""
    return function(value) if isinstance(value, str) else pulumi.Output.from_input(value).apply(function)


def merged(given: pulumi.Input[dict[str, pulumi.Input[str]]] | None, needed: Mapping[str, Any]) -> Any:
    """Return the user's labels or annotations with those that the component needs, which win."""
    if given is None or isinstance(given, dict):
        return {**(given or {}), **needed}
    return pulumi.Output.all(given, needed).apply(lambda both: {**both[0], **both[1]})


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint) or hint
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin in (Awaitable, pulumi.Output):
        return _is_output(value)
    if origin is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if is_typeddict(origin):
        return isinstance(value, Mapping) and _has_keys_of(cast(Mapping[str, object], value), origin)
    if origin in (Sequence, list):
        return isinstance(value, list | tuple) and all(
            _fits(one, get_args(hint)[0]) for one in cast(Sequence[object], value)
        )
    if origin in (Mapping, dict):
        return isinstance(value, Mapping) and all(
            _fits(one, get_args(hint)[1]) for one in cast(Mapping[str, object], value).values()
        )
    # A Protocol, such as Cluster, is left to the type checker.
    return isinstance(value, origin) if origin in (str, bool, NoneType) else True


def _has_keys_of(value: Mapping[str, object], accepted: type) -> bool:
    hints = get_type_hints(accepted, localns=_NAMES)
    return all(key in hints and _fits(one, hints[key]) for key, one in value.items())


def _is_output(value: object) -> bool:
    return isinstance(value, pulumi.Output) or inspect.isawaitable(value)


def _shown(value: object) -> str:
    return "an output" if _is_output(value) else repr(value)


def _accepted(hint: Any) -> str:
    origin = get_origin(hint) or hint
    if origin in (Union, UnionType):
        plain = [_accepted(one) for one in get_args(hint) if _word(one)]
        return " or ".join(dict.fromkeys(plain))
    return _word(hint) or "another type"


def _word(hint: Any) -> str:
    origin: Any = get_origin(hint) or hint
    if is_typeddict(origin):
        return f"a dict of {', '.join(get_type_hints(origin, localns=_NAMES))}"
    kind: Any = list if origin is Sequence else dict if origin is Mapping else origin
    inner = _accepted(get_args(hint)[-1]) if kind in (list, dict) and get_args(hint) else ""
    return _WORDS.get(kind, "") + (f" of {inner.removeprefix('a ')}" if inner not in ("", "another type") else "")
