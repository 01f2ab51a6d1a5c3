"""Makes the project's virtual environment from requirements.txt, and again when that changes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tools.console import Progress
from tools.errors import SetupError
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
        return self._stamp.holds({self.requirements.name: self._fingerprint(self.requirements.name)}, [self.python])

    def make(self) -> None:
        """Create or complete the environment, bytecode included.

        Raises SetupError, which says why pip failed.
        """
        if not self._stamp.holds({"python": sys.version}, [self.python]):
            venv.create(self.folder, with_pip=True, clear=True)
        self._install()
        # The file of the developers includes the other one.
        installed = {self.requirements.name, RUN_REQUIREMENTS}
        self._stamp.add({"python": sys.version, **{name: self._fingerprint(name) for name in installed}})

    def _install(self) -> None:
        options = ("--disable-pip-version-check", "--no-input", "-r", str(self.requirements))
        with tempfile.TemporaryFile("w+") as log:
            with subprocess.Popen(
                [str(self.python), "-m", "pip", "install", *options],
                stdout=subprocess.PIPE, stderr=log, text=True, env=_without_user_site(),
            ) as process:  # fmt: skip
                assert process.stdout is not None
                for line in process.stdout:
                    self.progress.show(f"Python packages: {line.strip()[:70]}")
            if process.returncode != 0:
                log.seek(0)
                raise _explain(log.read())

    @property
    def _stamp(self) -> Stamp:
        return Stamp(self.folder / "installed.json")

    def _fingerprint(self, requirements: str) -> str:
        """Return a digest of the requirements, what they include, and this version of Python."""
        digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
        for name in sorted({RUN_REQUIREMENTS, requirements}):
            digest.update((self.requirements.parent / name).read_bytes())
        return digest.hexdigest()


def _without_user_site() -> dict[str, str]:
    return {**os.environ, "PYTHONNOUSERSITE": "1", "PIP_REQUIRE_VIRTUALENV": "0"}


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
