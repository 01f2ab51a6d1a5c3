"""Labs for the fault tier, and its table at the end."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from checkout import Checkout
from tests.faults.bystanders import Bystander
from tests.faults.report import ROWS, table
from tests.faults.scene import Scene

NewScene = Callable[..., Scene]


@pytest.fixture(scope="session")
def bystanders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Bystander]]:
    """Two processes of somebody else, one of them of another lab's local cloud, for the whole tier."""
    folder = tmp_path_factory.mktemp("bystanders")
    others = [
        Bystander(folder / "plain"),
        Bystander(folder / "lab", {"LOCALCLOUD_FOLDER": str(folder), "LOCALCLOUD_COMPONENT": "kube-apiserver"}),
    ]
    yield others
    for bystander in others:
        bystander.leave()


def _scenes(folder: Callable[[], Path], bystanders: list[Bystander], stack: ExitStack) -> NewScene:
    def new_scene(where: Path | None = None, name: str = "local", config: dict[str, Any] | None = None) -> Scene:
        lab = Checkout(where or folder(), name, config)
        stack.callback(lab.clear)
        scene = Scene(lab, bystanders)
        stack.enter_context(scene.witness)
        return scene

    return new_scene


@pytest.fixture(scope="module")
def new_scene(tmp_path_factory: pytest.TempPathFactory, bystanders: list[Bystander]) -> Iterator[NewScene]:
    """Makes a scene with a lab of its own, not up yet; whatever runs of it ends with the module."""
    with ExitStack() as stack:
        yield _scenes(lambda: tmp_path_factory.mktemp("lab"), bystanders, stack)


@pytest.fixture(scope="module")
def scene(new_scene: NewScene) -> Scene:
    """A lab that is up when the module's first test begins; each test leaves it up."""
    scene = new_scene()
    scene.lab.up()
    return scene


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name == "KUBECONFIG":
            monkeypatch.delenv(name)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if ROWS:
        terminalreporter.section("faults", sep="=")
        for line in table():
            terminalreporter.write_line(line)
