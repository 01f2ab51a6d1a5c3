"""A lab with snapshots: switched on in a living lab, restored into another server and into the same, switched off."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from checkout import Checkout
from checkout.until import until

pytestmark = [pytest.mark.thorough, pytest.mark.telling]

RESTORED = {"name": "restored", "fromSnapshot": "monday"}
IN_PLACE = {"name": "nfs-server", "fromSnapshot": "monday"}


@dataclass
class Story:
    """One lab, and what was seen after each step."""

    checkout: Checkout
    said: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    volumes: dict[str, dict[str, str]] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)

    def up(self, when: str, **config: Any) -> None:
        self.checkout.configure(config)
        # As `pulumi up` does by itself: what a change leaves unknown in a preview may be refused there.
        shown = self.checkout.preview().stdout
        assert "replace" not in shown or when == "in place", shown
        self.said[when] = self.checkout.up()
        servers = self.checkout.outputs()["servers"]
        self.volumes[when] = {name: server["volumeId"] for name, server in servers.items()}

    def refuse(self, when: str, **config: Any) -> None:
        """Preview that configuration, then take it back."""
        before = self.checkout.config()
        self.checkout.configure(config)
        self.said[when] = self.checkout.preview(expect=None)
        self.checkout.configure({key: before.get(key) for key in config})

    def write(self, line: str) -> None:
        self.checkout.kubectl("exec", "deploy/nfs-server", "--", "sh", "-c", f"echo {line} > /exports/line")

    def read(self, when: str, server: str) -> None:
        self.lines[when] = self.checkout.kubectl("exec", f"deploy/{server}", "--", "cat", "/exports/line").stdout

    def snapshot(self, name: str, claim: str) -> None:
        wish = {
            "apiVersion": "snapshot.storage.k8s.io/v1",
            "kind": "VolumeSnapshot",
            "metadata": {"name": name},
            "spec": {"source": {"persistentVolumeClaimName": claim}},
        }
        file = self.checkout.folder / f"{name}.json"
        file.write_text(json.dumps(wish))
        self.checkout.kubectl("apply", "--filename", str(file))

    def wait_for_snapshot(self, name: str) -> None:
        ready = "--for=jsonpath={.status.readyToUse}=true"
        self.checkout.kubectl("wait", ready, f"volumesnapshot/{name}", "--timeout=60s")

    def in_ec2(self) -> list[dict[str, Any]]:
        return self.checkout.ec2().describe_snapshots(OwnerIds=["self"])["Snapshots"]

    def lab(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.checkout.run("python", "-m", "lab", *words, "--stack", self.checkout.stack, expect=None)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    story = Story(Checkout(tmp_path_factory.mktemp("snapshots"), config={"reclaimTimeoutSeconds": 3}))
    checkout = story.checkout
    try:
        story.up("without")
        story.up("on", snapshots=True)
        story.write("before")
        story.snapshot("monday", "nfs-pvc")
        story.snapshot("stuck", "no-such-claim")
        story.wait_for_snapshot("monday")
        story.made = story.in_ec2()
        story.write("after")
        nowhere = [{"name": "a", "fromSnapshot": "sunday"}, {"name": "b", "fromSnapshot": "stuck"}]
        story.refuse("unfit", servers=[IN_PLACE, *nowhere])
        checkout.kubectl("delete", "volumesnapshot", "stuck")

        story.up("beside", servers=["nfs-server", RESTORED])
        story.read("beside", "restored")
        story.read("the first", "nfs-server")
        checkout.kubectl("delete", "deployment/nfs-server", "pvc/nfs-pvc")
        story.up("in place", servers=[IN_PLACE, RESTORED])
        story.read("in place", "nfs-server")
        story.said["no change"] = checkout.preview("--expect-no-changes")
        story.said["status"], story.said["verify"] = story.lab("status"), story.lab("verify")

        story.refuse("off", servers=["nfs-server", "restored"], snapshots=False)
        story.said["destroy"] = checkout.destroy(expect=None)
        checkout.kubectl("delete", "volumesnapshot", "monday")
        until(lambda: not story.in_ec2(), "the EBS snapshot is deleted with its VolumeSnapshot")
        story.said["snapshot gone"] = checkout.preview("--expect-no-changes")
        story.up("switched off", servers=["nfs-server", "restored"], snapshots=None)
        story.read("switched off", "restored")
        checkout.configure({"reclaimTimeoutSeconds": None})
        checkout.destroy()
        story.said["gone"] = story.lab("verify", "--gone")
        yield story
    finally:
        checkout.clear()


def test_snapshots_are_switched_on_in_a_living_lab(story: Story) -> None:
    assert story.volumes["on"] == story.volumes["without"], "the data is on the first volume"
    assert "replaced" not in story.said["on"].stdout


def test_the_snapshot_in_ec2_is_named_and_tagged(story: Story) -> None:
    [snapshot] = story.made
    tags = {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]}
    assert (snapshot["State"], snapshot["VolumeId"]) == ("completed", story.volumes["on"]["nfs-server"])
    assert tags["Name"] == "default/monday"
    assert tags["storage-lab"] == "storage-lab-local", "lab verify --gone and the barrier find it by this tag"


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("unfit", "restores the claim default/a-pvc from the snapshot sunday, which does not exist"),
        ("unfit", "restores the claim default/b-pvc from the snapshot stuck, which is not ready"),
        ("unfit", "the claim default/nfs-pvc exists and has other data than the snapshot monday"),
        ("off", "storage-lab:snapshots cannot become false while there are snapshots"),
    ],
)
def test_preview_refuses_plainly(story: Story, when: str, says: str) -> None:
    said = story.said[when]
    assert said.returncode != 0, "the up would wait for minutes, or lose data"
    assert says in said.stdout
    assert "Traceback" not in said.stdout + said.stderr


def test_another_server_begins_with_the_data_of_the_snapshot(story: Story) -> None:
    assert story.lines["beside"] == "before\n", "a snapshot holds what was there when it was made"
    assert story.lines["the first"] == "after\n", "a snapshot does not change the volume that it was made of"


def test_deleted_claim_comes_back_with_the_data_of_the_snapshot(story: Story) -> None:
    assert story.lines["in place"] == "before\n"
    assert story.volumes["in place"]["nfs-server"] != story.volumes["beside"]["nfs-server"], "it is another volume"
    assert story.volumes["in place"]["restored"] == story.volumes["beside"]["restored"]


def test_status_and_verify_know_the_snapshot(story: Story) -> None:
    [made] = story.made
    assert "VolumeSnapshot monday  ready" in story.said["status"].stdout
    assert "restored from the snapshot monday" in story.said["status"].stdout
    assert story.said["verify"].returncode == 0, story.said["verify"].stdout
    assert made["SnapshotId"] in story.said["verify"].stdout


@pytest.mark.parametrize("when", ["no change", "snapshot gone"])
def test_restored_servers_are_not_restored_again(story: Story, when: str) -> None:
    assert "unchanged" in story.said[when].stdout, "a claim outlives its snapshot"


def test_destroy_stops_at_a_snapshot_that_nobody_deleted(story: Story) -> None:
    said = story.said["destroy"]
    assert said.returncode != 0
    [made] = story.made
    line = f"VolumeSnapshot default/monday has the EBS snapshot {made['SnapshotId']}: "
    assert line + "kubectl delete volumesnapshot monday -n default" in said.stdout
    assert "nothing was deleted" in said.stdout


def test_snapshots_are_switched_off_with_the_data_kept(story: Story) -> None:
    assert story.volumes["switched off"] == story.volumes["in place"]
    assert story.lines["switched off"] == "before\n"


def test_destroyed_lab_leaves_nothing(story: Story) -> None:
    assert story.checkout.state() == []
    assert not story.checkout.cloud.exists()
    assert story.said["gone"].returncode == 0, story.said["gone"].stdout
