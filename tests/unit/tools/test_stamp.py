"""A stamp tells whether a result was made from the same."""

from pathlib import Path

import pytest

from tools.stamp import Stamp, digest_of

MADE_FROM = {"go.mod": "1", "flags": "-x"}


@pytest.fixture
def stamp(tmp_path: Path) -> Stamp:
    return Stamp(tmp_path / "stamp.json")


def test_stamp_holds_what_was_added_and_nothing_else(stamp: Stamp) -> None:
    assert not stamp.holds(MADE_FROM, []), "nothing was made yet"
    stamp.add(MADE_FROM)
    assert stamp.holds(MADE_FROM, [])
    assert not stamp.holds({**MADE_FROM, "flags": "-y"}, []), "changed flags would not be built"
    assert not stamp.holds({**MADE_FROM, "more": ""}, []), "a new kind of source would not be built"


def test_stamp_does_not_hold_without_a_result(stamp: Stamp, tmp_path: Path) -> None:
    stamp.add(MADE_FROM)
    assert not stamp.holds(MADE_FROM, [tmp_path / "deleted"])


def test_stamp_keeps_what_it_says_of_others(stamp: Stamp) -> None:
    stamp.add(MADE_FROM)
    stamp.add({"requirements.txt": "2"})
    assert stamp.holds(MADE_FROM, [])


@pytest.mark.parametrize("text", ["", "{", "[]", '"made"'])
def test_stamp_that_cannot_be_read_holds_nothing(stamp: Stamp, text: str) -> None:
    stamp.file.write_text(text)
    assert not stamp.holds(MADE_FROM, []), "a killed write must not be taken for a finished one"


def test_digest_differs_for_another_text_or_name(tmp_path: Path) -> None:
    first = tmp_path / "a"
    first.write_text("text")
    digest = digest_of(tmp_path, [first])
    first.write_text("other")
    assert digest_of(tmp_path, [first]) != digest
    first.write_text("text")
    assert digest_of(tmp_path, [first.rename(tmp_path / "b")]) != digest
