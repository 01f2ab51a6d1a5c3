"""A lab whose volumes grow: by the setting, by hand, never smaller, with what EC2 and Kubernetes have after each."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from checkout import Checkout
from checkout.until import until

pytestmark = pytest.mark.thorough

SERVERS = ["nfs-server", "team-a/nfs-server"]
EXPORTS = ("exec", "deploy/nfs-server", "--", "sh", "-c")
# Writes the last MiB of the first GiB, so that the volume is full without a GiB on this machine's disk.
FILL = "dd if=/dev/zero of=/exports/full bs=1M seek=1023 count=1; echo too much >> /exports/full"
LARGER = '{"spec": {"resources": {"requests": {"storage": "3Gi"}}}}'


@dataclass
class Sizes:
    """What each claim, PersistentVolume and EBS volume has, by the id of the EBS volume."""

    claims: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    ebs: dict[str, int] = field(default_factory=dict)

    def all_are(self, gib: int) -> bool:
        return set(self.claims.values()) == set(self.volumes.values()) == {f"{gib}Gi"} and set(self.ebs.values()) == {
            gib
        }


@dataclass
class Story:
    """One lab, and what was seen after each command."""

    checkout: Checkout
    said: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    sizes: dict[str, Sizes] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    pods: list[str] = field(default_factory=list)

    def up(self, when: str, **config: Any) -> None:
        self.checkout.configure(config)
        self.said[when] = self.checkout.up()
        self.look(when)

    def look(self, when: str) -> None:
        servers = self.checkout.outputs()["servers"].values()
        self.ids[when] = [server["volumeId"] for server in servers]
        self.sizes[when] = sizes(self.checkout)


def sizes(checkout: Checkout) -> Sizes:
    found = Sizes()
    claims = {one["metadata"]["uid"]: one for one in checkout.get("pvc", "--all-namespaces")["items"]}
    for volume in checkout.get("pv")["items"]:
        if "csi" in volume["spec"]:
            handle = volume["spec"]["csi"]["volumeHandle"]
            found.volumes[handle] = volume["spec"]["capacity"]["storage"]
            found.claims[handle] = claims[volume["spec"]["claimRef"]["uid"]]["status"]["capacity"]["storage"]
    for volume in checkout.ec2().describe_volumes(VolumeIds=list(found.volumes))["Volumes"]:
        found.ebs[volume["VolumeId"]] = volume["Size"]
    return found


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    story = Story(Checkout(tmp_path_factory.mktemp("growth"), config={"servers": SERVERS, "nfsClients": 1}))
    checkout = story.checkout
    try:
        story.up("first")
        checkout.kubectl(*EXPORTS, "echo written before > /exports/line")
        story.said["full"] = checkout.kubectl(*EXPORTS, FILL, expect=None)
        story.up("grown", storage="2Gi")
        story.said["in the Pod"] = checkout.kubectl(
            *EXPORTS, "hostname; cat /exports/line; df -P /exports; echo more >> /exports/full", expect=None
        )
        story.pods = [pod["metadata"]["name"] for pod in checkout.get("pods", "-lrole=nfs-server")["items"]]
        story.said["after growth"] = checkout.preview("--expect-no-changes")
        checkout.configure({"storage": "1Gi"})
        story.said["smaller"] = checkout.preview(expect=None)
        checkout.configure({"storage": "2Gi"})
        checkout.kubectl("patch", "pvc", "nfs-pvc", "--type=merge", "-p", LARGER)
        until(lambda: "3Gi" in sizes(checkout).claims.values(), "the claim that was patched by hand has grown", 60)
        story.said["after a growth by hand"] = checkout.preview("--expect-no-changes")
        story.said["verify"] = checkout.run("python", "-m", "lab", "verify", "--stack", checkout.stack, expect=None)
        story.up("by hand")
        story.up("overtaken", storage="4Gi")
        story.said["destroy"] = checkout.destroy()
        yield story
    finally:
        checkout.clear()


def test_volumes_grow_in_ec2_and_kubernetes_alike(story: Story) -> None:
    assert story.sizes["first"].all_are(1)
    assert story.sizes["grown"].all_are(2), story.sizes["grown"]


def test_full_volume_takes_more_once_it_has_grown(story: Story) -> None:
    full, grown = story.said["full"], story.said["in the Pod"]
    assert full.returncode != 0
    assert "No space left on device" in full.stdout + full.stderr
    assert grown.returncode == 0, f"claim and EC2 say 2 GiB, the file system does not:\n{grown.stderr}"


def test_running_pod_keeps_its_file_and_sees_the_new_size(story: Story) -> None:
    hostname, line, _, df = story.said["in the Pod"].stdout.splitlines()
    assert line == "written before"
    assert df.split()[1] == str(2 * 1024**2), "a full disk is as full as before"
    assert story.pods == [hostname], "growing needs no other Pod"


@pytest.mark.parametrize("when", ["grown", "by hand", "overtaken"])
def test_growing_keeps_every_volume(story: Story, when: str) -> None:
    assert story.ids[when] == story.ids["first"], "the data is on the first volume"
    assert len(story.sizes[when].ebs) == len(SERVERS), "a second volume was made for a claim"


def test_growing_replaces_and_deletes_nothing(story: Story) -> None:
    said = story.said["grown"].stdout
    assert "updated" in said
    assert not [word for word in ("replaced", "deleted", "created") if f" {word}\n" in said], said


def test_the_next_preview_shows_no_change(story: Story) -> None:
    assert "unchanged" in story.said["after growth"].stdout


def test_smaller_size_is_refused_in_preview(story: Story) -> None:
    said = story.said["smaller"]
    assert said.returncode != 0, "Kubernetes would refuse it in the middle of an update"
    assert "storage-lab:storage is 2Gi in this lab and cannot become 1Gi" in said.stdout
    assert "Traceback" not in said.stdout


def test_claim_that_was_grown_by_hand_is_taken_as_it_is(story: Story) -> None:
    assert "unchanged" in story.said["after a growth by hand"].stdout, "up would fight over the size at every run"
    assert sorted(story.sizes["by hand"].claims.values()) == ["2Gi", "3Gi"]
    assert sorted(story.sizes["by hand"].ebs.values()) == [2, 3]
    assert story.said["verify"].returncode == 0, f"it names a claim that works:\n{story.said['verify'].stdout}"


def test_larger_setting_overtakes_the_hand(story: Story) -> None:
    assert story.sizes["overtaken"].all_are(4), story.sizes["overtaken"]


def test_grown_volumes_are_destroyed_like_others(story: Story) -> None:
    assert story.checkout.state() == []
    assert not story.checkout.cloud.exists()
