"""New code, a new virtual environment, another working directory, another Python: outputs stay, destroy works."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.fault_lab import FaultLab, errors, summary
from tests.faults.report import NOTED, Row
from tests.faults.selection import cases


def _new_code(fault_lab: FaultLab) -> None:
    for module in (fault_lab.checkout.folder / "components").rglob("*.py"):
        module.write_text(module.read_text() + "\n\nADDED_BY_AN_UPDATE = 1\n")


def _new_environment(fault_lab: FaultLab) -> None:
    """A virtual environment made anew, with the packages of the old one."""
    _make_environment(fault_lab, sys.executable)
    ours = [path for path in sys.path if path.endswith("site-packages")]
    [site] = (fault_lab.checkout.folder / ".venv" / "lib").glob("python3.*/site-packages")
    (site / "packages.pth").write_text("\n".join(ours))


def _make_environment(fault_lab: FaultLab, python: str) -> None:
    venv = fault_lab.checkout.folder / ".venv"
    venv.unlink() if venv.is_symlink() else shutil.rmtree(venv)
    subprocess.run([python, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=60)


CHANGES: dict[str, Callable[[FaultLab], None]] = {"new code": _new_code, "new environment": _new_environment}


@pytest.mark.parametrize("change", cases(CHANGES, telling=["new code"]))
def test_outputs_stay_the_same_after(fault_lab: FaultLab, change: str) -> None:
    before = fault_lab.checkout.outputs()
    with fault_lab.fault(f"changed: {change}", "then up") as saw:
        CHANGES[change](fault_lab)
        done = fault_lab.checkout.up()
        assert "unchanged" in done.stdout
        saw(summary(done.stdout))
        assert fault_lab.checkout.outputs() == before
        fault_lab.check_standing()


def test_pulumi_works_from_another_directory(fault_lab: FaultLab) -> None:
    with fault_lab.fault("another working directory", "pulumi -C") as saw:
        words = ["pulumi", "-C", str(fault_lab.checkout.folder), "preview", "--expect-no-changes", "--non-interactive"]
        done = subprocess.run(
            words, cwd="/", env=fault_lab.checkout.env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        saw(summary(done.stdout))


def test_destroy_with_another_python_finishes_or_refuses(fault_lab: FaultLab) -> None:
    other = next(filter(_runs, _other_pythons()), None)
    if other is None:
        NOTED.append(Row("another minor version of Python", "destroy", "not tried: none is on this machine", 0, 0, 0))
        fault_lab.checkout.destroy()
        fault_lab.check_gone()
        return
    with fault_lab.fault(f"another Python, {Path(other).name}", "destroy") as saw:
        resources = len(fault_lab.checkout.state())
        _make_environment(fault_lab, other)
        done = fault_lab.checkout.destroy(expect=None)
        if done.returncode == 0:
            saw(summary(done.stdout))
        else:
            assert len(fault_lab.checkout.state()) == resources, "it deleted something before it refused"
            assert errors(done.stdout + done.stderr), "it refused without a reason"
            saw(errors(done.stdout + done.stderr))
            _new_environment(fault_lab)
            fault_lab.checkout.destroy()
        fault_lab.check_gone()


def _other_pythons() -> Iterator[str]:
    """Interpreters of other minor versions: those on PATH, and those of pyenv, which hides what is not chosen."""
    for minor in range(11, 16):
        if minor != sys.version_info.minor:
            if found := shutil.which(f"python3.{minor}"):
                yield found
            yield from map(str, Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3.{minor}"))


def _runs(python: str) -> bool:
    """A version manager's stand-in may be there for a version that is not."""
    return subprocess.run([python, "-c", ""], capture_output=True, timeout=30, check=False).returncode == 0
