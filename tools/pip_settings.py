"""Which of the user's settings reach pip and Python while the packages are installed.

How packages are fetched is the user's (a mirror, a proxy, a certificate). Where they go, and which, is the lab's: with
`target` in a pip.conf, or PIP_TARGET or PYTHONPATH in the shell, pip would succeed and the environment stay empty.
"""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

# The long options of pip about fetching. pip reads any of them from a file, or from PIP_ and the name in capitals.
FETCHING = frozenset(
    {
        *("index-url", "extra-index-url", "no-index", "find-links", "trusted-host", "keyring-provider"),
        *("proxy", "cert", "client-cert", "timeout", "default-timeout", "retries", "resume-retries"),
        *("cache-dir", "no-cache-dir", "use-feature", "use-deprecated"),
    }
)


def environment_for_pip(python: Path, ambient: Mapping[str, str]) -> dict[str, str]:
    """Return `ambient` with those settings of pip, from its files and from the shell, that say how to fetch."""
    env = environment_for_python(ambient)
    files = {name: ambient[name] for name in ("PIP_CONFIG_FILE",) if name in ambient}
    # Verbose, because a file may ask pip to be quiet, and then it lists nothing.
    listed = subprocess.run(
        [str(python), "-m", "pip", "config", "list", "-vvv"],
        env={**env, **files}, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    fetching = {
        **_fetching(_settings(listed)),
        **{name: value for name, value in ambient.items() if _option(name) in FETCHING},
    }
    return {**env, **fetching, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INPUT": "1"}


def environment_for_python(ambient: Mapping[str, str]) -> dict[str, str]:
    """Return `ambient` without what would make an interpreter, or pip, look or write elsewhere."""
    kept = {name: value for name, value in ambient.items() if not name.startswith(("PIP_", "PYTHON"))}
    return {**kept, "PYTHONNOUSERSITE": "1"}


def _option(variable: str) -> str:
    return variable.removeprefix("PIP_").lower().replace("_", "-") if variable.startswith("PIP_") else ""


def _fetching(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"PIP_{key.upper().replace('-', '_')}": value for key, value in settings.items() if key in FETCHING}


def _settings(listed: str) -> dict[str, str]:
    """Return the options in what `pip config list` printed, such as `global.timeout='60'`; install's win, as in pip."""
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for line in listed.splitlines():
        name, equals, value = line.partition("=")
        section, _, key = name.partition(".")
        if equals and section in found:
            found[section][key.replace("_", "-")] = str(ast.literal_eval(value))
    return found["global"] | found["install"]
