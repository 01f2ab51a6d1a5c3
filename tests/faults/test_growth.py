"""A growth under faults: the claim keeps its one volume, which gets the size, or a failure says what to do."""

from collections.abc import Callable, Iterator
from subprocess import Popen

import pytest

from localcloud.components import NODE
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, errors, interrupt, kill, kill_tree, summary
from tests.faults.selection import cases
from tests.faults.test_ec2 import FAULTS, through_faulty_ec2
from tests.faults.test_interrupted import unlock
from tests.faulty_ec2 import FaultyEc2, refused

REFUSED = refused("VolumeModificationRateExceeded")


@pytest.fixture(scope="module")
def faulty(new_fault_lab: NewFaultLab) -> Iterator[tuple[FaultLab, FaultyEc2]]:
    fault_lab = new_fault_lab()
    fault_lab.checkout.up()
    with through_faulty_ec2(fault_lab) as faulty:
        yield fault_lab, faulty


def check_grown(fault_lab: FaultLab, volume: str, gib: int) -> None:
    """Assert that the lab has this one volume, and that EC2, PersistentVolume and claim say its size."""
    checkout = fault_lab.checkout
    fault_lab.check_standing()
    assert checkout.outputs()["volumeId"] == volume, "the data is lost"
    assert ebs_size(fault_lab, volume) == gib
    assert checkout.get("pv")["items"][0]["spec"]["capacity"]["storage"] == f"{gib}Gi"
    assert checkout.get("pvc")["items"][0]["status"]["capacity"]["storage"] == f"{gib}Gi"
    checkout.preview("--expect-no-changes")


def ebs_size(fault_lab: FaultLab, volume: str) -> int:
    return fault_lab.checkout.ec2().describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"]


def next_size(fault_lab: FaultLab, volume: str) -> int:
    """Configure a size of one GiB more than the volume has; return it."""
    gib = ebs_size(fault_lab, volume) + 1
    fault_lab.checkout.configure({"storage": f"{gib}Gi"})
    return gib


@pytest.mark.parametrize("what", cases(FAULTS, telling=["EC2 says 500 after the work"]))
def test_a_volume_grows_once_ec2_recovers(faulty: tuple[FaultLab, FaultyEc2], what: str) -> None:
    fault_lab, ec2 = faulty
    volume = fault_lab.checkout.outputs()["volumeId"]
    gib = next_size(fault_lab, volume)
    ec2.next("ModifyVolume", FAULTS[what][0])
    ec2.next("DescribeVolumesModifications", *FAULTS[what])
    with fault_lab.fault(what, "grow") as saw:
        saw(summary(fault_lab.checkout.up().stdout))
        check_grown(fault_lab, volume, gib)
    assert ec2.calm() == {"ModifyVolume", "DescribeVolumesModifications"}, "a fault that did not happen tests nothing"


def test_a_refusal_for_hours_is_told_and_may_be_taken_back(faulty: tuple[FaultLab, FaultyEc2]) -> None:
    fault_lab, ec2 = faulty
    checkout = fault_lab.checkout
    volume = checkout.outputs()["volumeId"]
    before = ebs_size(fault_lab, volume)
    gib = next_size(fault_lab, volume)
    ec2.next("ModifyVolume", *[REFUSED] * 1000)
    with fault_lab.fault("EC2: modified too often", "grow, take it back, grow") as saw:
        told = checkout.up(expect=None)
        assert told.returncode != 0
        assert "four modifications of a volume in 24 hours" in told.stdout
        assert "set storage-lab:storage back" in told.stdout
        saw(errors(told.stdout))
        checkout.configure({"storage": f"{before}Gi"})
        checkout.up()
        fault_lab.check_standing()
        ec2.calm()
        checkout.configure({"storage": f"{gib}Gi"})
        saw(summary(checkout.up().stdout))
        check_grown(fault_lab, volume, gib)


def _kill_of(*names: str) -> Callable[[FaultLab, "Popen[bytes]"], None]:
    return lambda fault_lab, _running: kill(fault_lab, *names)


BLOWS: dict[str, Callable[[FaultLab, "Popen[bytes]"], None]] = {
    **{
        f"SIGKILL of {name}": _kill_of(name)
        for name in ("csi-resizer", "ebs-csi", "ec2-api", "kube-apiserver", "etcd", NODE)
    },
    "SIGKILL of the whole cloud": _kill_of(),
    "SIGKILL of pulumi and its processes": lambda _fault_lab, running: kill_tree(running),
    "Ctrl-C": lambda _fault_lab, running: interrupt(running),
}


@pytest.mark.parametrize("what", cases(BLOWS, telling=["SIGKILL of pulumi and its processes"]))
def test_a_struck_growth_ends_with_the_next_up(fault_lab: FaultLab, what: str) -> None:
    checkout = fault_lab.checkout
    volume = checkout.outputs()["volumeId"]
    gib = next_size(fault_lab, volume)
    with fault_lab.fault(what, "grow") as saw:
        struck = fault_lab.strike("up", "VolumeGrowth ebs updating", lambda running: BLOWS[what](fault_lab, running))
        saw(f"first: {errors(struck.output) or summary(struck.output)}")
        assert "Traceback" not in struck.output
        unlock(fault_lab)
        saw(f"then: {summary(checkout.up().stdout)}")
        check_grown(fault_lab, volume, gib)


def test_a_lab_that_grows_is_destroyed_whole(faulty: tuple[FaultLab, FaultyEc2]) -> None:
    fault_lab, ec2 = faulty
    volume = fault_lab.checkout.outputs()["volumeId"]
    next_size(fault_lab, volume)
    ec2.next("ModifyVolume", *[REFUSED] * 1000)
    fault_lab.checkout.up(expect=None)
    with fault_lab.fault("EC2: modified too often", "destroy") as saw:
        saw(summary(fault_lab.checkout.destroy().stdout))
        fault_lab.check_gone()
    ec2.calm()
