"""A tool that fails is quoted in one line."""

import pytest

from lab.errors import LabError
from lab.reading.commands import CommandFailed, run


def test_failed_tool_is_quoted_by_its_last_line() -> None:
    with pytest.raises(CommandFailed, match=r"^it broke$") as refused:
        run("sh", "-c", "echo warning >&2; echo 'error: it broke' >&2; exit 3")
    assert refused.value.before == ["warning"]


def test_silent_failure_is_told_by_its_exit_status() -> None:
    with pytest.raises(CommandFailed, match=r"^exit status 3$"):
        run("sh", "-c", "exit 3")


def test_tool_that_hangs_is_ended() -> None:
    with pytest.raises(LabError, match=r"^sleep 30 did not end within"):
        run("sleep", "30", timeout=0.05)
