"""The examples, as a reader runs them: the components from pip, and as a plugin from YAML, in the lab's cluster."""

import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkout import COMMAND_SECONDS, ROOT, Checkout
from tools.catalogue import PULUMI_YAML
from tools.console import Progress
from tools.go_build import Build, Go
from tools.pulumi_cli import state_url

pytestmark = pytest.mark.thorough

LAB = ROOT / ".lab"
INSTALL_SECONDS = 600  # packages are downloaded
NOT_SOURCE = shutil.ignore_patterns("__pycache__", ".venv")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    lab = Checkout(tmp_path_factory.mktemp("lab") / "lab")
    try:
        lab.up()
        yield lab
    finally:
        lab.clear()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment, into which pip has installed a copy of the repository, at the pinned versions."""
    source = tmp_path_factory.mktemp("repository")
    shutil.copytree(ROOT / "components", source / "components", ignore=NOT_SOURCE)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    folder = source / "environment"
    venv.create(folder, with_pip=True)
    words = ("-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "requirements.txt"), str(source))
    done = subprocess.run(
        [str(folder / "bin" / "python"), *words], capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def yaml_host() -> Path:
    build = Build(PULUMI_YAML, LAB, LAB / "bin" / "pulumi-yaml", Progress())
    if not build.is_fresh():
        build.run(Go(LAB))
    return build.bin


class Example:
    """A copy of an example, with a stack whose servers run in the cluster of the lab."""

    def __init__(self, name: str, folder: Path, lab: Checkout, first_on_path: Path) -> None:
        self.folder = folder / "examples" / name
        shutil.copytree(ROOT / "examples" / name, self.folder)
        (folder / "state").mkdir()
        path = f"{first_on_path}:{lab.env['PATH']}"
        self.env = {**lab.env, "PATH": path, "PULUMI_BACKEND_URL": state_url(folder / "state")}
        self.pulumi("stack", "init", "test")
        self.pulumi("config", "set", "--secret", "kubeconfig", given=(lab.cloud / "kubeconfig").read_text())

    def pulumi(self, *words: str, given: str | None = None, fails: bool = False) -> str:
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive"], cwd=self.folder, env=self.env, capture_output=True, text=True,
            input=given, timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said
        return said if fails else done.stdout

    def run_through(self) -> dict[str, Any]:
        """Bring the example up, see that nothing is left to change, and destroy it; return its outputs."""
        try:
            self.pulumi("up", "--yes", "--skip-preview")
            outputs = json.loads(self.pulumi("stack", "output", "--json"))
            self.pulumi("preview", "--expect-no-changes")
            refused = self.pulumi("destroy", "--yes", "--skip-preview", fails=True)
            assert "protected" in refused, "a destroy by mistake must not delete the data"
        finally:
            self.pulumi("state", "unprotect", "--all", "--yes")
            self.pulumi("destroy", "--yes", "--skip-preview")
        return outputs


def test_the_python_example_runs_with_what_pip_installed(tmp_path: Path, lab: Checkout, installed: Path) -> None:
    outputs = Example("python", tmp_path, lab, installed / "bin").run_through()
    assert outputs["volumeId"].startswith("vol-")


def test_the_yaml_example_runs_the_plugin(tmp_path: Path, lab: Checkout, yaml_host: Path) -> None:
    shutil.copytree(ROOT / "components", tmp_path / "components", ignore=NOT_SOURCE)
    (tmp_path / "components" / ".venv").symlink_to(Path(sys.prefix))
    outputs = Example("yaml", tmp_path, lab, yaml_host).run_through()
    assert outputs["volumeId"].startswith("vol-")
    assert len(set(outputs["servers"])) == 2, "two servers have two addresses"
