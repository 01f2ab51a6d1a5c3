"""The test of the rehearsal itself: programs with a planted error must fail in it, or be seen to leak."""

from collections import Counter
from pathlib import Path

import pytest

from checkout import CommandFailed
from tests.planted.transform import plant
from tests.rehearsal import planted_errors
from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.scenarios import ResultOf
from tests.rehearsal.snapshot_lab import SnapshotLab

pytestmark = pytest.mark.thorough


def failure_of_up(rehearsal: AwsRehearsal) -> str:
    with pytest.raises(CommandFailed) as failure:
        rehearsal.checkout.up()
    return str(failure.value)


def coredns_with_the_cluster(folder: Path) -> str:
    with AwsRehearsal(folder) as rehearsal:
        plant(rehearsal.checkout.folder, planted_errors.coredns_with_the_cluster)
        return failure_of_up(rehearsal)


def nodes_before_the_cluster(folder: Path) -> str:
    with AwsRehearsal(folder) as rehearsal:
        plant(rehearsal.checkout.folder, planted_errors.nodes_before_the_cluster)
        return failure_of_up(rehearsal)


def volumes_not_waited_for(folder: Path) -> Counter[str]:
    with AwsRehearsal(folder) as rehearsal:
        plant(rehearsal.checkout.folder, planted_errors.volumes_not_waited_for)
        rehearsal.checkout.up()
        rehearsal.checkout.destroy()
        return rehearsal.left()


def snapshots_forgotten(folder: Path) -> tuple[Counter[str], list[str]]:
    """Return what a destroy leaves of a lab with a snapshot, and the snapshots that the lab's tag finds."""
    with AwsRehearsal(folder, {"snapshots": True}) as rehearsal:
        plant(rehearsal.checkout.folder, planted_errors.snapshots_forgotten)
        rehearsal.checkout.up()
        lab = SnapshotLab(rehearsal)
        lab.take("kept", of="nfs-pvc")
        rehearsal.checkout.destroy()
        return rehearsal.left(), lab.ebs_snapshots()


SCENARIOS = [volumes_not_waited_for, coredns_with_the_cluster, nodes_before_the_cluster, snapshots_forgotten]


def test_coredns_with_the_cluster_is_a_deadlock(result_of: ResultOf) -> None:
    degraded = "EKS Add-On coredns: timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED')"
    assert degraded in result_of(coredns_with_the_cluster), (
        "the add-on waits for nodes, and the nodes wait for the component that the add-on is a child of"
    )


def test_nodes_that_do_not_wait_for_the_cluster_fail(result_of: ResultOf) -> None:
    assert "No cluster found for name" in result_of(nodes_before_the_cluster)


def test_destroy_that_does_not_wait_for_volumes_leaks_them(result_of: ResultOf) -> None:
    assert result_of(volumes_not_waited_for) == Counter(volume=1), (
        "the driver ended before it could delete the volume, and nobody said so"
    )


def test_destroy_that_does_not_wait_for_snapshots_leaks_them(result_of: ResultOf) -> None:
    left, found = result_of(snapshots_forgotten)
    assert left["snapshot"] == 1, "the driver ended, and nobody said that the snapshot is left"
    assert found == [], "without the lab's tag the command in docs/eks.md does not find it"
