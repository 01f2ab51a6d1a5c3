"""Errors: the end of a log, as the user sees it."""

from pathlib import Path

from localcloud.errors import log_end


def test_the_end_of_a_log_is_short(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 100_000 + "\nlast words\n")
    assert log_end(log).splitlines()[-1] == "    last words"
    assert len(log_end(log)) < 1000, "one endless line must not fill the screen"
    assert "nothing" in log_end(tmp_path / "none")
