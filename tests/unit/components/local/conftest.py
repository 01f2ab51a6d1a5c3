"""A checkout of its own for each test, with local clouds that only remember what was asked of them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from components.local import control_plane, local_clouds
from tests.unit.components.local.local_processes import Processes


@pytest.fixture
def clouds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Processes]:
    """Returns the local cloud of a name, in a checkout of its own."""
    monkeypatch.delenv("PULUMI_K8S_DELETE_UNREACHABLE", raising=False)
    monkeypatch.setattr(local_clouds, "_ROOT", tmp_path)
    of = cache(lambda cloud: Processes(local_clouds.folder_of(cloud)))
    for module in (control_plane, local_clouds):
        monkeypatch.setattr(module, "processes_of", of)
    return of


@pytest.fixture
def processes(clouds: Callable[[str], Processes]) -> Processes:
    return clouds("local")
