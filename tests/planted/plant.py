"""Puts an error into a copy of the program, wherever the file with the right text is by now."""

from pathlib import Path


def plant(program: Path, right: str, wrong: str) -> None:
    """Replace `right` by `wrong` in the program in that folder. Fails unless exactly one place of it says `right`."""
    files = [program / "__main__.py", *sorted((program / "components").rglob("*.py"))]
    found = {file: file.read_text().count(right) for file in files if right in file.read_text()}
    assert sum(found.values()) == 1, f"plant this error in one place; {right!r} is in {list(map(str, found)) or 'none'}"
    (file,) = found
    file.write_text(file.read_text().replace(right, wrong))
