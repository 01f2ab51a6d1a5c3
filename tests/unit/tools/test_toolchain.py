"""Setting up a machine: what is told when something is missing, and that nothing is done twice.

The real setup runs here with an empty .lab and a stand-in for the Go command that plays one situation; real compilation
is what every other tier runs on.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import go_build, setup
from tools.catalogue import CSI_SANITY, KUBERNETES, MODULES, GoModule
from tools.go_build import Build
from tools.progress import Progress
from tools.python_env import PythonEnvironment

PROXY = "the-proxy"


@dataclass
class Machine:
    """A machine with a fresh Python environment and whatever Go command `go` installs."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def go(self, script: str, version: str = "go1.99.0") -> None:
        """Installs a Go command that tells its facts and runs `script` for anything else."""
        cache = str(self.root)
        facts = json.dumps({"GOVERSION": version, "GOCACHE": cache, "GOMODCACHE": cache, "GOPROXY": PROXY})
        command = self.root / "commands" / "go"
        command.write_text(f"#!/bin/sh\nif [ \"$1\" = env ]; then echo '{facts}'; exit 0; fi\n{script}\n")
        command.chmod(0o755)

    def set_up(self, purpose: str = "run") -> tuple[int, str]:
        """Exit status and what the user saw."""
        status = setup.main([purpose])
        return status, self.capsys.readouterr().err

    def refuses(self, *parts: str) -> None:
        status, said = self.set_up()
        assert status == 1, f"a setup that cannot go on must fail:\n{said}"
        for part in parts:
            assert part in said, f"the sentence should say {part!r}:\n{said}"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machine:
    monkeypatch.setattr(setup, "LAB", tmp_path / ".lab")
    monkeypatch.setattr(setup, "PULUMI_HOME", tmp_path / ".lab" / "pulumi")
    monkeypatch.setattr(PythonEnvironment, "is_fresh", lambda self: True)
    (tmp_path / "commands").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "commands"))
    return Machine(tmp_path, capsys)


def saying(message: str) -> str:
    return f"echo '{message}' >&2; exit 1"


def test_a_machine_without_go_is_told_which_go_to_install(machine: Machine) -> None:
    machine.refuses("Go is not installed", "1.26")


@pytest.mark.parametrize("version", ["1.21.3", "1.26", "1.26.5"])
def test_a_go_that_is_too_old_is_named_with_the_version_that_is_needed(machine: Machine, version: str) -> None:
    machine.go("exit 1", version=f"go{version}")
    machine.refuses(f"Go {version} is too old", "1.26.6")


def test_a_go_that_does_not_work_is_named_with_what_it_says(machine: Machine) -> None:
    machine.go("exit 1")
    command = machine.root / "commands" / "go"
    command.write_text("#!/bin/sh\necho 'go: no version is set' >&2\nexit 126\n")
    machine.refuses(str(command), "no version is set")


@pytest.mark.parametrize(
    "message",
    [
        'Get "x": dial tcp: lookup x: no such host',
        "dial tcp 127.0.0.1:9: connect: connection refused",
        "net/http: TLS handshake timeout",
        "proxyconnect tcp: dial tcp 10.0.0.1:3128: i/o timeout",
    ],
)
def test_an_unreachable_module_proxy_is_one_sentence_that_names_it(machine: Machine, message: str) -> None:
    machine.go(saying(message))
    machine.refuses("cannot be reached", PROXY)


def test_a_disk_that_fills_up_says_how_much_is_needed_and_that_the_work_goes_on(machine: Machine) -> None:
    machine.go(saying("link: writing: no space left on device"))
    machine.refuses("disk filled up", "7 GB", "goes on")


def test_a_disk_that_fills_up_under_the_setup_itself_is_one_sentence_too(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/the/file")

    machine.go("exit 0")
    monkeypatch.setattr(Build, "run", write)
    machine.refuses("/the/file: No space left on device", "goes on")


def test_what_a_killed_build_left_is_removed_by_the_next(machine: Machine) -> None:
    left = machine.root / ".lab" / "build-killed" / "bin"
    left.mkdir(parents=True)
    (left / "kubectl").touch()
    machine.go(saying("x.go:1:1: undefined: Thing"))
    machine.set_up()
    assert not left.parent.exists(), "half a gigabyte of each killed build would stay for ever"


def test_too_little_disk_is_told_before_anything_is_compiled(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.go(saying("compiling"))
    monkeypatch.setattr(go_build, "DISK_NEEDED", 2**60)
    monkeypatch.setattr(go_build, "_is_cold", lambda cache: True)
    machine.refuses("needs about", "are free")


def test_a_compiler_error_is_shown_with_what_was_being_built(machine: Machine) -> None:
    machine.go(saying("x.go:1:1: undefined: Thing"))
    machine.refuses("undefined: Thing", KUBERNETES.title)


def test_a_failed_build_leaves_neither_binaries_nor_scratch_folders(machine: Machine) -> None:
    machine.go(saying("x.go:1:1: undefined: Thing"))
    machine.set_up()
    left = [path for path in (machine.root / ".lab").rglob("*") if path.name not in ("setup.lock", "bin")]
    assert left == [], f"half-made tools must not look like tools: {left}"


def test_a_folder_that_cannot_be_written_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.root / "file").touch()
    monkeypatch.setattr(setup, "LAB", machine.root / "file" / ".lab")
    machine.refuses("file/.lab", "must be writable")


def test_a_wrong_word_is_answered_with_the_right_ones(machine: Machine) -> None:
    status, said = machine.set_up("everything")
    assert status == 2
    assert "unit|run|test" in said


def test_unit_tests_need_no_go_at_all(machine: Machine) -> None:
    status, said = machine.set_up("unit")
    assert status == 0, said


def test_tools_that_are_fresh_are_not_built_again(tmp_path: Path) -> None:
    for module in MODULES:
        build = built(module, tmp_path)
        assert build.is_fresh(), f"{module.folder} would be built at every call"


def test_a_tool_that_was_deleted_makes_its_module_stale(tmp_path: Path) -> None:
    build = built(CSI_SANITY, tmp_path)
    os.unlink(tmp_path / "csi-sanity")
    assert not build.is_fresh(), "a missing binary would be found out by its first user"


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "new.go"])
def test_a_changed_file_makes_its_module_stale(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "module"
    shutil.copytree(CSI_SANITY.path, folder)
    module = GoModule(str(folder), CSI_SANITY.title, CSI_SANITY.tools)
    build = built(module, tmp_path / "bin")
    with (folder / name).open("a") as file:
        file.write("\n")
    assert not build.is_fresh(), f"the change of {name} would go unnoticed"


def built(module: GoModule, folder: Path) -> Build:
    """The record of a finished build of `module` in `folder`."""
    folder.mkdir(exist_ok=True)
    for tool in module.tools:
        (folder / tool).touch()
    build = Build(module, folder, folder, Progress())
    assert not build.is_fresh(), "without a record, nothing says what the binaries were built from"
    build.record()
    return build
