"""The guide: what it says to type on the local target works, and shows what it says, in both languages."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from checkout import ROOT, Checkout
from tests.docs.guide import RUN, SHOWN, Block, Document, Shell, not_shown, read, runs

GUIDE = read(ROOT / "docs" / "lab.md")
# The longest is a destroy of everything, on a busy machine.
PATIENCE = 240.0
PAIRS = {"the guide": ("docs/lab.md", "docs/lab.ja.md"), "the README": ("README.md", "README.ja.md")}


@dataclass
class Reading:
    """A learner half-way through the guide. Once something failed, what follows would fail for that reason only."""

    shell: Shell
    failed: int = 0


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    checkout = Checkout(tmp_path_factory.mktemp("guide"), config={"reclaimTimeoutSeconds": 60})
    yield Reading(Shell(checkout.folder, checkout.env))
    checkout.clear()


@pytest.mark.timeout(PATIENCE + 30)
@pytest.mark.parametrize(
    ("block", "shown"),
    [pytest.param(block, shown, id=f"line {block.line}, {block.title}") for block, shown in runs(GUIDE)],
)
def test_commands_of_the_guide_show_what_it_says(reading: Reading, block: Block, shown: Block | None) -> None:
    if reading.failed:
        pytest.skip(f"the block in line {reading.failed} failed")
    reading.failed = block.line
    printed = reading.shell.run(block, PATIENCE)
    if shown is not None:
        line = not_shown(shown.text, printed)
        assert line is None, f"line {block.line} of the guide shows {line!r}, but this was printed:\n{printed}"
    reading.failed = 0


def test_every_shown_output_belongs_to_a_command() -> None:
    shown = [block for block in GUIDE.blocks if block.info == SHOWN]
    compared = [following for _block, following in runs(GUIDE) if following]
    assert shown == compared, "output without a command before it is compared with nothing"
    assert len(compared) > 10


def test_no_command_for_the_local_target_is_left_out() -> None:
    left_out = [
        block.text for block in GUIDE.blocks if block.info.startswith("sh") and block.info not in (RUN, "sh aws")
    ]
    beginnings = [text.partition("\n")[0] for text in left_out]
    assert beginnings == ["make setup", ". .lab/activate", "kubectl port-forward svc/nfs-server 2049 &"], (
        "only what makes the tools that run these tests, the view beside them, and what root must do, may be left out"
    )


def document(name: str) -> Document:
    path = ROOT / name
    assert path.exists(), f"{name} is missing"
    return read(path)


@pytest.mark.parametrize("pair", PAIRS)
def test_both_languages_have_the_same_headings(pair: str) -> None:
    one, other = map(document, PAIRS[pair])
    assert one.headings == other.headings, "a section was added, removed or moved in one of them"


@pytest.mark.parametrize("pair", PAIRS)
def test_both_languages_have_the_same_commands_and_outputs(pair: str) -> None:
    one, other = (
        [(block.info, _code(block.info, block.text)) for block in document(name).blocks] for name in PAIRS[pair]
    )
    assert one == other, "a reader of one of them would type something else"


@pytest.mark.parametrize("pair", PAIRS)
def test_both_languages_have_the_same_tables(pair: str) -> None:
    one, other = map(document, PAIRS[pair])
    assert one.tables == other.tables


def _code(info: str, text: str) -> str:
    """What has to be equal: pictures and plain trees of files carry words of the language, comments do everywhere."""
    if info in ("mermaid", "text"):
        return ""
    return "\n".join(line.partition("  #")[0].rstrip() for line in text.splitlines() if not line.startswith("#"))


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        ("a  b", "a b", None),
        ("vol-…", "x\nvol-123", None),
        ("a\nb", "a\nc\nb", None),
        ("b\na", "a\nb", "a"),
        ("vol-…", "my vol-1", "vol-…"),
        ("1.5", "1x5", "1.5"),
        ("…\n\na", "a", None),
        ("a\na", "a", "a"),
    ],
)
def test_shown_lines_are_compared_in_order(shown: str, printed: str, missing: str | None) -> None:
    assert not_shown(shown, printed) == missing


def test_block_without_an_end_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("# a\n```sh\nls\n")
    with pytest.raises(ValueError, match=r"the block in line 2 has no end"):
        read(tmp_path / "x.md")


def test_parts_of_a_document_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text(
        "# a\n\n| a | b\\|c |\n| --- | --- |\n| 1 | 2 |\n\n## b\n```sh local\n# no heading\n```\n"
    )
    found = read(tmp_path / "x.md")
    assert (found.headings, found.tables) == ([1, 2], [(3, 2)])
    assert [(block.info, block.text, block.line, block.title) for block in found.blocks] == [
        ("sh local", "# no heading", 8, "b")
    ]
