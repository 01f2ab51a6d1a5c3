"""New code, a new virtual environment, another folder to stand in, another Python: outputs stay, destroy works."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.report import ROWS, Row
from tests.faults.scene import Scene, errors, summary


def _new_code(scene: Scene) -> None:
    for module in (scene.lab.folder / "components").glob("*.py"):
        module.write_text(module.read_text() + "\n\nADDED_BY_AN_UPDATE = 1\n")


def _new_environment(scene: Scene) -> None:
    """A virtual environment made anew, with the packages of the old one."""
    _make_environment(scene, sys.executable)
    ours = [path for path in sys.path if path.endswith("site-packages")]
    [site] = (scene.lab.folder / ".venv" / "lib").glob("python3.*/site-packages")
    (site / "packages.pth").write_text("\n".join(ours))


def _make_environment(scene: Scene, python: str) -> None:
    venv = scene.lab.folder / ".venv"
    venv.unlink() if venv.is_symlink() else shutil.rmtree(venv)
    subprocess.run([python, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=60)


@pytest.mark.parametrize("change", [_new_code, _new_environment], ids=["new code", "new environment"])
def test_outputs_stay_through(scene: Scene, change: object) -> None:
    before = scene.lab.outputs()
    assert callable(change)
    with scene.fault(f"changed: {change.__name__.strip('_').replace('_', ' ')}", "then up") as saw:
        change(scene)
        done = scene.lab.up()
        assert "unchanged" in done.stdout
        saw(summary(done.stdout))
        assert scene.lab.outputs() == before
        scene.check_standing()


def test_pulumi_may_be_run_from_elsewhere(scene: Scene) -> None:
    with scene.fault("another working directory", "pulumi -C") as saw:
        words = ["pulumi", "-C", str(scene.lab.folder), "preview", "--expect-no-changes", "--non-interactive"]
        done = subprocess.run(
            words, cwd="/", env=scene.lab.env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        saw(summary(done.stdout))


def test_destroy_under_another_python_works_or_refuses_before_its_first_delete(scene: Scene) -> None:
    other = next(filter(_runs, _other_pythons()), None)
    if other is None:
        ROWS.append(Row("another minor version of Python", "destroy", "not tried: none is on this machine", 0, 0, 0))
        scene.lab.destroy()
        scene.check_gone()
        return
    with scene.fault(f"another Python, {Path(other).name}", "destroy") as saw:
        resources = len(scene.lab.state())
        _make_environment(scene, other)
        done = scene.lab.destroy(expect=None)
        if done.returncode == 0:
            saw(summary(done.stdout))
        else:
            assert len(scene.lab.state()) == resources, "it deleted something before it refused"
            assert errors(done.stdout + done.stderr), "it refused without a reason"
            saw(errors(done.stdout + done.stderr))
            _new_environment(scene)
            scene.lab.destroy()
        scene.check_gone()


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
