"""Builds the commands of a Go module into .lab/bin, unless they were built from the same before.

A module is made from its go.mod, go.sum and own sources, and from the flags. The Go build cache makes an interrupted
build go on where it stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tools import provider_sources
from tools.catalogue import MODULES, PROVIDER, GoModule
from tools.console import Progress
from tools.errors import SetupError
from tools.stamp import Stamp, digest_of

# No symbol tables and no DWARF: a third less to compile and to write. -trimpath keeps this machine's paths out.
FLAGS = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false"]
# The compiler collects garbage eight times more rarely: about a quarter of the time, for at most 4 GB of memory.
COMPILER = {"CGO_ENABLED": "0", "GOGC": "800"}
# Module cache, build cache and binaries of a cold build measured 6.3 GB.
DISK_NEEDED = 7 * 2**30


class Go:
    """The Go command of this machine, checked, with caches that can be written to."""

    def __init__(self, lab: Path) -> None:
        found = shutil.which("go")
        needed = _minimum_go()
        if found is None:
            raise SetupError(
                f"Go is not installed: the local cloud is built from source with Go {needed} or newer (go.dev/dl)."
            )
        self.command = found
        self.env = {**os.environ, **COMPILER, "GOFLAGS": "", "GOWORK": "off"}
        facts = json.loads(self._output("env", "-json", "GOVERSION", "GOCACHE", "GOMODCACHE", "GOPROXY"))
        self.version: str = facts["GOVERSION"]
        self.proxy: str = facts["GOPROXY"]
        numbers = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", self.version)
        if numbers and tuple(map(int, numbers.groups("0"))) < tuple(map(int, needed.split("."))):
            raise SetupError(
                f"Go {self.version.removeprefix('go')} is too old: Go {needed} or newer is needed (go.dev/dl)."
            )
        for name in ("GOCACHE", "GOMODCACHE"):
            if not _writable(Path(facts[name])):
                self.env[name] = str(lab / "cache" / name.lower())
        self.cache = Path(self.env.get("GOCACHE", facts["GOCACHE"]))

    def _output(self, *words: str) -> str:
        done = subprocess.run([self.command, *words], env=self.env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise SetupError(f"{self.command} does not work: {reason}")
        return done.stdout

    def module_dir(self, module: GoModule, dependency: str) -> Path:
        """Return the folder of a module that `module` requires; Go downloads it if its cache lacks it."""
        words = [self.command, "mod", "download", "-json", dependency]
        done = subprocess.run(words, env=self.env, cwd=module.path, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise self.explain(module.title, (done.stderr + done.stdout).splitlines())
        return Path(json.loads(done.stdout)["Dir"])

    def explain(self, what: str, lines: list[str]) -> SetupError:
        """Return the error for a failed build whose output is `lines`."""
        text = "\n".join(lines)
        if "no space left on device" in text:
            return SetupError(
                f"The disk filled up while building {what}: free about 7 GB and run the same command again, "
                "it goes on from here."
            )
        unreachable = (
            r"dial tcp|no such host|connection refused|i/o timeout|TLS handshake|proxyconnect|network is unreachable"
        )
        if re.search(unreachable, text):
            return SetupError(
                f"The Go module proxy cannot be reached (GOPROXY is {self.proxy}): check the network or the proxy "
                "settings and run the same command again, it goes on from here."
            )
        tail = "\n".join(f"    {line}" for line in lines[-12:])
        return SetupError(f"Building {what} failed. The compiler said:\n{tail}")


def _minimum_go() -> str:
    """Return the newest Go that one of our go.mod files asks for, such as 1.26.6."""
    found = [re.search(r"^go (\d+)\.(\d+)\.(\d+)$", (m.path / "go.mod").read_text(), re.MULTILINE) for m in MODULES]
    return ".".join(map(str, max(tuple(map(int, f.groups())) for f in found if f)))


def _is_cold(cache: Path) -> bool:
    """Return whether the Go build cache is still empty: the first build makes 256 folders."""
    return not cache.is_dir() or not any(cache.glob("??/*"))


def _writable(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)


class Build:
    """The binaries of one Go module, in the folder `into`."""

    def __init__(self, module: GoModule, lab: Path, into: Path, progress: Progress) -> None:
        self.module, self.lab, self.bin, self.progress = module, lab, into, progress

    def is_fresh(self) -> bool:
        """Return whether every tool of the module exists, built from what its folder holds now."""
        return self._stamp.holds(self._made_from(), [self.bin / tool for tool in self.module.tools])

    def run(self, go: Go) -> None:
        """Compile and link all tools of the module.

        Raises SetupError, which says why the build failed.
        """
        free = shutil.disk_usage(self.lab).free
        if free < DISK_NEEDED and _is_cold(go.cache):
            raise SetupError(
                f"Building the tools needs about 7 GB of disk, and {free / 2**30:.1f} GB are free at {self.lab}."
            )
        self.bin.mkdir(parents=True, exist_ok=True)
        for left in self.lab.glob("build-*"):  # by a killed build: of two at once, one waits for the other's lock
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=self.lab, prefix="build-") as scratch:
            sources, out = Path(scratch) / "sources", Path(scratch) / "bin"
            sources.mkdir()
            out.mkdir()
            self._compile(go, sources, out)
            for tool, package in self.module.tools.items():
                # `go build` names a binary after its package's folder, and leaves out a version suffix.
                parts = [part for part in package.split("/") if not re.fullmatch(r"v\d+", part)]
                built = out / (self.module.path.name if package == "." else parts[-1])
                os.replace(built, self.bin / tool)
        self.record()

    def record(self) -> None:
        """Write down what the binaries were built from."""
        self._stamp.add(self._made_from())

    def _compile(self, go: Go, sources: Path, out: Path) -> None:
        module = self.module
        values = " ".join(f"-X {name}={value}" for name, value in module.versions().items())
        words = [go.command, "build", "-v", *FLAGS, f"-ldflags=-s -w {values}", "-o", f"{out}{os.sep}"]
        if module is PROVIDER:
            words += provider_sources.flags(module, lambda needed: go.module_dir(module, needed), sources)
        words += module.tools.values()
        compiled, said = 0, list[str]()
        with subprocess.Popen(words, cwd=module.path, env=go.env, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            with _heartbeat(lambda: self._report(out, compiled)):
                for line in process.stderr:
                    compiled += 1
                    if not re.fullmatch(r"[\w./~-]+", line.rstrip()):
                        said.append(line.rstrip())
        if process.returncode != 0:
            raise go.explain(module.title, said)

    def _report(self, out: Path, compiled: int) -> None:
        module = self.module
        linked = len(list(out.iterdir()))
        packages = f", {compiled} packages compiled" if compiled else ""
        self.progress.show(f"{module.title}: {linked} of {len(module.tools)} tools{packages}")

    @property
    def _stamp(self) -> Stamp:
        return Stamp(self.bin / f".{self.module.stamp or self.module.path.name}.json")

    def _made_from(self) -> dict[str, str]:
        module = self.module
        more = Path(provider_sources.__file__).read_bytes() if module is PROVIDER else b""  # makes its other sources
        return {
            "sources": digest_of(module.path, (path for path in module.path.rglob("*") if path.is_file()), more),
            "tools": json.dumps(module.tools),
            "versions": json.dumps(module.versions()),
            "flags": " ".join(FLAGS),
        }


@contextlib.contextmanager
def _heartbeat(beat: Callable[[], None]) -> Iterator[None]:
    """Call `beat` every half second while the block runs."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(0.5):
            beat()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
