"""Which Pulumi this project runs on: the user's own, or the one built into .lab/pulumi."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

# The engine of this release speaks the protocol of the Python SDK that requirements.txt pins.
OLDEST = (3, 200)
NOT_HERE = "This is the activate of {}, from which this checkout was moved or copied: make setup, then . .lab/activate"
FOREIGN_PASSPHRASE = (
    "PULUMI_CONFIG_PASSPHRASE is set in this shell, and Pulumi uses it for the stacks of this lab. If Pulumi says "
    '"incorrect passphrase": unset PULUMI_CONFIG_PASSPHRASE, then . .lab/activate'
)


def installed_pulumi() -> Path | None:
    """Return the official CLI on PATH if it is new enough and has its Python language host beside it."""
    found = shutil.which("pulumi", path=os.pathsep.join(_path_without_ours()))
    if found is None:
        return None
    beside = Path(found).resolve().parent / "pulumi-language-python"
    if (
        not beside.exists()
        and shutil.which("pulumi-language-python", path=os.pathsep.join(_path_without_ours())) is None
    ):
        return None
    said = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    numbers = re.match(r"v(\d+)\.(\d+)", said)
    return Path(found) if numbers and tuple(map(int, numbers.groups())) >= OLDEST else None


def _path_without_ours() -> list[str]:
    """Return PATH without the folders that `activate` of any checkout put there."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return [folder for folder in folders if Path(folder).parts[-3:] != (".lab", "pulumi", "bin")]


def write_dynamic_launcher(home: Path, python: Path) -> None:
    """Write the plugin `pulumi-python`, with which the CLI runs dynamic resources."""
    launcher = home / "bin" / "pulumi-resource-pulumi-python"
    words = (str(python), "-u", str(Path(__file__).with_name("dynamic_host.py")))
    launcher.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    launcher.chmod(0o755)


def activation(root: Path, home: Path | None) -> str:
    """Return the shell lines that put the tools on PATH.

    `home` is the PULUMI_HOME of the built CLI, None where the user's own Pulumi runs.
    A backend and a passphrase that the user has set are kept. Those that another checkout's activate set are not the
    user's: with them, a command in this checkout would work on the state of that one.
    """
    lab = root / ".lab"
    folders = [lab / "bin", root / ".venv" / "bin"]
    if home is not None:
        folders.insert(0, home / "bin")
    path = ":".join(map(str, folders))
    state = state_url(lab / "state")
    lines = [
        "# Made by `make setup`. Use it as: . .lab/activate",
        f"[ ! -e .lab/activate ] || [ .lab/activate -ef {shlex.quote(str(lab / 'activate'))} ] || "
        f"echo {shlex.quote(NOT_HERE.format(root))} >&2",
        'if [ -n "${STORAGE_LAB_PATH-}" ]; then',
        # In the middle, because a shell may have put something in front since then.
        '    case ":$PATH:" in *":$STORAGE_LAB_PATH:"*)',
        '        PATH=":$PATH:"; PATH="${PATH%%":$STORAGE_LAB_PATH:"*}:${PATH#*":$STORAGE_LAB_PATH:"}"',
        '        PATH="${PATH#:}"; PATH="${PATH%:}" ;;',
        "    esac",
        '    [ "${PULUMI_BACKEND_URL-}" != "$STORAGE_LAB_BACKEND_URL" ] || unset PULUMI_BACKEND_URL',
        '    [ "${PULUMI_HOME-}" != "$STORAGE_LAB_PULUMI_HOME" ] || unset PULUMI_HOME',
        "fi",
        f"export STORAGE_LAB_PATH={shlex.quote(path)} STORAGE_LAB_BACKEND_URL={shlex.quote(state)} "
        f"STORAGE_LAB_PULUMI_HOME={shlex.quote(str(home or ''))}",
        'export PATH="$STORAGE_LAB_PATH:$PATH"',
    ]
    if home is not None:
        lines.append('export PULUMI_HOME="$STORAGE_LAB_PULUMI_HOME"')
    lines += [
        'export PULUMI_BACKEND_URL="${PULUMI_BACKEND_URL:-$STORAGE_LAB_BACKEND_URL}"',
        # The stacks hold no key (the kubeconfigs fetch theirs), so the passphrase may be empty.
        'export PULUMI_CONFIG_PASSPHRASE="${PULUMI_CONFIG_PASSPHRASE-}"',
        'if [ -n "$PULUMI_CONFIG_PASSPHRASE" ]; then',
        f"    echo {shlex.quote(FOREIGN_PASSPHRASE)} >&2",
        "fi",
        "export PULUMI_SKIP_UPDATE_CHECK=true",
        # What runs at once mostly waits for the cluster. Pulumi goes by the processors, 8 on two of them: then a
        # class of 30 namespaces, each of which takes Kubernetes 5 s to delete, goes in four rounds.
        'export PULUMI_PARALLEL="${PULUMI_PARALLEL:-32}"',
        # Modules of another Python would come before those of the lab's environment.
        "unset PYTHONHOME PYTHONPATH",
        # Pulumi's parts speak gRPC with each other over loopback, and Python's gRPC would take even that to a proxy.
        'no_proxy="${no_proxy:-${NO_PROXY-}}"',
        'export no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}"',
        'export NO_PROXY="$no_proxy"',
    ]
    return "\n".join(lines) + "\n"


def state_url(folder: Path) -> str:
    """Return the URL of a folder that keeps Pulumi's state.

    Without metadata: Pulumi writes these, in place, into a second file beside each state. A kill in that moment leaves
    the file empty, and then every command on the stack ends with "failed to load checkpoint: EOF".
    """
    return f"file://{quote(str(folder))}?metadata=skip"
