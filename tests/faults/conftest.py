"""Labs for the fault tier."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from checkout import Checkout
from tests.faults.fault_lab import FaultLab
from tests.faults.unrelated_processes import UnrelatedProcess

NewFaultLab = Callable[..., FaultLab]


@pytest.fixture(scope="session")
def unrelated_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[UnrelatedProcess]]:
    """Start two processes of somebody else for the whole tier, one of them of another lab's local cloud."""
    folder = tmp_path_factory.mktemp("unrelated")
    others = [
        UnrelatedProcess(folder / "plain"),
        UnrelatedProcess(folder / "lab", {"LOCALCLOUD_FOLDER": str(folder), "LOCALCLOUD_COMPONENT": "kube-apiserver"}),
    ]
    yield others
    for process in others:
        process.end()


def _fault_labs(
    folder: Callable[[], Path], unrelated_processes: list[UnrelatedProcess], stack: ExitStack
) -> NewFaultLab:
    def new_fault_lab(where: Path | None = None, name: str = "local", config: dict[str, Any] | None = None) -> FaultLab:
        checkout = Checkout(where or folder(), name, config)
        stack.callback(checkout.clear)
        fault_lab = FaultLab(checkout, unrelated_processes)
        stack.enter_context(fault_lab.ec2_state)
        return fault_lab

    return new_fault_lab


@pytest.fixture(scope="module")
def new_fault_lab(
    tmp_path_factory: pytest.TempPathFactory, unrelated_processes: list[UnrelatedProcess]
) -> Iterator[NewFaultLab]:
    """Return a function that makes a lab, not up yet; whatever runs of the lab ends with the module."""
    with ExitStack() as stack:
        yield _fault_labs(lambda: tmp_path_factory.mktemp("lab"), unrelated_processes, stack)


@pytest.fixture(scope="module")
def fault_lab(new_fault_lab: NewFaultLab) -> FaultLab:
    """Bring up a lab before the module's first test; each test leaves it up."""
    fault_lab = new_fault_lab()
    fault_lab.checkout.up()
    return fault_lab


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name == "KUBECONFIG":
            monkeypatch.delenv(name)
