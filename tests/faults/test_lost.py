"""The data of the cloud lost and the state kept; the state lost and the data kept."""

import shutil
import subprocess

import pytest

from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, kill, summary
from tests.faults.selection import cases

# Pulumi's own switch for a cluster that is gone. It is not needed here, and does no harm.
SWITCH = {"PULUMI_K8S_DELETE_UNREACHABLE": "true"}


@pytest.fixture(scope="module")
def fault_lab(new_fault_lab: NewFaultLab) -> FaultLab:
    return new_fault_lab()


LOST = {
    f"{cloud} cloud, then {command}": (cloud, command)
    for command in ("up", "destroy")
    for cloud in ("stopped", "running")
}


@pytest.mark.parametrize("what", cases(LOST, telling=["running cloud, then up"]))
def test_stack_goes_on_without_its_lost_cloud(fault_lab: FaultLab, what: str) -> None:
    checkout, (cloud, command) = fault_lab.checkout, LOST[what]
    checkout.up()
    switched = ", with Pulumi's switch" if cloud == "running" else ""
    with fault_lab.fault(f"data folder of a {cloud} cloud gone", f"then {command}{switched}") as saw:
        if cloud == "stopped":
            kill(fault_lab)
        # A cloud that runs makes parts of it anew meanwhile.
        subprocess.run(["rm", "-rf", checkout.cloud], check=False)
        fault_lab.ec2_state.forget()
        said = getattr(checkout, command)(env=SWITCH if cloud == "running" else {}).stdout
        sentence = "The local cloud of this stack, .lab/clouds/local, was deleted, and its volumes with it."
        assert sentence in said, "a user has to learn that the data is gone"
        saw(f"{sentence} {summary(said)}")
        if command == "up":
            fault_lab.check_standing()
            # Without the variable the next command would take it back, if it were in the state.
            checkout.preview("--expect-no-changes")
        else:
            fault_lab.check_gone()


def test_up_takes_over_the_cloud_of_a_lost_state(fault_lab: FaultLab) -> None:
    checkout = fault_lab.checkout
    checkout.up()
    before = checkout.outputs()
    with fault_lab.fault("state gone, data kept", "then up") as saw:
        _forget(fault_lab)
        said = checkout.up().stdout
        assert "is there already" in said, "taking over what is there has to be said"
        saw(next(line.strip() for line in said.splitlines() if "is there already" in line)[-120:])
        assert checkout.outputs()["volumeId"] == before["volumeId"], "a second volume for the same claim"
        fault_lab.check_standing()


def test_one_command_removes_the_cloud_of_a_lost_state(fault_lab: FaultLab) -> None:
    checkout = fault_lab.checkout
    checkout.up()
    with fault_lab.fault("state gone, data kept", "then delete") as saw:
        _forget(fault_lab)
        checkout.run("python", "-m", "localcloud", "delete", str(checkout.cloud))
        saw("python -m localcloud delete .lab/clouds/local")
        assert checkout.processes() == []
        assert not checkout.cloud.exists()
        # With the cloud went its EC2, volumes included: nothing of it is anywhere.
        fault_lab.ec2_state.forget()
        checkout.up()
        fault_lab.check_standing()


def test_destroy_deletes_a_tour_that_the_state_lost(new_fault_lab: NewFaultLab) -> None:
    """An interrupted up may not record what it created."""
    fault_lab = new_fault_lab(config={"tour": True, "reclaimTimeoutSeconds": 60})
    checkout = fault_lab.checkout
    checkout.up()
    with fault_lab.fault("a tour of three Pods, gone from the state", "then destroy") as saw:
        checkout.kubectl("scale", "statefulset/growing", "-n", "tour", "--replicas=3")
        checkout.kubectl("rollout", "status", "statefulset/growing", "-n", "tour", "--timeout=60s")
        [claim] = [
            one["urn"] for one in checkout.state() if one["urn"].endswith(":PersistentVolumeClaim::tour-dynamic")
        ]
        checkout.pulumi("state", "delete", claim, "--yes", "--target-dependents", "--stack", "local")
        names = [one["urn"].rpartition("::")[2] for one in checkout.state()]
        assert "tour-growing" not in names, "the state still knows what this test is about"
        said = checkout.destroy(expect=None)
        assert said.returncode == 0, f"four volumes are left, or held up the destroy:\n{said.stdout}"
        fault_lab.check_gone()
        saw(summary(said.stdout))


def _forget(fault_lab: FaultLab) -> None:
    shutil.rmtree(fault_lab.checkout.folder / ".lab" / "state" / ".pulumi")
    fault_lab.checkout.pulumi("stack", "select", "--create", fault_lab.checkout.stack)
