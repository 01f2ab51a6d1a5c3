"""A pulumi that answers as a test needs it."""

import json
from typing import Any

import pytest

from lab.reading import stack as stacks
from lab.reading.commands import CommandFailed


def pulumi(monkeypatch: pytest.MonkeyPatch, *, outputs: Any = None, config: Any = None, error: str = "") -> list[str]:
    """Let pulumi answer so; return what it is asked."""
    asked: list[str] = []

    def answer(*words: str) -> str:
        asked.append(" ".join(words))
        if error:
            raise CommandFailed(error)
        if "--show-name" in words:
            return "local\n"
        if "config" in words:
            return json.dumps({"storage-lab:target": {"value": "local"}} if config is None else config)
        return json.dumps(outputs or {})

    monkeypatch.setattr(stacks, "run", answer)
    return asked
