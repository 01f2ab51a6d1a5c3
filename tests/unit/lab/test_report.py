"""The report of lab verify, for people and for machines."""

import io
import json

import pytest

from lab.report import Line, Report, as_json, as_text, write
from lab.steps import Finding


def line(key: str, ok: bool | None, hint: str = "") -> Line:
    return Line("nfs-server", key, f"{key} is right", f"kubectl get {key}", Finding(ok, f"found {key}", hint))


PASSED, SKIPPED, FAILED = line("pvc", True), line("bytes", None), line("pod", False, "describe it")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_skipped_step_is_neither_passed_nor_failed() -> None:
    report = Report("local", "local", [PASSED, SKIPPED])
    assert report.ok
    assert report.summary == "1 passed, 0 failed, 1 skipped"
    assert "skip  bytes is right" in as_text(report), "a step that nobody tried looks like one that passed"


def test_failed_step_fails_the_report_and_shows_its_hint() -> None:
    report = Report("local", "local", [PASSED, FAILED])
    assert not report.ok
    text = as_text(report)
    assert text.index("FAIL  pod is right") < text.index("$ kubectl get pod") < text.index("look: describe it")


def test_json_says_the_same() -> None:
    read = json.loads(as_json(Report("local", "local", [PASSED, SKIPPED, FAILED])))
    assert read["ok"] is False
    assert {step["step"]: step["status"] for step in read["steps"]} == {
        "pvc": "passed",
        "bytes": "skipped",
        "pod": "failed",
    }
    assert read["steps"][2]["hint"] == "describe it"


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_report_is_complete_in_a_pipe_and_on_a_terminal(out: io.StringIO) -> None:
    write(Report("local", "local", [PASSED, SKIPPED, FAILED], "export A=[b]", "type [this] next"), out)
    shown = out.getvalue()
    assert shown.endswith("type [this] next\n"), "the last line is what a reader does next"
    for words in ("export A=[b]", "pvc is right", "$ kubectl get pod", "found bytes", "describe it", "1 failed"):
        assert words in shown, shown
    assert ("\x1b" in shown or "│" in shown) == out.isatty(), "lines for a pipe, a table for a person"
