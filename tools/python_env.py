"""The project's virtual environment, made from requirements.txt and made again when that changes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tools.progress import Progress
from tools.refusal import Refusal

OLDEST = (3, 11)


def python_is_usable() -> None:
    """Raises Refusal where the interpreter that runs this is too old or cannot make virtual environments."""
    if sys.version_info < OLDEST:
        version, needed = ".".join(map(str, sys.version_info[:3])), ".".join(map(str, OLDEST))
        raise Refusal(
            f"Python {version} is too old: Python {needed} or newer is needed "
            "(make PYTHON=python3.12 ... names another)."
        )
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        raise Refusal("This Python has no ensurepip: install the package python3-venv of your system.") from None


class PythonEnvironment:
    """`.venv` below `root`, holding what the requirements file names."""

    def __init__(self, root: Path, requirements: str, progress: Progress) -> None:
        self.folder, self.requirements, self.progress = root / ".venv", root / requirements, progress

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def is_fresh(self) -> bool:
        """Whether the environment has what the file names, for this version of Python; more than that is fine."""
        try:
            recorded = json.loads((self.folder / "installed.json").read_text())
        except (OSError, ValueError):
            return False
        return recorded.get(self.requirements.name) == self.fingerprint() and self.python.exists()

    def make(self) -> None:
        """Creates or completes the environment, bytecode included.

        Raises:
            Refusal: pip failed; the sentence says why.
        """
        recorded = self._recorded_for_this_python()
        if not recorded:
            venv.create(self.folder, with_pip=True, clear=True)
        words = [
            self.python,
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "-r",
            self.requirements,
        ]
        with tempfile.TemporaryFile("w+") as log:
            with subprocess.Popen(
                [str(word) for word in words], stdout=subprocess.PIPE, stderr=log, text=True, env=_without_user_site()
            ) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    self.progress.show(f"Python packages: {line.strip()[:70]}")
            if process.returncode != 0:
                log.seek(0)
                raise _explain(log.read())
        recorded[self.requirements.name] = self.fingerprint()
        if self.requirements.name == "requirements-dev.txt":
            recorded["requirements.txt"] = PythonEnvironment(
                self.folder.parent, "requirements.txt", self.progress
            ).fingerprint()
        (self.folder / "installed.json").write_text(json.dumps({"python": sys.version, **recorded}))

    def _recorded_for_this_python(self) -> dict[str, str]:
        try:
            recorded = json.loads((self.folder / "installed.json").read_text())
        except (OSError, ValueError):
            return {}
        return recorded if recorded.get("python") == sys.version and self.python.exists() else {}

    def fingerprint(self) -> str:
        names = {"requirements.txt", self.requirements.name}
        digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
        for name in sorted(names):
            digest.update((self.requirements.parent / name).read_bytes())
        return digest.hexdigest()


def _without_user_site() -> dict[str, str]:
    return {**os.environ, "PYTHONNOUSERSITE": "1", "PIP_REQUIRE_VIRTUALENV": "0"}


def _explain(said: str) -> Refusal:
    errors = [line for line in said.splitlines() if "ERROR" in line] or said.splitlines()
    if "No space left on device" in said:
        return Refusal(
            "The disk filled up while installing the Python packages: free about 1 GB and run the same command again."
        )
    if any(
        sign in said
        for sign in ("NewConnectionError", "Max retries", "Could not find a version", "ConnectTimeout", "ProxyError")
    ):
        return Refusal(
            "The Python packages cannot be downloaded: check the network or pip's settings. "
            f"pip said: {errors[-1].strip()}"
        )
    return Refusal(
        "Installing the Python packages failed. pip said:\n" + "\n".join(f"    {line}" for line in errors[-8:])
    )
