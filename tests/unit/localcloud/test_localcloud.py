"""The parts of the local cloud that need no process."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from checkout.until import until
from localcloud import kubeconfig
from localcloud.control_plane import ControlPlane
from localcloud.errors import LocalCloudError, log_end
from localcloud.kwok import kwokctl as kwok
from localcloud.kwok import stages
from localcloud.machine import csi_socket as sockets
from localcloud.machine import lock, ports, processes
from localcloud.record import record as facts_file
from localcloud.record.layout import Layout
from localcloud.record.record import Facts

ROOT = Path(__file__).parents[3]


def make_facts(folder: Path) -> Facts:
    numbers = dict(zip(ports.NAMES, range(20000, 20100), strict=False))
    return Facts(folder.name, str(folder), "us-east-1", "/tools", numbers, "/short/csi.sock", "uid", "Q0E=")


def configured(tmp_path: Path) -> dict[str, Any]:
    return kwok.configuration(make_facts(tmp_path), Layout(tmp_path))


def test_blocks_of_ports_do_not_overlap_while_they_are_reserved() -> None:
    with ports.reserve() as one, ports.reserve() as other:
        assert not set(one.values()) & set(other.values()), "two clouds of the same second would collide"
        assert set(one) == set(ports.NAMES)


def test_every_port_lies_below_those_that_systems_give_to_outgoing_connections() -> None:
    assert ports.END_PORT <= 32768, "any client could be using the port when its server starts"


def test_a_taken_port_is_seen_and_its_holder_named() -> None:
    with ports.reserve() as block:
        port = block["guard"]
        assert not ports.is_free(port), "the guard is held until the context ends"
        assert f"(pid {os.getpid()})" in ports.holder(port)
    assert ports.is_free(port)


def test_a_lock_is_held_by_one_at_a_time_and_leaves_no_file_without_its_cloud(tmp_path: Path) -> None:
    folder = tmp_path / "clouds" / "one"
    waiting: list[str] = []
    entered = threading.Event()

    def second() -> None:
        with lock.exclusive(folder, tell=waiting.append):
            entered.set()

    with lock.exclusive(folder, tell=waiting.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.2), "two commands worked on one cloud at the same time"
    thread.join(timeout=10)
    assert entered.is_set(), "the lock was not handed on"
    assert len(waiting) == 1, "the one that waits says so, once"
    assert list(folder.parent.iterdir()) == [], "a lock file of a cloud that does not exist stays behind"


def test_a_lock_that_is_never_given_up_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0)
    with (
        lock.exclusive(tmp_path, tell=print),
        pytest.raises(LocalCloudError, match="another command"),
        lock.exclusive(tmp_path, tell=print),
    ):
        pass


def test_facts_come_back_as_they_were_written(tmp_path: Path) -> None:
    facts = make_facts(tmp_path)
    facts_file.write(tmp_path, facts)
    assert facts_file.read(tmp_path) == facts
    assert [path.name for path in tmp_path.iterdir()] == [facts_file.FILE], "no temporary file stays"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"name": "x"}', "\xff"])
def test_damaged_facts_are_an_error_with_the_file_and_never_a_new_cloud(tmp_path: Path, damage: str) -> None:
    (tmp_path / facts_file.FILE).write_bytes(damage.encode("latin-1"))
    with pytest.raises(LocalCloudError, match=r"cloud\.json"):
        facts_file.read(tmp_path)


def test_where_nothing_was_created_there_are_no_facts(tmp_path: Path) -> None:
    assert ControlPlane(tmp_path / "none", tools=tmp_path).facts() is None
    assert list(tmp_path.iterdir()) == [], "asking must not make anything"


@pytest.mark.parametrize("act", ["start", "stop", "ensure_running", "health"])
def test_a_cloud_that_was_never_created_is_named_by_whatever_needs_one(tmp_path: Path, act: str) -> None:
    cloud = ControlPlane(tmp_path / "none", tools=tmp_path / "no-tools")
    with pytest.raises(LocalCloudError, match=r"there is no local cloud in .*none"):
        getattr(cloud, act)()
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk_space_is_said_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in kwok.TOOLS:
        (tmp_path / tool).touch(mode=0o755)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 3 * 2**20}))
    with pytest.raises(LocalCloudError, match=r"3 MB are free .* needs 256 MB"):
        ControlPlane(tmp_path / "cloud", tools=tmp_path).create("us-east-1")


def test_the_socket_lies_in_the_cloud_where_its_path_is_short_and_plain(tmp_path: Path) -> None:
    assert sockets.choose(Path("/srv/lab/.lab/clouds/local")) == Path("/srv/lab/.lab/clouds/local/csi.sock")


@pytest.mark.parametrize("folder", ["/srv/" + "x" * 150, "/srv/my lab", "/srv/Übung", "/srv/100%"])
def test_for_any_other_path_the_socket_lies_in_a_short_private_folder(folder: str) -> None:
    socket = sockets.choose(Path(folder))
    assert len(os.fsencode(socket)) <= sockets.LONGEST_PATH, "the system refuses longer ones"
    assert socket != sockets.choose(Path(folder + "2")), "two clouds must not meet in one socket"


def test_a_socket_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    with pytest.raises(LocalCloudError, match="not a private folder"):
        sockets.prepare(shared / "csi.sock", tmp_path / "cloud")


def test_the_kubeconfig_is_yaml_whatever_the_path(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b": \\ ü'
    read = yaml.safe_load(kubeconfig.text(make_facts(folder)))
    plugin = read["users"][0]["user"]["exec"]
    assert plugin["args"][-1] == str(folder), "the plugin would look elsewhere"
    assert plugin["interactiveMode"] == "Never"
    assert read["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:20001"


def test_everything_listens_on_the_loopback_interface(tmp_path: Path) -> None:
    options = configured(tmp_path)["options"]
    assert options["bindAddress"] == "127.0.0.1", "kwokctl's default is every interface"


def test_every_process_carries_whose_it_is(tmp_path: Path) -> None:
    asked = configured(tmp_path)
    marked = {
        entry["name"]: entry.get("extraEnvs", entry.get("envs"))
        for entry in asked["componentsPatches"] + asked["components"]
    }
    assert set(marked) == {component.name for component in kwok.COMPONENTS}
    for name, variables in marked.items():
        assert {"name": "LOCALCLOUD_COMPONENT", "value": name} in variables, f"{name} could never be ended again"


def test_the_stages_are_those_that_the_lab_needs() -> None:
    read = [json.loads(document) for document in stages.documents()]
    kinds = {(stage["spec"]["resourceRef"]["kind"], *stage["spec"]["next"]) for stage in read}
    assert kinds == {("Node", "statusTemplate"), ("Pod", "statusTemplate"), ("Pod", "delete")}


@pytest.mark.parametrize("seconds", [0.002, 0.3])
def test_a_process_that_becomes_another_program_is_still_known(tmp_path: Path, seconds: float) -> None:
    class Becoming:
        """What psutil says of a process in the middle of an exec: it is there, without environment and arguments."""

        pid = 12
        begun = time.monotonic()

        def environ(self) -> dict[str, str]:
            marked = {processes.FOLDER_VARIABLE: str(tmp_path), processes.COMPONENT_VARIABLE: "ebs-csi"}
            return marked if time.monotonic() - self.begun > seconds else {}

        def cmdline(self) -> list[str]:
            return []

        def ppid(self) -> int:
            return 1

        def is_running(self) -> bool:
            return True

        def status(self) -> str:
            return psutil.STATUS_RUNNING

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "process_iter", lambda: [Becoming()])
        [found] = processes.find(tmp_path)
    assert found.component == "ebs-csi", "a start that looks in this moment would say that it has died"


def test_a_process_without_an_environment_does_not_hold_up_a_look(tmp_path: Path) -> None:
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
def test_a_process_that_ends_thread_by_thread_is_there_until_its_ports_are_free() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _ENDS_WITHOUT_ITS_THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        owned = processes.Owned("kube-apiserver", psutil.Process(process.pid))
        until(lambda: owned.process.status() == psutil.STATUS_ZOMBIE, "its first thread ends", 10)
        assert owned.alive, "who waits for its end would find its port taken"
        assert not ports.is_free(port)
        processes.end([owned], grace_seconds=0)
        assert ports.is_free(port)


def test_the_end_of_a_log_is_short(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 100_000 + "\nlast words\n")
    assert log_end(log).splitlines()[-1] == "    last words"
    assert len(log_end(log)) < 1000, "one endless line must not fill the screen"
    assert "nothing" in log_end(tmp_path / "none")


@pytest.mark.parametrize("arguments", [[], ["credential"], ["make", "x"], ["stop", "a", "b"]])
def test_bad_use_of_the_command_is_one_line_and_exit_status_2(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "localcloud", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stdout == ""


def test_the_credential_of_a_cloud_that_does_not_exist_is_one_line_and_exit_status_1(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "localcloud", "credential", str(tmp_path / "none")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines() == [
        f"there is no local cloud in {tmp_path / 'none'}: `pulumi up` creates one"
    ]
