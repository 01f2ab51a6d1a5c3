"""Snapshots on EKS: switched on, made, restored, in the way of a destroy, switched off, switched on again."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.events import Step, one, steps
from tests.rehearsal.permissions import allowed_actions, refused
from tests.rehearsal.scenarios import ResultOf
from tests.rehearsal.snapshot_lab import CLUSTER, Seen, SnapshotLab, failure

pytestmark = pytest.mark.thorough

# A destroy gives up after these, where it is to fail.
SOON = 10
SWITCHED_ON = {("create", "Addon"), ("create", "VolumeSnapshotClass"), ("update", "ReclaimBarrier")}
PLAIN, RESTORED = ["nfs-server", "restored"], ["nfs-server", {"name": "restored", "fromSnapshot": "kept"}]


@dataclass
class Run:
    """What was seen, in the order in which it was done."""

    off: Seen
    preview: str
    on: Seen
    snapshot: dict[str, Any]
    mistyped: str
    restored: Seen
    source: dict[str, Any]
    read: str
    again: str
    refused_off: str
    refused_destroy: str
    before_destroy: Counter[str]
    after_destroy: Counter[str]
    off_again: Seen
    read_off: str
    on_again: Seen
    forgotten: str
    waited: str
    waiting: Counter[str]
    deleted: list[Step]
    calls: list[str]
    left: Counter[str]


def snapshots(folder: Path) -> Run:
    """One lab with snapshots off, on, off and on, and each kind of snapshot in the way of its destroy."""
    with AwsRehearsal(folder) as rehearsal:
        lab, checkout, ec2 = SnapshotLab(rehearsal), rehearsal.checkout, rehearsal.aws("ec2")
        off = lab.up()
        checkout.configure({"snapshots": True, "storage": "2Gi"})
        preview = checkout.preview().stdout
        on = lab.up()
        lab.run("nfs-server", "echo before > /exports/line")
        lab.take("kept", of="nfs-pvc")
        (snapshot,) = lab.ebs_snapshots()
        lab.run("nfs-server", "echo after > /exports/line")
        mistyped = lab.refused(servers=["nfs-server", {"name": "restored", "fromSnapshot": "kpet"}])
        restored = lab.up(servers=RESTORED, reclaimTimeoutSeconds=SOON)
        volume = restored.volumes["restored-pvc"]
        source, read = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0], lab.run("restored", "cat /exports/line")
        again = checkout.preview("--expect-no-changes").stdout
        refused_off = lab.refused(snapshots=None, servers=PLAIN)
        before_destroy = rehearsal.left()
        refused_destroy = failure(checkout.destroy)
        after_destroy = rehearsal.left()
        rehearsal.kubectl("delete", "volumesnapshot", "kept", "--timeout=60s")
        off_again = lab.up(snapshots=None, servers=PLAIN)
        read_off = lab.run("restored", "cat /exports/line")
        on_again = lab.up(snapshots=True)
        lab.take("forgotten", of="restored-pvc")
        forgotten = lab.forget("forgotten")
        waited = failure(checkout.destroy)
        waiting = rehearsal.left()
        ec2.delete_tags(
            Resources=[forgotten], Tags=[{"Key": tag} for tag in ("storage-lab", "ebs.csi.aws.com/cluster")]
        )
        checkout.destroy("--event-log", str(folder / "destroy.log"))
        return Run(
            off, preview, on, snapshot, mistyped, restored, source, read, again, refused_off, refused_destroy,
            before_destroy, after_destroy, off_again, read_off, on_again, forgotten, waited, waiting,
            steps(folder / "destroy.log"), rehearsal.calls(), rehearsal.left(),
        )  # fmt: skip


SCENARIOS = [snapshots]


@pytest.fixture
def run(result_of: ResultOf) -> Run:
    return result_of(snapshots)


def test_snapshots_are_switched_on_beside_what_runs(run: Run) -> None:
    assert "snapshot-controller" not in run.off.addons, "its Pods would take room that nobody asked for"
    assert "snapshot-controller" in run.on.addons
    assert run.on.changed() == {*SWITCHED_ON, ("update", "VolumeGrowth")}, (
        "more would disturb the servers, or the driver"
    )
    assert (run.on.nodes, run.on.volumes) == (run.off.nodes, run.off.volumes)
    assert "VolumeSnapshotClass" in run.preview, "a preview cannot ask for a kind that the `up` brings"


def test_class_waits_for_the_kinds_that_the_add_on_brings(run: Run) -> None:
    addon = one(run.on.steps, "create", "Addon")
    assert addon.end < one(run.on.steps, "create", "VolumeSnapshotClass").begin


def test_snapshot_carries_the_tags_that_find_it(run: Run) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in run.snapshot["Tags"]}
    assert tags["storage-lab"] == CLUSTER, "the command in docs/eks.md would not find it"
    assert tags["Name"] == "default/kept"
    assert tags["ebs.csi.aws.com/cluster"] == "true", "the driver's policy lets it delete only what has this tag"


def test_snapshot_that_does_not_exist_is_refused_in_preview(run: Run) -> None:
    assert "restores the claim default/restored-pvc from the snapshot kpet, which does not exist" in run.mistyped
    assert "Traceback" not in run.mistyped


def test_restored_server_has_the_data_of_the_snapshot(run: Run) -> None:
    assert run.source["SnapshotId"] == run.snapshot["SnapshotId"]
    assert run.snapshot["VolumeSize"] == run.source["Size"] == 2, "the volume had grown before"
    assert run.read == "before\n", "what was written after the snapshot is not in it"
    assert run.restored.volumes["nfs-pvc"] == run.on.volumes["nfs-pvc"], "the first server is not concerned"
    assert "unchanged" in run.again


def test_switching_off_is_refused_while_a_snapshot_is_left(run: Run) -> None:
    assert "storage-lab:snapshots cannot become false while there are snapshots" in run.refused_off
    assert "kubectl delete volumesnapshot kept -n default" in run.refused_off


def test_destroy_names_the_snapshot_and_deletes_nothing(run: Run) -> None:
    kept = f"VolumeSnapshot default/kept has the EBS snapshot {run.snapshot['SnapshotId']}"
    assert kept in run.refused_destroy
    assert run.before_destroy["snapshot"] == 1
    assert run.after_destroy == run.before_destroy, "a destroy that cannot end must not begin"


def test_switching_off_takes_the_add_on_and_leaves_the_data(run: Run) -> None:
    assert "snapshot-controller" not in run.off_again.addons
    assert "snapshot.storage" not in run.off_again.kinds
    class_ = one(run.off_again.steps, "delete", "VolumeSnapshotClass")
    assert class_.end < one(run.off_again.steps, "delete", "Addon").begin, "without the kind nobody could delete it"
    assert run.off_again.volumes == run.restored.volumes
    assert run.read_off == "before\n", "the restored server does not need its snapshot any more"


def test_snapshots_work_again_when_they_are_switched_on_again(run: Run) -> None:
    assert "snapshot-controller" in run.on_again.addons
    assert run.on_again.changed() == SWITCHED_ON
    assert run.forgotten, "the driver did not notice that the kinds are back"


def test_destroy_waits_for_a_snapshot_that_only_ec2_knows(run: Run) -> None:
    assert f"aws ec2 delete-snapshot --snapshot-id {run.forgotten}" in run.waited, "somebody would pay for it"
    assert (run.waiting["cluster"], run.waiting["snapshot"]) == (1, 1), "the driver would be needed to delete it"


def test_class_and_add_on_are_deleted_after_the_last_snapshot(run: Run) -> None:
    barrier, class_ = one(run.deleted, "delete", "ReclaimBarrier"), one(run.deleted, "delete", "VolumeSnapshotClass")
    addon = one(run.deleted, "delete", "Addon", "lab-ebs-snapshot-controller")
    driver, nodes = (
        one(run.deleted, "delete", "Addon", "lab-ebs-aws-ebs-csi-driver"),
        one(run.deleted, "delete", "NodeGroup"),
    )
    assert barrier.end < class_.begin, "a snapshot would lose its class"
    assert class_.end < driver.begin, "only the driver deletes EBS snapshots"
    assert driver.end < addon.begin, "with the add-on the kinds go, which the driver's sidecars watch"
    assert addon.end < nodes.begin, "the controller's Pods need a node to the end"


def test_snapshot_without_the_tags_outlives_the_lab(run: Run) -> None:
    assert run.left == Counter(snapshot=1), "docs/eks.md says how to keep one; all else must not cost any more"


def test_policy_for_the_learner_allows_looking_at_snapshots_only(run: Run) -> None:
    assert refused(run.calls) == [], "a learner with docs/eks-policy.json would be refused these"
    assert "ec2:DescribeSnapshots" in run.calls, "a destroy would not know of snapshots that Kubernetes forgot"
    assert not [each for each in allowed_actions() if each.endswith("Snapshot")], "only the driver needs these"
