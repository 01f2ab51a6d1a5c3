"""The EC2 API slow, throttled, failing after the work was done, away: one volume for each claim, none without one."""

from collections.abc import Iterator

import pytest

from checkout.until import until
from tests.faults.conftest import NewScene
from tests.faults.scene import Scene
from tests.faults.test_kills import kill
from tests.faulty_ec2 import Fault, FaultyEc2, dropped, faulty_ec2, lost, refused, slow

OPERATIONS = ("CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume")
FAULTS: dict[str, tuple[Fault, ...]] = {
    "EC2 slow by 3 s": (slow(3),),
    "EC2 says 500 after the work": (lost, lost),
    "EC2 throttles": (refused("RequestLimitExceeded", 503),) * 4,
    # The sidecars double their patience at every failure: a fourth would cost eight seconds more.
    "EC2 away for 3 requests": (dropped,) * 3,
}


@pytest.fixture(scope="module")
def faulty(new_scene: NewScene) -> Iterator[tuple[Scene, FaultyEc2]]:
    """A lab whose CSI controller reaches EC2 through a proxy that misbehaves on demand."""
    scene = new_scene()
    scene.lab.up()
    endpoint = scene.lab.outputs()["ec2Endpoint"]
    kept = scene.lab.cloud / ".kwok" / "clusters" / "cloud" / "kwok.yaml"
    with faulty_ec2(endpoint) as (faulty, url):
        text = kept.read_text()
        assert f"--ec2-endpoint={endpoint}" in text, "the controller is told its endpoint elsewhere by now"
        kept.write_text(text.replace(f"--ec2-endpoint={endpoint}", f"--ec2-endpoint={url}"))
        kill(scene, "ebs-csi")
        scene.lab.up()
        yield scene, faulty
        scene.lab.clear()


@pytest.mark.parametrize("what", FAULTS)
def test_after_ec2_recovers_there_is_one_volume_for_each_claim(faulty: tuple[Scene, FaultyEc2], what: str) -> None:
    scene, ec2 = faulty
    lab = scene.lab
    server = f"extra-{list(FAULTS).index(what)}-server"
    for operation in OPERATIONS:
        ec2.next(operation, *FAULTS[what])
    with scene.fault(what, "create and attach") as saw:
        lab.configure({"servers": ["nfs-server", server]})
        lab.up()
        saw("up is done, later than usual")
        scene.check_standing()
        until(lambda: _attached(scene) == 2, "both volumes are attached")
    with scene.fault(what, "detach and delete") as saw:
        lab.configure({"servers": ["nfs-server"]})
        lab.up()
        saw("up is done; the volume goes later")
        until(lambda: len(scene.witness.volumes()) == 1, "the volume of the removed server is gone", 120)
        until(lambda: len(lab.get("pv")["items"]) == 1, "its PersistentVolume as well", 120)
        scene.check_standing()
    assert ec2.calm() == set(OPERATIONS), "a fault that did not happen tests nothing"


def test_a_destroy_goes_through_an_ec2_that_fails(faulty: tuple[Scene, FaultyEc2]) -> None:
    scene, ec2 = faulty
    for operation in ("DetachVolume", "DeleteVolume"):
        ec2.next(operation, lost, refused("RequestLimitExceeded", 503), dropped)
    with scene.fault("EC2 fails in three ways", "destroy") as saw:
        scene.lab.destroy()
        saw("destroy is done, later than usual")
        scene.check_gone()
    assert ec2.calm() == {"DetachVolume", "DeleteVolume"}, "a fault that did not happen tests nothing"


def _attached(scene: Scene) -> int:
    attachments = scene.lab.get("volumeattachments")["items"]
    return sum(bool(one.get("status", {}).get("attached")) for one in attachments)
