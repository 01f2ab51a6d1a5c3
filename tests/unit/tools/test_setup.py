"""Setting up a machine: one sentence says what is missing or wrong.

The real setup runs with an empty .lab and a stand-in for the Go command. Every other tier runs on tools that were
really compiled.
"""

from __future__ import annotations

import ast
import errno
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import go_build, setup
from tools.catalogue import KUBERNETES
from tools.go_build import Build
from tools.python_env import PythonEnvironment

ROOT = Path(__file__).resolve().parents[3]
PROXY = "the-proxy"


@dataclass
class Machine:
    """A machine with a fresh Python environment and the Go command that `go` installs."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def go(self, script: str, version: str = "go1.99.0") -> None:
        """Install a Go command that prints its facts, and runs `script` for any other command."""
        cache = str(self.root)
        facts = json.dumps({"GOVERSION": version, "GOCACHE": cache, "GOMODCACHE": cache, "GOPROXY": PROXY})
        command = self.root / "commands" / "go"
        command.write_text(f"#!/bin/sh\nif [ \"$1\" = env ]; then echo '{facts}'; exit 0; fi\n{script}\n")
        command.chmod(0o755)

    def set_up(self, purpose: str = "run") -> tuple[int, str]:
        """Return the exit status and what the user saw."""
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


def test_machine_without_go_is_told_which_to_install(machine: Machine) -> None:
    machine.refuses("Go is not installed", "1.26")


@pytest.mark.parametrize("version", ["1.21.3", "1.26", "1.26.5"])
def test_old_go_is_named_with_the_version_that_is_needed(machine: Machine, version: str) -> None:
    machine.go("exit 1", version=f"go{version}")
    machine.refuses(f"Go {version} is too old", "1.26.6")


def test_go_that_fails_is_named_with_what_it_prints(machine: Machine) -> None:
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
def test_unreachable_module_proxy_is_named(machine: Machine, message: str) -> None:
    machine.go(saying(message))
    machine.refuses("cannot be reached", PROXY)


def test_full_disk_under_go_says_how_much_is_needed(machine: Machine) -> None:
    machine.go(saying("link: writing: no space left on device"))
    machine.refuses("disk filled up", "7 GB", "goes on")


def test_full_disk_under_setup_names_the_file(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/the/file")

    machine.go("exit 0")
    monkeypatch.setattr(Build, "run", write)
    machine.refuses("/the/file: No space left on device", "goes on")


def test_build_removes_the_folders_of_a_killed_one(machine: Machine) -> None:
    left = machine.root / ".lab" / "build-killed" / "bin"
    left.mkdir(parents=True)
    (left / "kubectl").touch()
    machine.go(saying("x.go:1:1: undefined: Thing"))
    machine.set_up()
    assert not left.parent.exists(), "every killed build would leave half a gigabyte"


def test_small_disk_is_refused_before_anything_is_compiled(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.go(saying("compiling"))
    monkeypatch.setattr(go_build, "DISK_NEEDED", 2**60)
    monkeypatch.setattr(go_build, "_is_cold", lambda cache: True)
    machine.refuses("needs about", "are free")


def test_compiler_error_is_shown_with_what_was_built(machine: Machine) -> None:
    machine.go(saying("x.go:1:1: undefined: Thing"))
    machine.refuses("undefined: Thing", KUBERNETES.title)


def test_failed_build_leaves_no_files(machine: Machine) -> None:
    machine.go(saying("x.go:1:1: undefined: Thing"))
    machine.set_up()
    left = [path for path in (machine.root / ".lab").rglob("*") if path.name not in ("setup.lock", "bin")]
    assert left == [], f"half-made tools must not look like tools: {left}"


def test_folder_that_cannot_be_written_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.root / "file").touch()
    monkeypatch.setattr(setup, "LAB", machine.root / "file" / ".lab")
    machine.refuses("file/.lab", "must be writable")


def test_wrong_purpose_is_answered_with_the_right_ones(machine: Machine) -> None:
    status, said = machine.set_up("everything")
    assert status == 2
    assert "unit|run|test" in said


def test_setup_for_unit_tests_needs_no_go(machine: Machine) -> None:
    status, said = machine.set_up("unit")
    assert status == 0, said


@pytest.mark.parametrize("version", [(3, 6, 9), (3, 8, 10), (3, 10, 14)])
def test_old_python_is_refused_in_one_sentence(version: tuple[int, int, int]) -> None:
    # Set up-front, as an old interpreter has it. That it can compile the module is checked below.
    code = f"import runpy, sys; sys.version_info = {version}; runpy.run_module('tools.setup', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert ".".join(map(str, version)) in line
    assert "3.11 or newer" in line


def test_old_python_can_compile_the_module_that_refuses_it() -> None:
    ast.parse((ROOT / "tools" / "__init__.py").read_text(), feature_version=(3, 4))
