"""What `make up` does about the stack, with a pulumi that only writes down what it is asked."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PULUMI = """#!/bin/sh
echo "$*" >> "$0.log"
case "$*" in
"stack select --create "*) {create} ;;
"stack select "*) {select} ;;
esac
"""
EXISTS = "echo \"error: stack 'organization/storage-lab/local' already exists\" >&2; exit 255"
UP = "up --yes --skip-preview --stack local"


def make_up(folder: Path, create: str, select: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """`make up` without its setup. What make did, and what pulumi was asked."""
    pulumi = folder / "pulumi"
    pulumi.write_text(PULUMI.format(create=create, select=select))
    pulumi.chmod(0o755)
    done = subprocess.run(
        ["make", "--old-file=setup", "up", f"ACTIVE=PATH={folder}:$$PATH"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done, (folder / "pulumi.log").read_text().splitlines()


def test_a_stack_that_is_there_or_made_is_brought_up(tmp_path: Path) -> None:
    done, asked = make_up(tmp_path, create="exit 0", select="exit 1")
    assert done.returncode == 0, done.stderr
    assert asked == ["stack select --create local", UP]


def test_who_comes_second_to_create_the_stack_goes_on_with_it(tmp_path: Path) -> None:
    done, asked = make_up(tmp_path, create=EXISTS, select="exit 0")
    assert done.returncode == 0, f"two at once on a new clone: the second has to get to Pulumi's lock\n{done.stderr}"
    assert asked[-1] == UP


@pytest.mark.parametrize("reason", ["a stack name may only contain letters", "no space left on device"])
def test_a_stack_that_cannot_be_made_says_why_once_and_nothing_starts(tmp_path: Path, reason: str) -> None:
    done, asked = make_up(tmp_path, create=f"echo 'error: {reason}' >&2; exit 1", select="echo 'no stack' >&2; exit 1")
    assert done.returncode != 0
    assert UP not in asked
    assert reason in done.stderr
    assert "no stack" not in done.stderr, "it would hide the reason"
