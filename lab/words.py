"""Says a sentence in the learner's language: Japanese where the locale says so, else English.

Kinds, names and states stay as kubectl and EC2 write them, so that a learner finds the same words there.
"""

import os
from collections.abc import Iterable

from lab.japanese import JAPANESE


def say(english: str, /, **parts: object) -> str:
    """Return the sentence with its parts filled in."""
    template = JAPANESE.get(english, english) if in_japanese() else english
    return template.format(**parts)


def joined(names: Iterable[str]) -> str:
    """Return the names as the list that a sentence has."""
    return ("、" if in_japanese() else " and ").join(names)


def in_japanese() -> bool:
    """Return whether the locale is Japanese; POSIX says which of the variables counts."""
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return locale.startswith("ja")
