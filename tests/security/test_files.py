"""The files, processes and sockets of a cloud, as another user of the machine finds them."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from localcloud import ec2_key
from localcloud.control_plane import ControlPlane
from localcloud.machine import processes
from localcloud.record.layout import Layout
from tests.local.clouds import record_of

AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")

# Run as another user: which of these paths can be read, listed or connected to, and what the processes tell.
LOOK = """
import json, os, socket, sys
given = json.load(sys.stdin)
found = []
for path in given["paths"]:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").close()
        found.append(path)
    except OSError:
        pass
for pid in given["pids"]:
    for name in ("environ", "mem", "fd"):
        try:
            path = f"/proc/{pid}/{name}"
            os.listdir(path) if name == "fd" else open(path, "rb").close()
            found.append(path)
        except OSError:
            pass
try:
    socket.socket(socket.AF_UNIX).connect(given["socket"])
    found.append(given["socket"])
except OSError:
    pass
json.dump(found, sys.stdout)
"""


def _secrets(cloud: ControlPlane) -> dict[str, str]:
    layout = Layout(cloud.folder)
    key = layout.client_key.read_text().splitlines()
    return {
        "the administrator's token": layout.token.read_text().split(",", 1)[0],
        "the EC2 key": ec2_key.read(layout.ec2_key).secret_access_key,
        "the private key": key[len(key) // 2],
    }


def test_every_file_of_a_cloud_is_its_owners_alone(cloud: ControlPlane) -> None:
    lock = cloud.folder.with_name(f"{cloud.folder.name}.lock")
    shared = [
        f"{stat.filemode(path.lstat().st_mode)} {path}"
        for path in (cloud.folder, lock, *cloud.folder.rglob("*"))
        if path.exists() and not path.is_symlink() and path.lstat().st_mode & 0o077
    ]
    assert shared == [], "others on this machine could read or change it, because its creator's umask is 0"


def test_no_secret_is_on_a_command_line_or_in_a_log(cloud: ControlPlane) -> None:
    lines = [" ".join(one.process.cmdline()) for one in processes.find(cloud.folder)]
    layout = Layout(cloud.folder)
    logs = [path.read_text(errors="replace") for path in (layout.kwokctl_log, *layout.log("x").parent.iterdir())]
    assert len(logs) > 5, "the logs are elsewhere by now"
    for what, secret in _secrets(cloud).items():
        assert not any(secret in line for line in lines), f"ps shows {what} to everybody"
        assert not any(secret in log for log in logs), f"a log that somebody sends along has {what}"


def test_each_secret_is_in_one_file(cloud: ControlPlane) -> None:
    layout = Layout(cloud.folder)
    homes = {layout.token, layout.ec2_key, layout.client_key}
    files = [path for path in cloud.folder.rglob("*") if path.is_file() and path not in homes]
    holders = [
        f"{what} in {path}"
        for path in files
        for what, secret in _secrets(cloud).items()
        if secret.encode() in path.read_bytes()
    ]
    assert holders == [], "a copy of a secret that nobody thinks of"


@AS_ROOT
def test_another_user_reads_nothing_of_a_cloud(cloud: ControlPlane) -> None:
    paths = [str(cloud.folder), *map(str, cloud.folder.rglob("*"))]
    tools = [path for path in paths if os.path.islink(path)]  # the programs, which are no secret
    given = {
        "paths": [path for path in paths if path not in tools],
        "pids": [one.process.pid for one in processes.find(cloud.folder)],
        "socket": record_of(cloud).socket,
    }
    assert _as_nobody(given) == []


@AS_ROOT
def test_another_user_does_not_reach_a_socket_elsewhere(open_folder: Path) -> None:
    """A cloud with a long path has its socket in the temporary folder."""
    folder = open_folder / ("x" * 120)
    cloud = ControlPlane(folder, tools=Path(psutil.__file__).parent)
    from localcloud.machine import csi_socket

    socket = csi_socket.choose(cloud.folder)
    assert not socket.is_relative_to(folder), "its socket is not elsewhere: this test shows nothing"
    csi_socket.prepare(socket, folder)
    try:
        socket.touch(mode=0o777)
        assert _as_nobody({"paths": [str(socket), str(socket.parent)], "pids": [], "socket": str(socket)}) == []
    finally:
        csi_socket.remove(socket, folder)


def _as_nobody(given: dict[str, Any]) -> list[str]:
    run: Any = subprocess.run
    words = [os.path.realpath(sys.executable), "-I", "-c", LOOK]
    done = run(
        words, input=json.dumps(given), user="nobody", group="nogroup", extra_groups=[], cwd="/", env={},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
