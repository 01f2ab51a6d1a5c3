"""The packages land in the lab's environment, whatever the user's pip and Python are told."""

import os
import sys
import venv
import zipfile
from pathlib import Path

import pip
import pytest

from tools.console import Progress
from tools.errors import SetupError
from tools.pip_settings import environment_for_pip
from tools.python_env import PythonEnvironment

PIN = "storage-lab-example==1.0"


def wheel(folder: Path) -> None:
    """Write a package without content, as a mirror would have it."""
    info = "storage_lab_example-1.0.dist-info"
    texts = {
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: storage-lab-example\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "".join(f"{info}/{name},,\n" for name in ("METADATA", "WHEEL", "RECORD")),
    }
    with zipfile.ZipFile(folder / "storage_lab_example-1.0-py3-none-any.whl", "w") as out:
        for name, text in texts.items():
            out.writestr(name, text)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PythonEnvironment:
    """An environment that is not made yet; its only package is in a folder that the user's pip.conf names."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "PYTHON"))]:
        monkeypatch.delenv(name)
    # The pip of this environment: to unpack another one takes as long as all unit tests.
    monkeypatch.setattr(venv, "create", _create)
    wheel(tmp_path)
    (tmp_path / "requirements.txt").write_text(f"{PIN}\n")
    (tmp_path / "pip.conf").write_text(
        f"[global]\nquiet = 3\nno-index = true\nfind-links = {tmp_path}\n"
        f"[install]\ntarget = {tmp_path}/elsewhere\nno-deps = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    return PythonEnvironment(tmp_path, "requirements.txt", Progress())


def _create(folder: Path, with_pip: bool, clear: bool) -> None:
    assert with_pip
    venv.EnvBuilder(clear=clear).create(folder)
    [packages] = (folder / "lib").glob("python*/site-packages")
    (packages / "pip").symlink_to(Path(pip.__file__).parent)


def test_settings_that_send_packages_elsewhere_do_not(
    environment: PythonEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = environment.folder.with_name("elsewhere")
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX"):
        monkeypatch.setenv(name, str(elsewhere))
    for name in ("PIP_USER", "PIP_DRY_RUN"):
        monkeypatch.setenv(name, "1")
    environment.make()
    assert environment.is_fresh()
    assert not elsewhere.exists(), f"something was written to {list(elsewhere.rglob('*'))}"


def test_packages_that_are_missing_afterwards_are_named(
    environment: PythonEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_install", lambda: None)
    with pytest.raises(SetupError, match=f"{PIN} is not in .*pip config debug"):
        environment.make()
    assert not environment.is_fresh(), "the next setup would not even try"


def test_how_to_fetch_is_the_users_and_where_to_install_is_not(environment: PythonEnvironment) -> None:
    ambient = {
        **os.environ,
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_FIND_LINKS": "/the/shells/own",
        "PIP_TARGET": "/elsewhere",
        "PYTHONHOME": "/nonexistent",
    }
    env = environment_for_pip(Path(sys.executable), ambient)
    settings = {name: value for name, value in env.items() if name.startswith(("PIP_", "PYTHON"))}
    expected = {
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_FIND_LINKS": "/the/shells/own",
        "PIP_NO_INDEX": "true",
        "PIP_CONFIG_FILE": os.devnull,
    }
    assert settings.items() >= expected.items(), "without them a machine behind a mirror gets no package"
    assert not {"PIP_TARGET", "PIP_NO_DEPS", "PIP_QUIET", "PYTHONHOME"} & set(settings)
