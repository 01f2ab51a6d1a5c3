"""Snapshots on the EKS stack: a volume grows, is copied, restored in another server, and a destroy leaves no copy."""

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from checkout import CommandFailed
from checkout.until import until
from tests.planted.transform import plant
from tests.rehearsal import planted_errors
from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.events import Step, one, steps
from tests.rehearsal.scenarios import ResultOf
from tests.rehearsal.test_rehearsal import refused_calls

pytestmark = pytest.mark.thorough

CLUSTER = "storage-lab-dev"
WISH = {
    "apiVersion": "snapshot.storage.k8s.io/v1",
    "kind": "VolumeSnapshot",
    "metadata": {"name": "monday"},
    "spec": {"source": {"persistentVolumeClaimName": "nfs-pvc"}},
}
RESTORED = {"name": "restored", "fromSnapshot": "monday"}


@dataclass
class Run:
    """What was seen of a lab with snapshots from its up to its destroy."""

    created: list[Step] = field(default_factory=list)
    deleted: list[Step] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)
    off: str = ""
    refused: str = ""
    standing: bool = False
    first: dict[str, Any] = field(default_factory=dict)
    restored: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    line: str = ""
    again: str = ""
    left: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)


def take_snapshot(rehearsal: AwsRehearsal) -> None:
    wish = rehearsal.folder / "monday.json"
    wish.write_text(json.dumps(WISH))
    rehearsal.kubectl("apply", "--filename", str(wish))
    ready = "--for=jsonpath={.status.readyToUse}=true"
    rehearsal.kubectl("wait", ready, "volumesnapshot/monday", "--timeout=120s")


def snapshots(rehearsal: AwsRehearsal) -> list[dict[str, Any]]:
    return rehearsal.aws("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]


def failure(rehearsal: AwsRehearsal, command: str) -> str:
    with pytest.raises(CommandFailed) as refusal:
        getattr(rehearsal.checkout, command)()
    return str(refusal.value)


def from_growth_to_restore(folder: Path) -> Run:
    """Grow, copy, restore; try to switch snapshots off and to destroy the lab with a snapshot left."""
    with AwsRehearsal(folder, {"reclaimTimeoutSeconds": 20}) as rehearsal:
        lab, seen = rehearsal.checkout, Run()
        lab.up()
        seen.first = lab.outputs()
        lab.configure({"snapshots": True, "storage": "2Gi"})
        lab.up("--event-log", str(folder / "on.log"))
        seen.created = steps(folder / "on.log")
        rehearsal.kubectl("exec", "deploy/nfs-server", "--", "sh", "-c", "echo before > /exports/line")
        take_snapshot(rehearsal)
        seen.made = snapshots(rehearsal)
        lab.configure({"snapshots": None})
        seen.off = failure(rehearsal, "preview")
        lab.configure({"snapshots": True, "servers": ["nfs-server", RESTORED]})
        lab.up()
        seen.restored = lab.outputs()
        volumes = rehearsal.aws("ec2").describe_volumes(Filters=[{"Name": "tag:storage-lab", "Values": [CLUSTER]}])
        seen.sizes = {volume["VolumeId"]: volume["Size"] for volume in volumes["Volumes"]}
        seen.line = rehearsal.kubectl("exec", "deploy/restored", "--", "cat", "/exports/line")
        seen.refused = failure(rehearsal, "destroy")
        seen.standing = len(rehearsal.objects("pvc")) == 2 and len(snapshots(rehearsal)) == 1
        rehearsal.kubectl("delete", "volumesnapshot", "monday", "--timeout=60s")
        until(lambda: not snapshots(rehearsal), "the EBS snapshot is deleted with its VolumeSnapshot")
        seen.again = lab.preview("--expect-no-changes").stdout
        lab.destroy("--event-log", str(folder / "destroy.log"))
        seen.deleted, seen.left = steps(folder / "destroy.log"), rehearsal.left()
        seen.calls = rehearsal.calls()
        return seen


def snapshots_not_waited_for(folder: Path) -> Counter[str]:
    with AwsRehearsal(folder, {"snapshots": True}) as rehearsal:
        plant(rehearsal.checkout.folder, planted_errors.snapshots_not_waited_for)
        rehearsal.checkout.up()
        take_snapshot(rehearsal)
        rehearsal.checkout.destroy()
        return rehearsal.left()


def snapshot_controller_before_nodes(folder: Path) -> str:
    with AwsRehearsal(folder, {"snapshots": True}) as rehearsal:
        plant(rehearsal.checkout.folder, planted_errors.snapshot_controller_before_nodes)
        return failure(rehearsal, "up")


SCENARIOS = [from_growth_to_restore, snapshots_not_waited_for, snapshot_controller_before_nodes]


@pytest.fixture
def run(result_of: ResultOf) -> Run:
    return result_of(from_growth_to_restore)


def test_snapshots_are_switched_on_with_the_data_kept(run: Run) -> None:
    one(run.created, "create", "Addon", "lab-ebs-snapshot-controller")
    assert not [step.label for step in run.created if "replace" in step.op or step.op == "delete"]
    assert run.restored["volumeId"] == run.first["volumeId"]


def test_snapshot_is_found_in_ec2_by_its_tags(run: Run) -> None:
    [snapshot] = run.made
    tags = {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]}
    assert (snapshot["VolumeId"], snapshot["VolumeSize"]) == (run.first["volumeId"], 2)
    assert (tags["Name"], tags["storage-lab"]) == ("default/monday", CLUSTER)


def test_grown_volume_is_restored_with_its_bytes(run: Run) -> None:
    volume = run.restored["servers"]["restored"]["volumeId"]
    assert volume != run.first["volumeId"]
    assert set(run.sizes.values()) == {2}, run.sizes
    assert run.line == "before\n"


def test_snapshots_are_not_switched_off_over_one(run: Run) -> None:
    assert "storage-lab:snapshots cannot become false while there are snapshots" in run.off
    assert "kubectl delete volumesnapshot monday -n default" in run.off


def test_destroy_stops_at_a_snapshot_that_is_left(run: Run) -> None:
    assert "VolumeSnapshot default/monday has the EBS snapshot snap-" in run.refused
    assert run.standing, "it has to stop while everything still stands"


def test_claim_outlives_its_snapshot(run: Run) -> None:
    assert "unchanged" in run.again


# Deleted in this order.
ORDER = [
    ("ReclaimBarrier", None),
    ("VolumeSnapshotClass", None),
    ("Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("Addon", "lab-ebs-snapshot-controller"),
    ("NodeGroup", None),
]


@pytest.mark.parametrize(("earlier", "later"), list(pairwise(ORDER)))
def test_controller_outlives_all_that_needs_it(
    run: Run, earlier: tuple[str, str | None], later: tuple[str, str | None]
) -> None:
    first, then = (one(run.deleted, "delete", *each) for each in (earlier, later))
    assert first.end < then.begin, f"{then.label} was deleted before {first.label} did not exist any more"


def test_policy_for_the_learner_allows_every_call(run: Run) -> None:
    assert "ec2:DescribeSnapshots" in run.calls, "the barrier looks for snapshots with the learner's login"
    assert refused_calls(run.calls) == []


def test_destroyed_lab_leaves_nothing(run: Run) -> None:
    assert run.left == Counter()


def test_destroy_that_does_not_look_for_snapshots_leaks_them(result_of: ResultOf) -> None:
    assert result_of(snapshots_not_waited_for)["snapshot"] == 1, "the driver ended, and nobody said so"


def test_snapshot_controller_that_does_not_wait_for_nodes_fails(result_of: ResultOf) -> None:
    degraded = "EKS Add-On snapshot-controller: timeout while waiting for state to become 'ACTIVE'"
    assert degraded in result_of(snapshot_controller_before_nodes)
