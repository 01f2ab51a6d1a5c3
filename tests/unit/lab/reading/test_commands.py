"""A tool that fails is quoted in one line."""

import psutil
import pytest

from checkout.until import until
from lab.errors import LabError
from lab.reading.background import start
from lab.reading.commands import CommandFailed, end_running, run


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


def test_tools_that_still_run_are_ended_with_all_that_they_started() -> None:
    hanging = start(lambda: run("sh", "-c", "sleep 87 & wait"))

    def children() -> list[psutil.Process]:
        started = psutil.Process().children(recursive=True)
        return [one for one in started if one.cmdline() == ["sleep", "87"]]

    until(lambda: bool(children()), "the tool's child runs")
    [child] = children()
    end_running()
    with pytest.raises(CommandFailed):
        hanging.result(timeout=10)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "the child has ended", 10)
