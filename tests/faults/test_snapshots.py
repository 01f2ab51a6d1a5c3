"""Snapshots and restored claims under faults: one EBS snapshot and one volume for each wish, with their bytes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from checkout import Checkout
from checkout.until import until
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, kill
from tests.faults.selection import cases
from tests.faults.test_ec2 import FAULTS, through_faulty_ec2
from tests.faulty_ec2 import FaultyEc2

OPERATIONS = ("CreateSnapshot", "DescribeSnapshots", "CreateVolume", "DeleteSnapshot")
# csi-snapshotter and snapshot-controller double their patience at every failure.
SECONDS = 120


@pytest.fixture(scope="module")
def faulty(new_fault_lab: NewFaultLab) -> Iterator[tuple[FaultLab, FaultyEc2]]:
    fault_lab = new_fault_lab(config={"snapshots": True})
    fault_lab.checkout.up()
    with through_faulty_ec2(fault_lab) as faulty:
        yield fault_lab, faulty


@pytest.fixture(scope="module")
def standing(new_fault_lab: NewFaultLab) -> FaultLab:
    fault_lab = new_fault_lab(config={"snapshots": True})
    fault_lab.checkout.up()
    return fault_lab


class Story:
    """A line in the volume, a snapshot of it, another line, and a claim from the snapshot; each with its own name."""

    def __init__(self, fault_lab: FaultLab, name: str) -> None:
        self.checkout, self.name = fault_lab.checkout, name
        self.ec2_state = fault_lab.ec2_state
        self._write(f"before {name}")

    def _write(self, line: str) -> None:
        self.checkout.kubectl("exec", "deploy/nfs-server", "--", "sh", "-c", f"echo {line} > /exports/{self.name}")

    def take(self) -> None:
        source = {"persistentVolumeClaimName": "nfs-pvc"}
        spec = {"source": source, "volumeSnapshotClassName": "ebs-snapshots"}
        self._apply("snapshot.storage.k8s.io/v1", "VolumeSnapshot", spec)

    def restore(self) -> None:
        source = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": self.name}
        requests = {"requests": {"storage": "1Gi"}}
        claim = {"accessModes": ["ReadWriteOnce"], "resources": requests, "dataSource": source}
        self._apply("v1", "PersistentVolumeClaim", claim)
        mounts = [{"name": "data", "mountPath": "/data"}]
        container = {"name": "reader", "image": "busybox", "command": ["sleep", "86400"], "volumeMounts": mounts}
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": self.name}}
        self._apply("v1", "Pod", {"containers": [container], "volumes": [volume]})

    def _apply(self, version: str, kind: str, spec: dict[str, Any]) -> None:
        written = {"apiVersion": version, "kind": kind, "metadata": {"name": self.name}, "spec": spec}
        file = self.checkout.folder / f"{self.name}.{kind}.json"
        file.write_text(json.dumps(written))
        self.checkout.kubectl("apply", "-f", str(file))

    def check_taken(self) -> None:
        """Assert that the snapshot gets ready, alone in EC2, and write a line that is not in it."""
        until(lambda: self._told("volumesnapshot", "{.status.readyToUse}") == "true", "the snapshot is ready", SECONDS)
        content = self._told("volumesnapshot", "{.status.boundVolumeSnapshotContentName}")
        handle = self.checkout.get("volumesnapshotcontent", content)["status"]["snapshotHandle"]
        assert self.ec2_state.snapshots() == {handle}, "a snapshot that nobody knows costs money"
        self._write("after")

    def check_restored(self) -> None:
        """Assert that the Pod reads what the snapshot holds."""
        until(lambda: self._told("pod", "{.status.phase}") == "Running", "the Pod runs", SECONDS)
        read = self.checkout.kubectl("exec", self.name, "--", "cat", f"/data/{self.name}").stdout
        assert read.strip() == f"before {self.name}", "the restored volume has other bytes than the snapshot"

    def end(self) -> None:
        """Delete all of it, and wait until EC2 has nothing of it."""
        self.checkout.kubectl("delete", "pod,pvc,volumesnapshot", self.name, "--wait=false", "--ignore-not-found")
        until(lambda: not self.ec2_state.snapshots(), "the snapshot is deleted in EC2", SECONDS)
        until(lambda: len(self.ec2_state.volumes()) == 1, "the restored volume is deleted in EC2", SECONDS)
        until(lambda: len(self.checkout.get("pv")["items"]) == 1, "its PersistentVolume as well", SECONDS)
        until(lambda: not self.checkout.get("volumesnapshotcontents")["items"], "nothing is left", SECONDS)
        assert list((self.checkout.cloud / "snapshots").iterdir()) == [], "the bytes of the snapshot stay on the disk"

    def _told(self, kind: str, path: str) -> str:
        return self.checkout.kubectl("get", kind, self.name, "-o", f"jsonpath={path}", expect=None).stdout


@pytest.mark.parametrize("what", cases(FAULTS, telling=["EC2 says 500 after the work"]))
def test_each_wish_has_one_result_after_ec2_recovers(faulty: tuple[FaultLab, FaultyEc2], what: str) -> None:
    fault_lab, ec2 = faulty
    story = Story(fault_lab, f"story-{list(FAULTS).index(what)}")
    with fault_lab.fault(what, "snapshot, restore, delete") as saw:
        for operation in OPERATIONS:
            ec2.next(operation, *FAULTS[what])
        story.take()
        story.check_taken()
        story.restore()
        story.check_restored()
        fault_lab.check_standing()
        story.end()
        saw("later than usual, and all of it")
    assert ec2.calm() == set(OPERATIONS), "a fault that did not happen tests nothing"


def _of(*names: str) -> Callable[[FaultLab], None]:
    return lambda fault_lab: kill(fault_lab, *names)


BLOWS: dict[str, Callable[[FaultLab], None]] = {
    **{
        f"SIGKILL of {name}": _of(name)
        for name in ("snapshot-controller", "csi-snapshotter", "csi-provisioner", "ebs-csi", "ec2-api", "etcd")
    },
    "SIGKILL of the whole cloud": _of(),
}


@pytest.mark.parametrize("what", cases(BLOWS, telling=[]))
def test_a_kill_costs_neither_snapshot_nor_claim(standing: FaultLab, what: str) -> None:
    story = Story(standing, f"killed-{list(BLOWS).index(what)}")
    with standing.fault(what, "snapshot") as saw:
        story.take()
        BLOWS[what](standing)
        story.check_taken()
        saw("the snapshot is made")
    with standing.fault(what, "restore") as saw:
        story.restore()
        BLOWS[what](standing)
        story.check_restored()
        standing.check_standing()
        saw("the claim has its bytes")
    with standing.fault(what, "delete") as saw:
        story.checkout.kubectl("delete", "pod,pvc,volumesnapshot", story.name, "--wait=false")
        BLOWS[what](standing)
        story.end()
        saw("nothing is left")


def test_a_copy_that_a_kill_cut_off_is_made_again(standing: FaultLab) -> None:
    checkout = standing.checkout
    story = Story(standing, "cut-off")
    large = checkout.cloud / "node" / "volumes" / checkout.outputs()["volumeId"] / "large"
    with large.open("wb") as file:
        for _ in range(400):
            file.write(b"\1" * 2**20)
    with standing.fault("SIGKILL of ec2-api while it copies", "snapshot, restore") as saw:
        story.take()
        _kill_while_copying(standing, checkout, "snapshots")
        story.check_taken()
        story.restore()
        _kill_while_copying(standing, checkout, "node/volumes")
        story.check_restored()
        sizes = {file.stat().st_size for file in (checkout.cloud / "node" / "volumes").glob("*/large")}
        assert sizes == {400 * 2**20}, "half a copy was taken for a whole one"
        standing.check_standing()
        saw("both are made again, whole")
        large.unlink()
        story.end()


def _kill_while_copying(fault_lab: FaultLab, checkout: Checkout, folder: str) -> None:
    until(lambda: any((checkout.cloud / folder).glob(".unfinished-*")), f"a copy in {folder} has begun", pause=0.002)
    kill(fault_lab, "ec2-api")


def test_a_mark_that_a_killed_provisioner_left_is_removed(standing: FaultLab) -> None:
    """csi-provisioner marks the snapshot that it restores, and a claim that is deleted meanwhile has no other end."""
    checkout = standing.checkout
    story = Story(standing, "marked")
    with standing.fault("SIGKILL of csi-provisioner, claim deleted", "restore") as saw:
        story.take()
        story.check_taken()
        mark = "provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection"
        finalizers = checkout.get("volumesnapshot", story.name)["metadata"]["finalizers"]
        change = json.dumps({"metadata": {"finalizers": [*finalizers, mark]}})
        kill(standing, "csi-provisioner")
        checkout.kubectl("patch", "volumesnapshot", story.name, "--type=merge", "-p", change)
        story.end()
        until(lambda: not checkout.get("volumesnapshots")["items"], "the VolumeSnapshot is deleted", SECONDS)
        saw("the VolumeSnapshot can be deleted")


def test_a_lab_with_snapshots_is_destroyed_whole(standing: FaultLab) -> None:
    with standing.fault("after all kills", "destroy") as saw:
        standing.checkout.destroy()
        standing.check_gone()
        saw("nothing is left")
