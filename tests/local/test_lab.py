"""The whole lab on the local cloud, by the ordinary pulumi commands: what exists, what changes, what is left."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from checkout import Checkout

SERVERS = ["nfs-server", "archive-server", "team-a/nfs-server"]
# The first of them is the one that the tour mounts from.
FURTHER_SERVERS = ["team-b/nfs-server", *SERVERS]
FOREIGN_CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: homework, namespace: default}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: snooper, namespace: default}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: shell, image: busybox}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: nfs-pvc}}]
"""


@dataclass
class Story:
    """One lab from its first up to its destroy, with what was seen at each point."""

    checkout: Checkout
    said: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    volumes: dict[str, Any] = field(default_factory=dict)
    pods: list[dict[str, Any]] = field(default_factory=list)
    ebs_volumes: dict[str, dict[str, str]] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    while_held: set[str] = field(default_factory=set)


def bring_up(story: Story) -> None:
    """Bring the lab up, read what the API server and EC2 have, then run the commands that must change nothing."""
    checkout = story.checkout
    story.said["up"] = checkout.up()
    story.outputs = checkout.outputs()
    claims = checkout.get("pvc", "--all-namespaces")["items"]
    story.claims = {f"{claim['metadata']['namespace']}/{claim['metadata']['name']}": claim for claim in claims}
    story.volumes = {pv["metadata"]["name"]: pv for pv in checkout.get("pv")["items"]}
    story.pods = checkout.get("pods", "--all-namespaces")["items"]
    of_the_lab = [{"Name": "tag-key", "Values": ["storage-lab"]}]
    for volume in checkout.ec2().describe_volumes(Filters=of_the_lab)["Volumes"]:
        story.ebs_volumes[volume["VolumeId"]] = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
    story.said["second up"] = checkout.up()
    story.said["preview"] = checkout.preview("--expect-no-changes")
    story.said["refresh"] = checkout.refresh()
    story.said["preview after refresh"] = checkout.preview("--expect-no-changes")
    checkout.configure({"servers": FURTHER_SERVERS, "nfsClients": 1, "tour": True})
    story.said["preview of more"] = checkout.preview(expect=None)
    checkout.configure({"servers": SERVERS, "nfsClients": None, "tour": None})


def destroy(story: Story) -> None:
    """Destroy the lab while others use its storage, and again after they have ended."""
    checkout = story.checkout
    manifest = checkout.folder / "foreign.yaml"
    manifest.write_text(FOREIGN_CLAIM)
    checkout.kubectl("apply", "-f", str(manifest))
    story.said["held destroy"] = checkout.destroy(expect=None)
    story.while_held = {
        *(claim["metadata"]["name"] for claim in checkout.get("pvc")["items"]),
        *(one.component for one in checkout.processes()),
    }
    checkout.kubectl("delete", "-f", str(manifest), "--wait=true", "--timeout=60s")
    story.ports = [
        connection.laddr[1]
        for one in checkout.processes()
        for connection in one.process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    story.said["destroy"] = checkout.destroy()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    story = Story(Checkout(tmp_path_factory.mktemp("story"), config={"servers": SERVERS, "reclaimTimeoutSeconds": 4}))
    try:
        bring_up(story)
        destroy(story)
        yield story
    finally:
        story.checkout.clear()


def test_outputs_name_the_volume_that_the_claim_is_bound_to(story: Story) -> None:
    claim = story.claims["default/nfs-pvc"]
    assert claim["status"]["phase"] == "Bound"
    assert story.outputs["pvName"] == claim["spec"]["volumeName"], "the lab asks for the PersistentVolume's name"
    assert story.outputs["claimName"] == "nfs-pvc"


def test_outputs_name_the_ebs_volume_that_ec2_has(story: Story) -> None:
    volume = story.volumes[story.outputs["pvName"]]
    assert story.outputs["volumeId"] == volume["spec"]["csi"]["volumeHandle"]
    tags = story.ebs_volumes[story.outputs["volumeId"]]
    assert story.outputs["volumeName"] == tags["Name"] == f"kubernetes-dynamic-{story.outputs['pvName']}"
    assert tags["storage-lab"] == "storage-lab-local", "leftovers are found by this tag"


def test_every_server_has_a_volume_of_its_own(story: Story) -> None:
    assert set(story.claims) == {"default/nfs-pvc", "default/archive-pvc", "team-a/nfs-pvc"}
    ids = {server["volumeId"] for server in story.outputs["servers"].values()}
    assert len(ids) == len(SERVERS), "two servers share a volume"
    assert ids == set(story.ebs_volumes), "a volume that no output names is one that nobody deletes"


def test_servers_run(story: Story) -> None:
    assert sorted((pod["metadata"]["labels"]["role"], pod["status"]["phase"]) for pod in story.pods) == [
        ("archive-server", "Running"),
        ("nfs-server", "Running"),
        ("nfs-server", "Running"),
    ]


@pytest.mark.parametrize("command", ["second up", "preview", "preview after refresh"])
def test_second_command_shows_no_change(story: Story, command: str) -> None:
    said = story.said[command].stdout
    assert re.search(r"\d+ unchanged", said), said
    assert not re.search(r"\d+ (to )?(created?|updated?|replaced?|deleted?)\b", said), said


def test_preview_shows_servers_and_their_users_in_a_new_namespace(story: Story) -> None:
    said = story.said["preview of more"]
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.search(r"\d+ to create", said.stdout), said.stdout


def test_destroy_names_foreign_users_and_deletes_nothing(story: Story) -> None:
    held = story.said["held destroy"]
    assert held.returncode != 0, "what others use was taken from them, or leaked"
    assert "default/homework" in held.stdout, "the claim that somebody made is not named"
    assert "Pod default/snooper" in held.stdout, "the pod on our claim is not named"
    assert "Traceback" not in held.stdout
    assert {"nfs-pvc", "homework", "kube-apiserver", "csi-provisioner"} <= story.while_held, "nothing may go before"


def test_destroy_finishes_after_foreign_users_ended(story: Story) -> None:
    assert "deleted" in story.said["destroy"].stdout
    assert story.checkout.state() == [], "an empty stack holds nothing"
    assert story.checkout.pending() == []


def test_destroy_leaves_nothing_on_the_machine(story: Story) -> None:
    assert story.checkout.processes() == []
    assert story.ports, "the ports that were listened on were not found out"
    listening = {c.laddr[1] for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert not listening & set(story.ports)
    assert list(story.checkout.cloud.parent.iterdir()) == [], "a folder, or its lock, stays"


# Values that are refused together, and for each of them the words of which the refusal must have every one.
BAD: dict[str, dict[str, tuple[str, ...]]] = {
    "all in one sentence each": {
        "storage": ("1 GB", "storage-lab:storage", "1 GB"),
        "region": ("us_east_1", "storage-lab:region", "us_east_1", "us-east-1"),
        "image": ("No Such Image", "storage-lab:image", "No Such Image"),
        "regoin": ("eu-west-1", "storage-lab:regoin", "did you mean region?"),
    },
    "zone of another region": {"zone": ("eu-west-1a", "storage-lab:zone", "eu-west-1a", "us-east-1")},
    "another type": {"nodes": ("many", "nodes", "integer")},
}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A lab that never was up."""
    checkout = Checkout(tmp_path_factory.mktemp("untouched"))
    yield checkout
    checkout.clear()


@pytest.mark.parametrize("what", BAD)
def test_preview_refuses_bad_values_and_starts_nothing(untouched: Checkout, what: str) -> None:
    bad = BAD[what]
    untouched.configure({key: value for key, (value, *_) in bad.items()})
    try:
        said = untouched.preview(expect=None)
    finally:
        untouched.configure(dict.fromkeys(bad))
    assert said.returncode != 0, f"{bad} was accepted"
    text = said.stdout + said.stderr
    assert not [word for _, *words in bad.values() for word in words if word not in text], text
    assert "Traceback" not in text
    assert not Path(untouched.folder / ".lab" / "clouds").exists(), "something was started"


def test_first_preview_starts_nothing(untouched: Checkout) -> None:
    said = untouched.preview()
    assert "to create" in said.stdout
    assert not Path(untouched.folder / ".lab" / "clouds").exists(), "a preview that starts processes is none"


def test_preview_with_debug_shows_every_debug_message(untouched: Checkout) -> None:
    shown = untouched.preview("--debug").stdout
    # The last resource of the program, and the last that the SDK says about it.
    assert "resource registration successful: ty=pulumi-python:dynamic/storage-lab:ForeignUsers" in shown
