"""A claim on the local cloud without Pulumi: from the claim to an attached volume, a kill, and its deletion."""

import subprocess
from collections.abc import Iterator

import pytest

from checkout.until import until
from localcloud.control_plane import ControlPlane
from tests.local import claims
from tests.local.claims import apply, claim, pod
from tests.local.clouds import ec2_of, kill, kubectl, pids, volume_ids


@pytest.fixture
def node(cloud: ControlPlane) -> Iterator[None]:
    with claims.node(cloud):
        yield


def test_a_claim_gets_and_returns_its_volume_despite_a_kill(cloud: ControlPlane, node: None) -> None:
    client = ec2_of(cloud)
    before = volume_ids(client)
    apply(cloud, claim(), pod())

    def attached() -> bool:
        return kubectl(cloud, "get", "volumeattachment", "-o", "jsonpath={.items[*].status.attached}").stdout == "true"

    until(attached, "the volume is attached")
    handle = kubectl(cloud, "get", "pv", "-o", "jsonpath={.items[*].spec.csi.volumeHandle}").stdout
    assert volume_ids(client) - before == {handle}, "exactly one volume for one claim"

    kill(*pids(cloud).values())
    deleted: subprocess.CompletedProcess[str] = kubectl(cloud, "delete", "pod/pod", "pvc/claim")
    assert deleted.returncode == 0, deleted.stderr
    # Nodes that report seldom would take far longer than 30 s.
    until(lambda: handle not in volume_ids(client), "the volume of a cloud that was rebooted is deleted", 30)
    until(lambda: kubectl(cloud, "get", "pv", "-o", "name").stdout == "", "the PersistentVolume is deleted")
