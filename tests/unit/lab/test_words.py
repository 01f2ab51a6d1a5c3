"""Every sentence of `lab watch` exists in both languages, with the same parts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.japanese import JAPANESE
from lab.watch.actions import KEYS, MANIFEST
from lab.words import in_japanese, joined, say

LAB = Path(__file__).parents[3] / "lab"
SPEAKING = [LAB / "live.py", *(LAB / "sentences").glob("*.py"), *(LAB / "watch").glob("*.py")]
PART = re.compile(r"\{\w+\}")


def sentences_in(file: Path) -> Iterator[str]:
    """Yield what is said as it stands, and every text with parts, which is said somewhere below."""
    tree = ast.parse(file.read_text())
    pieces = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for piece in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            if isinstance(node.args[0], ast.Constant):
                yield node.args[0].value
        elif isinstance(node, ast.Constant) and id(node) not in pieces:
            text = str(node.value)
            if PART.search(text) and text != MANIFEST:
                yield text


def test_every_sentence_is_in_both_languages() -> None:
    said = {sentence for file in SPEAKING for sentence in sentences_in(file)} | {key.label for key in KEYS.values()}
    assert said - JAPANESE.keys() == set(), "a Japanese learner reads English in the middle"
    assert JAPANESE.keys() - said == set(), "a translation that nobody reads"


def test_translation_has_the_parts_of_its_sentence() -> None:
    differ = [english for english, text in JAPANESE.items() if set(PART.findall(english)) != set(PART.findall(text))]
    assert differ == []


@pytest.mark.parametrize(
    ("variables", "japanese"),
    [
        ({"LANG": "ja_JP.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_MESSAGES": "ja_JP.UTF-8"}, True),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, True),
        ({}, False),
    ],
)
def test_language_is_the_locales(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], japanese: bool) -> None:
    for name in ("LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert in_japanese() is japanese
    assert say("{who} is gone.", who="Pod a") == ("Pod a はなくなりました。" if japanese else "Pod a is gone.")
    assert joined(["a", "b"]) == ("a、b" if japanese else "a and b")
