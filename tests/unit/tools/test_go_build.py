"""A Go module is built again when what it is made from changed, and not otherwise."""

import os
import shutil
from pathlib import Path

import pytest

from tools.catalogue import CSI_SANITY, MODULES, GoModule
from tools.console import Progress
from tools.go_build import Build


def test_tools_built_from_the_same_are_fresh(tmp_path: Path) -> None:
    for module in MODULES:
        build = built(module, tmp_path)
        assert build.is_fresh(), f"{module.folder} would be built at every call"


def test_deleted_tool_makes_its_module_stale(tmp_path: Path) -> None:
    build = built(CSI_SANITY, tmp_path)
    os.unlink(tmp_path / "csi-sanity")
    assert not build.is_fresh(), "the first command that needs the tool would fail"


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "new.go"])
def test_changed_file_makes_its_module_stale(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "module"
    shutil.copytree(CSI_SANITY.path, folder)
    module = GoModule(str(folder), CSI_SANITY.title, CSI_SANITY.tools)
    build = built(module, tmp_path / "bin")
    with (folder / name).open("a") as file:
        file.write("\n")
    assert not build.is_fresh(), f"the change of {name} would go unnoticed"


def built(module: GoModule, folder: Path) -> Build:
    """Return a build of `module` in `folder` that is recorded as finished."""
    folder.mkdir(exist_ok=True)
    for tool in module.tools:
        (folder / tool).touch()
    build = Build(module, folder, folder, Progress())
    assert not build.is_fresh(), "without a record, nothing says what the binaries were built from"
    build.record()
    return build
