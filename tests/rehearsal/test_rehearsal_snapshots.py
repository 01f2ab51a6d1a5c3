"""Snapshots on EKS: switched on, made, restored, in the way of a destroy, switched off, switched on again."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkout import CommandFailed
from checkout.until import until
from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.events import Step, one, steps
from tests.rehearsal.permissions import allowed_actions, refused
from tests.rehearsal.scenarios import ResultOf

pytestmark = pytest.mark.thorough

CLUSTER, GROUP = "storage-lab-dev", "snapshot.storage.k8s.io"
# csi-snapshotter asks every 30 s at most for CRDs that did not exist.
SNAPSHOT_SECONDS = 180
# A destroy gives up after these, where it is to fail.
SOON = 10
PLAIN, RESTORED = ["nfs-server", "restored"], ["nfs-server", {"name": "restored", "fromSnapshot": "kept"}]


@dataclass
class Seen:
    """What one `pulumi up` did, and what there was afterwards."""

    steps: list[Step]
    addons: set[str]
    kinds: str
    nodes: str
    volumes: dict[str, str]

    def changed(self) -> set[tuple[str, str]]:
        """Return operation and type of every step that is neither Pulumi's own nor on a component."""
        ours = (step for step in self.steps if not step.type.startswith("pulumi:") and ":index:" not in step.type)
        return {(step.op, step.type.rpartition(":")[2]) for step in ours}


class SnapshotLab:
    """One lab that is updated again and again."""

    def __init__(self, rehearsal: AwsRehearsal) -> None:
        self._rehearsal, self._lab, self._runs = rehearsal, rehearsal.checkout, 0

    def up(self, **config: Any) -> Seen:
        self._lab.configure(config)
        self._runs += 1
        log = self._rehearsal.folder / f"up{self._runs}.log"
        self._lab.up("--event-log", str(log))
        return Seen(
            steps=steps(log),
            addons=set(self._rehearsal.aws("eks").list_addons(clusterName=CLUSTER)["addons"]),
            kinds=self._rehearsal.kubectl("get", "crds", "-o", "name"),
            nodes=self._rehearsal.kubectl("get", "nodes", "-o", "name"),
            volumes={claim["metadata"]["name"]: self._handle(claim) for claim in self._rehearsal.objects("pvc")},
        )

    def refused(self, **config: Any) -> str:
        """Return what a preview with these inputs says when it refuses them; the configuration stays as it was."""
        file = self._lab.folder / "Pulumi.dev.yaml"
        before = file.read_text()
        self._lab.configure(config)
        said = failure(self._lab.preview)
        file.write_text(before)
        return said

    def take(self, name: str, of: str) -> dict[str, Any]:
        """Make a VolumeSnapshot of a claim as a learner does, wait until it is ready, and return its EBS snapshot."""
        wish = {
            "apiVersion": f"{GROUP}/v1",
            "kind": "VolumeSnapshot",
            "metadata": {"name": name},
            "spec": {"source": {"persistentVolumeClaimName": of}},
        }
        file = self._rehearsal.folder / f"{name}.json"
        file.write_text(json.dumps(wish))
        self._rehearsal.kubectl("apply", "-f", str(file))
        words = ("get", "volumesnapshot", name, "-o", "jsonpath={.status.readyToUse}")

        def ready() -> bool:
            return self._rehearsal.kubectl(*words) == "true"

        until(ready, f"the snapshot {name} is ready", SNAPSHOT_SECONDS, pause=0.2)
        (found,) = self.ebs_snapshots()
        return found

    def ebs_snapshots(self) -> list[dict[str, Any]]:
        """Return what the command of docs/eks.md finds: the snapshots with the lab's tag."""
        mine = [{"Name": "tag:storage-lab", "Values": [CLUSTER]}]
        return self._rehearsal.aws("ec2").describe_snapshots(OwnerIds=["self"], Filters=mine)["Snapshots"]

    def forget(self, name: str) -> str:
        """Delete a VolumeSnapshot so that only EC2 still knows its EBS snapshot, and return the id of that."""
        kubectl = self._rehearsal.kubectl
        content = json.loads(kubectl("get", "volumesnapshot", name, "-o", "json"))["status"][
            "boundVolumeSnapshotContentName"
        ]
        keep = '{"spec":{"deletionPolicy":"Retain"}}'
        kubectl("patch", "volumesnapshotcontent", content, "--type=merge", "-p", keep)
        kubectl("delete", "volumesnapshot", name, "--timeout=60s")
        kubectl("delete", "volumesnapshotcontent", content, "--timeout=60s")
        (left,) = self.ebs_snapshots()
        return left["SnapshotId"]

    def _handle(self, claim: dict[str, Any]) -> str:
        name = claim["spec"]["volumeName"]
        return json.loads(self._rehearsal.kubectl("get", "pv", name, "-o", "json"))["spec"]["csi"]["volumeHandle"]

    def file(self, volume: str) -> Path:
        """Return a file on an EBS volume."""
        return self._rehearsal.folder / "kubernetes" / "node" / "volumes" / volume / "notes.txt"


def failure(command: Callable[[], Any]) -> str:
    with pytest.raises(CommandFailed) as failed:
        command()
    return str(failed.value)


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
        checkout.configure({"snapshots": True})
        preview = checkout.preview().stdout
        on = lab.up()
        notes = lab.file(on.volumes["nfs-pvc"])
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_text("before")
        snapshot = lab.take("kept", of="nfs-pvc")
        notes.write_text("after")
        mistyped = lab.refused(servers=["nfs-server", {"name": "restored", "fromSnapshot": "kpet"}])
        restored = lab.up(servers=RESTORED, reclaimTimeoutSeconds=SOON)
        volume = restored.volumes["restored-pvc"]
        source, read = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0], lab.file(volume).read_text()
        again = checkout.preview("--expect-no-changes").stdout
        refused_off = lab.refused(snapshots=None, servers=PLAIN)
        before_destroy = rehearsal.left()
        refused_destroy = failure(checkout.destroy)
        after_destroy = rehearsal.left()
        rehearsal.kubectl("delete", "volumesnapshot", "kept", "--timeout=60s")
        off_again = lab.up(snapshots=None, servers=PLAIN)
        read_off = lab.file(volume).read_text()
        on_again = lab.up(snapshots=True)
        lab.take("forgotten", of="restored-pvc")
        forgotten = lab.forget("forgotten")
        waited = failure(checkout.destroy)
        waiting = rehearsal.left()
        ec2.delete_snapshot(SnapshotId=forgotten)
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
    made = {("create", "Addon"), ("create", "VolumeSnapshotClass"), ("update", "ReclaimBarrier")}
    assert run.on.changed() == made, "more than this would disturb the servers, or the driver"
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
    assert run.read == "before", "what was written after the snapshot is not in it"
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
    assert run.read_off == "before", "the restored server does not need its snapshot any more"


def test_snapshots_work_again_when_they_are_switched_on_again(run: Run) -> None:
    assert "snapshot-controller" in run.on_again.addons
    assert run.on_again.changed() == run.on.changed()
    assert run.forgotten, "the driver did not notice that the kinds are back"


def test_destroy_waits_for_a_snapshot_that_only_ec2_knows(run: Run) -> None:
    assert f"aws ec2 delete-snapshot --snapshot-id {run.forgotten}" in run.waited, "somebody would pay for it"
    assert (run.waiting["cluster"], run.waiting["snapshot"]) == (1, 1), "the driver would be needed to delete it"


def test_class_and_add_on_are_deleted_after_the_last_snapshot(run: Run) -> None:
    barrier, class_ = one(run.deleted, "delete", "ReclaimBarrier"), one(run.deleted, "delete", "VolumeSnapshotClass")
    addon = one(run.deleted, "delete", "Addon", "lab-ebs-snapshot-controller")
    nodes = one(run.deleted, "delete", "NodeGroup")
    assert barrier.end < class_.begin, "a snapshot would lose its class"
    assert class_.end < addon.begin, "with the add-on the kinds go"
    assert addon.end < nodes.begin, "the controller's Pods need a node to the end"
    assert not run.left


def test_policy_for_the_learner_allows_looking_at_snapshots_only(run: Run) -> None:
    assert refused(run.calls) == [], "a learner with docs/eks-policy.json would be refused these"
    assert "ec2:DescribeSnapshots" in run.calls, "a destroy would not know of snapshots that Kubernetes forgot"
    assert not [each for each in allowed_actions() if each.endswith("Snapshot")], "only the driver needs these"
