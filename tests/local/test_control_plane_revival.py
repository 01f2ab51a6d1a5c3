"""A killed cloud: what is started again, when, and what is left alone."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from checkout.until import until
from localcloud.components import components_of
from localcloud.control_plane import ControlPlane
from localcloud.errors import LocalCloudError
from localcloud.machine import ports, processes
from localcloud.machine.ports import LOOPBACK
from localcloud.record.layout import Layout
from tests.local.clouds import credential, ec2_of, kill, kubectl, pids, record_of, volume_ids

pytestmark = pytest.mark.thorough


@pytest.fixture
def unrelated() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is not the cloud's."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def _is_whole(cloud: ControlPlane) -> bool:
    """Return whether all is well and no command works on the cloud any more."""
    return not cloud.health() and all(one.component != processes.STARTER for one in processes.find(cloud.folder))


@pytest.mark.parametrize("victim", ["etcd", "kube-controller-manager", "ec2-api", "ebs-csi", "csi-attacher"])
@pytest.mark.parametrize("supervised", [True, False], ids=["by itself", "by the next command"])
def test_one_killed_process_is_started_again_alone(cloud: ControlPlane, victim: str, supervised: bool) -> None:
    before = pids(cloud)
    if supervised:
        kill(before[victim])
        until(lambda: _is_whole(cloud), f"{victim} is started again", 30)
    else:
        kill(before["supervisor"], before[victim])
        assert any(fault.component == victim for fault in cloud.health()), "health must name what died"
        cloud.ensure_running()
        before["supervisor"] = pids(cloud)["supervisor"]
    after = pids(cloud)
    assert cloud.health() == []
    # The sidecars end by themselves when the CSI controller does.
    sidecars = {component.name for component in components_of(record_of(cloud)) if component.kind == "sidecar"}
    expected = {victim, *sidecars} if victim == "ebs-csi" else {victim}
    assert {name for name in after if after[name] != before[name]} == expected, "what was well must not be restarted"


def test_the_kubeconfig_revives_everything(cloud: ControlPlane, unrelated: "subprocess.Popen[bytes]") -> None:
    kubectl(cloud, "create", "configmap", "kept", "--from-literal=a=b")
    volume = ec2_of(cloud).create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    kill(*pids(cloud).values())
    for component in components_of(record_of(cloud)):  # as after a reboot: the numbers belong to others by now
        Layout(cloud.folder).pid_file(component.name).write_text(str(unrelated.pid))

    said = kubectl(cloud, "get", "configmap", "kept", "-o", "jsonpath={.data.a}")

    assert said.stdout == "b", f"the first command after a reboot must find the cluster and its data: {said.stderr}"
    assert cloud.health() == [], "kubectl got its credential before everything was up"
    assert volume in volume_ids(ec2_of(cloud)), "a volume whose creation was answered must outlive a kill"
    assert unrelated.pid not in pids(cloud).values()
    assert unrelated.poll() is None, "a process that is not the cloud's was ended because of a stale pid file"


def test_a_supervisor_that_cannot_succeed_logs_why_and_ends(
    cloud: ControlPlane,
) -> None:
    running = pids(cloud)
    port = record_of(cloud).ports["kube-scheduler"]
    os.kill(running["supervisor"], signal.SIGSTOP)  # until the port is taken
    kill(running["kube-scheduler"])
    # The system lets go of a killed server's connections in its own time.
    until(lambda: ports.is_free(port), "the port can be taken", 30)
    with socket.create_server((LOOPBACK, port)):
        os.kill(running["supervisor"], signal.SIGCONT)
        until(lambda: "supervisor" not in pids(cloud), "the supervisor gives up what cannot succeed", 30)
        assert {fault.component for fault in cloud.health()} == {"kube-scheduler", "supervisor"}
    log = Layout(cloud.folder).log("supervisor").read_text()
    assert f"giving up: port {port} of kube-scheduler is taken by" in log, "nobody could find out why"
    cloud.start()
    assert cloud.health() == []


def test_two_clients_at_once_start_everything_once(cloud: ControlPlane) -> None:
    kill(*pids(cloud).values())
    plugins = [credential(cloud), credential(cloud)]
    for plugin in plugins:
        out, err = plugin.communicate(timeout=60)
        assert plugin.returncode == 0, err
        assert "ExecCredential" in out, "both clients need their credential"
    assert set(pids(cloud)) == {component.name for component in components_of(record_of(cloud))}


def test_stop_keeps_the_data(cloud: ControlPlane, unrelated: "subprocess.Popen[bytes]") -> None:
    kubectl(cloud, "create", "configmap", "stays", "--from-literal=a=b")
    running = pids(cloud)
    kill(running["supervisor"], running["csi-attacher"])
    Layout(cloud.folder).pid_file("csi-attacher").write_text(str(unrelated.pid))
    cloud.stop()
    assert pids(cloud) == {}, "stop leaves processes behind"
    assert unrelated.poll() is None, "stop ended a process because a stale pid file named it"
    cloud.start()
    assert kubectl(cloud, "get", "configmap", "stays").returncode == 0, "stop lost what was in the cluster"


def test_a_taken_port_is_named_with_its_holder(cloud: ControlPlane) -> None:
    cloud.stop()
    port = record_of(cloud).ports["kube-scheduler"]
    with socket.create_server((LOOPBACK, port)), pytest.raises(LocalCloudError) as refused:
        cloud.start()
    assert f"port {port} of kube-scheduler" in str(refused.value), "the user must learn which port"
    assert "pid" in str(refused.value), "and who has it"
    assert pids(cloud) == {}, "a start that cannot succeed must leave nothing running"
    cloud.start()
    assert cloud.health() == []
