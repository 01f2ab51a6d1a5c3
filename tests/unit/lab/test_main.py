"""A command of the lab that cannot go on says why in one sentence."""

import pytest

from lab import __main__ as commands
from tests.unit.lab.fake_pulumi import pulumi


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the sentence with which a command ends."""
    assert commands.main(arguments) == 2, "2 says that the lab could not be read, 1 that something is wrong"
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1, shown.err
    return shown.err


@pytest.mark.parametrize("command", [["verify"], ["verify", "--json"], ["status"], ["watch"]])
def test_stack_that_is_not_up_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    pulumi(monkeypatch)
    assert "has no outputs, so nothing of it is up: run pulumi up --stack local" in complaint(capsys, *command)


def test_unknown_stack_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi(monkeypatch, error="no stack named 'nope' found")
    said = complaint(capsys, "verify", "--stack", "nope")
    assert said == "pulumi cannot tell about the stack nope: no stack named 'nope' found\n"


def test_invalid_configuration_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi(monkeypatch, config={"storage-lab:storage": {"value": "1 GB"}})
    said = complaint(capsys, "verify")
    assert "storage-lab:target is missing" in said
    assert "1 GB" in said


def test_missing_tools_are_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "pulumi is not on the PATH: run make setup" in complaint(capsys, "status")
