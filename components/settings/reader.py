"""Reads typed values out of a configuration's texts, and collects what is wrong with them."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import cast

CONFIG_NAMESPACE = "storage-lab"

Check = Callable[[str], str]
"""Returns its argument, or raises ValueError with the end of a sentence about it."""


class BadSettings(Exception):
    """The configuration cannot be used; `problems` holds a sentence for each reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n  ".join(["this stack's configuration cannot be used:", *problems]))
        self.problems = tuple(problems)


class Reader:
    """The texts of one namespace. Each method reads a key, so that `finish` knows which keys exist at all.

    A value that is wrong is noted and its default returned: reading goes on, to find the other problems too.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._known: list[str] = []
        self._problems: list[str] = []

    def text(self, key: str, check: Check, default: str) -> str:
        value = self._value(key)
        return default if value is None else self._checked(key, value, check) or default

    def optional_text(self, key: str, check: Check) -> str | None:
        """Return None for a missing or empty value: Pulumi.yaml cannot declare a key without a value."""
        value = self._value(key)
        return self._checked(key, value, check) if value else None

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """Return one of the words, or "" if the key is missing or its value is another word."""
        accepted = f"accepted is {' or '.join(choices)}"
        value = self._value(key)
        if value is None:
            self._problems.append(f"{CONFIG_NAMESPACE}:{key} is missing; {accepted}")
        elif value not in choices:
            self.refuse(key, f"is not known; {accepted}")
        else:
            return value
        return ""

    def integer(self, key: str, least: int, most: int, default: int) -> int:
        value = self._value(key)
        if value is None:
            return default
        if value.isascii() and value.isdecimal() and len(value) < 10 and least <= int(value) <= most:
            return int(value)
        self.refuse(key, f"cannot be used; accepted is a whole number from {least} to {most}")
        return default

    def boolean(self, key: str, default: bool) -> bool:
        value = self._value(key)
        if value is None:
            return default
        if value not in ("true", "false"):
            self.refuse(key, "is neither; accepted is true or false")
        return value == "true"

    def texts(self, key: str, check: Check, default: Sequence[str]) -> tuple[str, ...]:
        """Return a list of texts, empty only where the default is. A bad element is noted by its index and left out."""
        elements = [self._text(f"{key}[{index}]", one, check) for index, one in enumerate(self._list(key, default))]
        return tuple(element for element in elements if element is not None)

    def records(self, key: str, checks: Mapping[str, Check], default: Sequence[str]) -> tuple[Mapping[str, str], ...]:
        """Return a list of maps of texts, each with the first key of `checks` and maybe others.

        A text stands for a map with the first key alone. A bad element is noted by its index and left out.
        """
        elements = [self._record(f"{key}[{index}]", one, checks) for index, one in enumerate(self._list(key, default))]
        return tuple(element for element in elements if element is not None)

    def is_set(self, key: str) -> bool:
        """Return whether the user chose a value: the keys that Pulumi.yaml declares always have one."""
        return self._values.get(key, "") not in ("", "[]", "false")

    def refuse(self, key: str, reason: str) -> None:
        """Note that the value of `key` cannot be used: `reason` continues the sentence that names both."""
        self._problems.append(
            f"{CONFIG_NAMESPACE}:{key} {_shown(self._values[key]) + ' ' if key in self._values else ''}{reason}"
        )

    def finish(self) -> None:
        """Raise BadSettings if anything was wrong, or a key was never read."""
        for key in sorted(set(self._values) - set(self._known)):
            close = difflib.get_close_matches(key, self._known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(self._known))}"
            self._problems.append(f"{CONFIG_NAMESPACE}:{key} is not a key of this lab; {hint}")
        if self._problems:
            raise BadSettings(self._problems)

    def _value(self, key: str) -> str | None:
        self._known.append(key)
        return self._values.get(key)

    def _checked(self, key: str, value: str, check: Check) -> str | None:
        try:
            return check(value)
        except ValueError as error:
            self._problems.append(f"{CONFIG_NAMESPACE}:{key} {_shown(value)} {error}")
            return None

    def _list(self, key: str, default: Sequence[str]) -> Sequence[object]:
        value = self._value(key)
        if value is None:
            return default
        try:
            elements: object = json.loads(value)
        except (ValueError, RecursionError):
            elements = None
        if not isinstance(elements, list):
            self.refuse(key, "is not a list; accepted is a list of texts")
            return default
        if not elements and default:
            self.refuse(key, "is empty; accepted is a list of one text or more")
            return default
        return cast(Sequence[object], elements)

    def _text(self, where: str, element: object, check: Check) -> str | None:
        if isinstance(element, str):
            return self._checked(where, element, check)
        self._problems.append(f"{CONFIG_NAMESPACE}:{where} {_shown(json.dumps(element))} is not text; quote it")
        return None

    def _record(self, where: str, element: object, checks: Mapping[str, Check]) -> Mapping[str, str] | None:
        first, accepted = next(iter(checks)), " and ".join(checks)
        if not isinstance(element, dict):
            text = self._text(where, element, checks[first])
            return None if text is None else {first: text}
        given = cast(Mapping[str, object], element)
        problems = [f"has no {first}"] * (first not in given)
        problems += [f"has the unknown key {key}" for key in given if key not in checks]
        for problem in problems:
            self._problems.append(f"{CONFIG_NAMESPACE}:{where} {problem}; accepted are {accepted}")
        known = {key: self._text(f"{where}.{key}", given[key], check) for key, check in checks.items() if key in given}
        good = {key: text for key, text in known.items() if text is not None}
        return None if problems or len(good) < len(known) else good


def _shown(value: str) -> str:
    """Return the value as the user wrote it, cut to one line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 90 else f"{text[:80]}..."
