"""The EC2 API slow, throttled, failing after the work was done, away: one volume for each claim, none without one."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from checkout.until import until
from localcloud import ec2_key
from localcloud.record.layout import Layout
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, interrupt, kill, summary
from tests.faults.selection import cases
from tests.faulty_ec2 import Fault, FaultyEc2, dropped, faulty_ec2, held, lost, refused, slow

OPERATIONS = ("CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume")
FAULTS: dict[str, tuple[Fault, ...]] = {
    "EC2 slow by 3 s": (slow(3),),
    "EC2 says 500 after the work": (lost, lost),
    "EC2 throttles": (refused("RequestLimitExceeded", 503),) * 4,
    # The sidecars double their patience at every failure: a fourth would cost eight seconds more.
    "EC2 away for 3 requests": (dropped,) * 3,
}


@contextmanager
def through_faulty_ec2(fault_lab: FaultLab) -> Iterator[FaultyEc2]:
    """Have the CSI controller of a lab that is up reach EC2 through a proxy that misbehaves on demand."""
    endpoint = fault_lab.checkout.outputs()["ec2Endpoint"]
    kept = fault_lab.checkout.cloud / ".kwok" / "clusters" / "cloud" / "kwok.yaml"
    with faulty_ec2(endpoint, ec2_key.read(Layout(fault_lab.checkout.cloud).ec2_key)) as (faulty, url):
        text = kept.read_text()
        assert f"--ec2-endpoint={endpoint}" in text, "the controller is told its endpoint elsewhere by now"
        kept.write_text(text.replace(f"--ec2-endpoint={endpoint}", f"--ec2-endpoint={url}"))
        kill(fault_lab, "ebs-csi")
        fault_lab.checkout.up()
        yield faulty
        fault_lab.checkout.clear()


@pytest.fixture(scope="module")
def faulty(new_fault_lab: NewFaultLab) -> Iterator[tuple[FaultLab, FaultyEc2]]:
    fault_lab = new_fault_lab()
    fault_lab.checkout.up()
    with through_faulty_ec2(fault_lab) as faulty:
        yield fault_lab, faulty


@pytest.mark.parametrize("what", cases(FAULTS, telling=["EC2 says 500 after the work"]))
def test_each_claim_has_one_volume_after_ec2_recovers(faulty: tuple[FaultLab, FaultyEc2], what: str) -> None:
    fault_lab, ec2 = faulty
    checkout = fault_lab.checkout
    server = f"extra-{list(FAULTS).index(what)}-server"
    for operation in OPERATIONS:
        ec2.next(operation, *FAULTS[what])
    with fault_lab.fault(what, "create and attach") as saw:
        checkout.configure({"servers": ["nfs-server", server]})
        checkout.up()
        saw("up is done, later than usual")
        fault_lab.check_standing()
        until(lambda: _attached(fault_lab) == 2, "both volumes are attached")
    with fault_lab.fault(what, "detach and delete") as saw:
        checkout.configure({"servers": ["nfs-server"]})
        checkout.up()
        saw("up is done; the volume goes later")
        # Kubernetes' attach-detach controller doubles its patience too, up to two minutes.
        until(lambda: len(fault_lab.ec2_state.volumes()) == 1, "the volume of the removed server is gone", 300)
        until(lambda: len(checkout.get("pv")["items"]) == 1, "its PersistentVolume as well", 120)
        fault_lab.check_standing()
    assert ec2.calm() == set(OPERATIONS), "a fault that did not happen tests nothing"


def test_destroy_finishes_though_ec2_fails(faulty: tuple[FaultLab, FaultyEc2]) -> None:
    fault_lab, ec2 = faulty
    for operation in ("DetachVolume", "DeleteVolume"):
        ec2.next(operation, lost, refused("RequestLimitExceeded", 503), dropped)
    with fault_lab.fault("EC2 fails in three ways", "destroy") as saw:
        fault_lab.checkout.destroy()
        saw("destroy is done, later than usual")
        fault_lab.check_gone()
    assert ec2.calm() == {"DetachVolume", "DeleteVolume"}, "a fault that did not happen tests nothing"


def test_destroy_waits_for_a_volume_that_is_being_created(new_fault_lab: NewFaultLab) -> None:
    """It takes over a minute, because csi-provisioner tells nobody when the create for a deleted claim has ended."""
    fault_lab, release = new_fault_lab(), Event()
    checkout = fault_lab.checkout
    checkout.up()
    with through_faulty_ec2(fault_lab) as ec2:
        checkout.kubectl("delete", "deployment,pvc", "--all")
        until(lambda: not fault_lab.ec2_state.volumes(), "the first volume is deleted", 60)
        with fault_lab.fault("CreateVolume unanswered", "up, Ctrl-C, destroy") as saw:
            ec2.next("CreateVolume", held(release))
            up = fault_lab.start("up")
            until(lambda: "CreateVolume" in ec2.struck, "the create has reached EC2", 120)
            interrupt(up)
            fault_lab.finish(up)
            destroy = fault_lab.start("destroy")
            waits = "the volume that the driver may still be creating for claim default/nfs-pvc"
            until(lambda: waits in fault_lab.said() or destroy.poll() is not None, "the destroy waits", 120)
            assert destroy.poll() is None, f"a volume was still on its way:\n{fault_lab.said()}"
            release.set()
            done = fault_lab.finish(destroy)
            assert done.status == 0, done.output
            saw(f"waits for {waits}; {summary(done.output)}")
            fault_lab.check_gone()


def _attached(fault_lab: FaultLab) -> int:
    attachments = fault_lab.checkout.get("volumeattachments")["items"]
    return sum(bool(one.get("status", {}).get("attached")) for one in attachments)
