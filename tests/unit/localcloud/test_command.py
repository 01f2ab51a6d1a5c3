"""python -m localcloud: bad use and a missing cloud are one line each."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "localcloud", *arguments]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [[], ["credential"], ["make", "x"], ["stop", "a", "b"]])
def test_bad_use_is_one_line_and_exit_status_2(arguments: list[str]) -> None:
    ended = _run(*arguments)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stdout == ""


def test_a_missing_cloud_is_one_line_and_exit_status_1(tmp_path: Path) -> None:
    ended = _run("credential", str(tmp_path / "none"))
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines() == [
        f"there is no local cloud in {tmp_path / 'none'}: `pulumi up` creates one"
    ]
