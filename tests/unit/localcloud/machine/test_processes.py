"""Processes: which belong to a cloud, and when they have ended."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from checkout.until import until
from localcloud.liveness import COMPONENT_VARIABLE, FOLDER_VARIABLE
from localcloud.machine import ports, processes
from localcloud.record.layout import Layout


@pytest.mark.parametrize("seconds", [0.002, 0.3])
def test_a_process_in_the_middle_of_an_exec_is_found(tmp_path: Path, seconds: float) -> None:
    class Becoming:
        """What psutil says of a process in the middle of an exec: it exists, without environment and arguments."""

        pid = 12
        begun = time.monotonic()

        def environ(self) -> dict[str, str]:
            marked = {FOLDER_VARIABLE: str(tmp_path), COMPONENT_VARIABLE: "ebs-csi"}
            return marked if time.monotonic() - self.begun > seconds else {}

        def cmdline(self) -> list[str]:
            return []

        def cwd(self) -> str:
            return "/"

        def ppid(self) -> int:
            return 1

        def is_running(self) -> bool:
            return True

        def status(self) -> str:
            return psutil.STATUS_RUNNING

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "process_iter", lambda: [Becoming()])
        [found] = processes.find(tmp_path)
    assert found.component == "ebs-csi", "a start that looks in this moment would say that the process has died"


def test_a_process_without_environment_holds_up_nothing(tmp_path: Path) -> None:
    bare = subprocess.Popen(["sleep", "60"], env={})
    try:
        begun = time.monotonic()
        assert processes.read_pid_file(_written(tmp_path / "pid", str(bare.pid)), tmp_path, "etcd") is None
        assert time.monotonic() - begun < 1, "each of somebody's processes would cost every look two seconds"
    finally:
        bare.kill()
        bare.wait()


def _written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


_ENDS_WITHOUT_ITS_THREADS = """
import ctypes, socket, sys, threading
from checkout.until import until
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=sys.stdin.read).start()
print(listener.getsockname()[1], flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process ends with all of its threads at once")
def test_a_process_is_alive_until_its_last_thread_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ENDS_WITHOUT_ITS_THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        owned = processes.Owned("kube-apiserver", psutil.Process(process.pid))
        until(lambda: owned.process.status() == psutil.STATUS_ZOMBIE, "its first thread ends", 10)
        assert owned.alive, "a command that waits for its end would find its port taken"
        assert not ports.is_free(port)
        processes.end([owned], grace_seconds=0)
        assert ports.is_free(port)


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of the cloud in tmp_path / "cloud"."""
    folder = tmp_path / "cloud"
    Layout(folder).cluster.mkdir(parents=True)
    marked = {FOLDER_VARIABLE: str(folder), COMPONENT_VARIABLE: "etcd"}
    with subprocess.Popen(["sleep", "60"], env=marked, cwd=Layout(folder).cluster) as process:
        until(lambda: processes.find(folder), "it has become sleep")
        yield process
        process.kill()


def test_process_of_a_moved_cloud_is_found_where_it_is_today(tmp_path: Path, etcd: "subprocess.Popen[bytes]") -> None:
    before, after = tmp_path / "cloud", tmp_path / "elsewhere"
    before.rename(after)
    assert [one.process.pid for one in processes.find(after)] == [etcd.pid]
    Layout(before).cluster.mkdir(parents=True)
    assert processes.find(before) == [], "a new cloud in the old place would end the processes of the moved one"


def test_process_of_a_deleted_cloud_is_found_by_the_last_path(tmp_path: Path, etcd: "subprocess.Popen[bytes]") -> None:
    before, after = tmp_path / "cloud", tmp_path / "elsewhere"
    before.rename(after)
    shutil.rmtree(after)
    assert [one.process.pid for one in processes.find(after)] == [etcd.pid], "nobody would ever end it"


def test_copy_of_a_cloud_has_no_processes(tmp_path: Path, etcd: "subprocess.Popen[bytes]") -> None:
    shutil.copytree(tmp_path / "cloud", tmp_path / "copy")
    assert processes.find(tmp_path / "copy") == []
    assert etcd.poll() is None
