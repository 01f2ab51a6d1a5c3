"""Makes the project's virtual environment from requirements.txt, and again when that changes."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import Distribution
from pathlib import Path

from tools.console import Progress
from tools.errors import SetupError
from tools.pip_settings import environment_for_pip
from tools.stamp import Stamp

RUN_REQUIREMENTS = "requirements.txt"


def check_python() -> None:
    """Raise SetupError where this interpreter cannot make virtual environments."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        raise SetupError("This Python has no ensurepip: install the package python3-venv of your system.") from None


class PythonEnvironment:
    """`.venv` below `root`, holding what the requirements file names."""

    def __init__(self, root: Path, requirements: str, progress: Progress) -> None:
        self.folder, self.requirements, self.progress = root / ".venv", root / requirements, progress

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def is_fresh(self) -> bool:
        """Return whether the environment holds what the file names, for this version of Python."""
        made_from = {self.requirements.name: self._fingerprint(self.requirements.name)}
        return self._stamp.holds(made_from, [self.python]) and not self._missing()

    def make(self) -> None:
        """Create or complete the environment, bytecode included.

        Raises SetupError, which says why pip failed, or which packages are not there although it succeeded.
        """
        if not self._stamp.holds({"python": sys.version}, [self.python]):
            venv.create(self.folder, with_pip=True, clear=True)
        self._install()
        if missing := self._missing():
            raise SetupError(
                f"pip has ended well, and {', '.join(missing)} is not in {self.folder}. Look for a setting of pip or "
                "Python that sends packages elsewhere: `pip config debug` lists pip's, `env | grep PYTHON` Python's."
            )
        installed = {name: self._fingerprint(name) for name in self._files(self.requirements.name)}
        self._stamp.add({"python": sys.version, **installed})

    def _install(self) -> None:
        options = ("--disable-pip-version-check", "--no-input", "-r", str(self.requirements))
        with tempfile.TemporaryFile("w+") as log:
            with subprocess.Popen(
                [str(self.python), "-m", "pip", "install", *options],
                stdout=subprocess.PIPE, stderr=log, text=True,
                env=environment_for_pip(self.python, os.environ),
            ) as process:  # fmt: skip
                assert process.stdout is not None
                for line in process.stdout:
                    self.progress.show(f"Python packages: {line.strip()[:70]}")
            if process.returncode != 0:
                log.seek(0)
                raise _explain(log.read())

    def _missing(self) -> list[str]:
        """Return the pins of the requirements that are not in the environment, as "name==version"."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = str(self.folder / "lib" / version / "site-packages")

        def installed(name: str) -> str | None:
            found = next(iter(Distribution.discover(name=name, path=[packages])), None)
            return found.version if found else None

        return [f"{name}=={pinned}" for name, pinned in self._pins() if installed(name) != pinned]

    def _pins(self) -> list[tuple[str, str]]:
        texts = [(self.requirements.parent / name).read_text() for name in self._files(self.requirements.name)]
        return [pin for text in texts for pin in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)]

    @staticmethod
    def _files(requirements: str) -> list[str]:
        """Return the file and what it includes: the file of the developers includes the other one."""
        return sorted({RUN_REQUIREMENTS, requirements})

    @property
    def _stamp(self) -> Stamp:
        return Stamp(self.folder / "installed.json")

    def _fingerprint(self, requirements: str) -> str:
        """Return a digest of the requirements, what they include, and this version of Python."""
        digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
        for name in self._files(requirements):
            digest.update((self.requirements.parent / name).read_bytes())
        return digest.hexdigest()


def _explain(said: str) -> SetupError:
    errors = [line for line in said.splitlines() if "ERROR" in line] or said.splitlines()
    if "No space left on device" in said:
        return SetupError(
            "The disk filled up while installing the Python packages: free about 1 GB and run the same command again."
        )
    if any(
        sign in said
        for sign in ("NewConnectionError", "Max retries", "Could not find a version", "ConnectTimeout", "ProxyError")
    ):
        return SetupError(
            "The Python packages cannot be downloaded: check the network or pip's settings. "
            f"pip said: {errors[-1].strip()}"
        )
    return SetupError(
        "Installing the Python packages failed. pip said:\n" + "\n".join(f"    {line}" for line in errors[-8:])
    )
