"""`make up` creates the stack, with a pulumi that only writes down what it is asked."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# As Pulumi's file backend does it: a command that finds another one creating the stack fails. Creating takes long
# enough to be found.
PULUMI = """#!/bin/sh
case "$*" in
"stack select --create local")
    test -e "$0.stack" && exit 0
    mkdir "$0.locked" || { echo "error: could not create stack: the stack is currently locked" >&2; exit 255; }
    sleep 0.3
    : > "$0.stack"
    rmdir "$0.locked" ;;
"stack select --create "*) echo "error: a stack name may only contain letters" >&2; exit 255 ;;
*) echo "$*" >> "$0.log" ;;
esac
"""
UP = "up --yes --skip-preview --stack local"


@pytest.fixture
def pulumi(tmp_path: Path) -> Path:
    file = tmp_path / "pulumi"
    file.write_text(PULUMI)
    file.chmod(0o755)
    return file


def make_up(pulumi: Path, stack: str = "local") -> "subprocess.Popen[str]":
    """Start `make up` without its setup."""
    path = f"{pulumi.parent}:{Path(sys.executable).parent}"
    return subprocess.Popen(
        ["make", "--old-file=setup", "up", f"ACTIVE=export PATH={path}:$$PATH", f"STACK={stack}"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def asked(pulumi: Path) -> list[str]:
    log = Path(f"{pulumi}.log")
    return log.read_text().splitlines() if log.exists() else []


def test_two_make_up_at_once_both_find_the_stack(pulumi: Path) -> None:
    both = [make_up(pulumi), make_up(pulumi)]
    said = [one.communicate(timeout=60)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert asked(pulumi) == [UP, UP], "the second has to reach Pulumi's lock, which says who holds it"


def test_stack_that_cannot_be_created_says_why(pulumi: Path) -> None:
    one = make_up(pulumi, stack="bad!")
    said = one.communicate(timeout=60)[1]
    assert one.returncode != 0
    assert "may only contain letters" in said
    assert asked(pulumi) == []
