"""The tour of persistence and the NFS clients on the local cloud: what stands, what survives, what is left."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from checkout import Checkout
from components.settings.tour_plan import WAYS


@dataclass
class Story:
    """One lab's life with the tour, with what was seen at each point of it."""

    lab: Checkout
    said: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    nodes_of: dict[str, set[str]] = field(default_factory=dict)
    pv: dict[str, Any] = field(default_factory=dict)
    service_ip: str = ""
    replicas: list[int] = field(default_factory=list)


def claims_of(lab: Checkout, namespace: str) -> dict[str, str]:
    """The claims of a namespace that are bound, with their PersistentVolumes."""
    return {
        claim["metadata"]["name"]: claim["spec"]["volumeName"]
        for claim in lab.get("pvc", "-n", namespace)["items"]
        if claim["status"]["phase"] == "Bound"
    }


def replicas(lab: Checkout) -> int:
    return lab.get("statefulset/growing", "-n", "tour")["spec"]["replicas"]


def standing(story: Story) -> None:
    lab = story.lab
    story.said["up"] = lab.up()
    story.claims["at first"] = claims_of(lab, "tour")
    story.claims["clients"] = claims_of(lab, "team-a")
    for pod in lab.get("pods", "-n", "team-a", "-l", "nfs-client")["items"]:
        kind = pod["metadata"]["labels"]["nfs-client"]
        story.nodes_of.setdefault(kind, set()).add(pod["spec"]["nodeName"])
    story.pv = lab.get("pv/team-a.nfs-server-share")
    story.service_ip = lab.get("service/nfs-server", "-n", "team-a")["spec"]["clusterIP"]


def touring(story: Story) -> None:
    lab = story.lab
    story.said["tour"] = lab.run(".venv/bin/python", "-m", "lab", "tour", expect=None)
    story.claims["after the tour"] = claims_of(lab, "tour")
    story.said["preview"] = lab.preview("--expect-no-changes", expect=None)
    lab.kubectl("scale", "statefulset/growing", "-n", "tour", "--replicas=3")
    story.replicas.append(replicas(lab))
    story.said["up after a scale"] = lab.up(expect=None)
    story.replicas.append(replicas(lab))


def leaving(story: Story) -> None:
    """Destroyed while it is grown, which Pulumi does not know."""
    lab = story.lab
    lab.kubectl("scale", "statefulset/growing", "-n", "tour", "--replicas=3")
    lab.kubectl("rollout", "status", "statefulset/growing", "-n", "tour", "--timeout=60s")
    story.said["destroy"] = lab.destroy(expect=None)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    config = {"servers": ["team-a/nfs-server"], "tour": True, "nfsClients": 2, "reclaimTimeoutSeconds": 60}
    story = Story(Checkout(tmp_path_factory.mktemp("tour"), config=config))
    try:
        standing(story)
        touring(story)
        leaving(story)
        yield story
    finally:
        story.lab.clear()


def test_every_claim_of_the_tour_is_bound_the_static_one_to_the_volume_made_for_it(story: Story) -> None:
    found = dict(story.claims["at first"])
    assert found.pop("static") == "tour-static", "the default class made a volume for it"
    assert set(found) == {"dynamic", "data-growing-0"}
    assert all(volume.startswith("pvc-") for volume in found.values())


def test_clients_share_one_volume_by_the_servers_address_from_several_nodes(story: Story) -> None:
    assert story.claims["clients"]["nfs-server-share"] == "team-a.nfs-server-share"
    assert story.pv["spec"]["nfs"]["server"] == story.service_ip, "a node mounts from an address, it knows no Services"
    assert story.nodes_of == {"writer": {"node-1", "node-2"}, "reader": {"node-1", "node-2"}}


def test_the_tour_passes_and_names_every_way(story: Story) -> None:
    tour = story.said["tour"]
    assert tour.returncode == 0, tour.stdout + tour.stderr
    assert "FAIL" not in tour.stdout
    for way in WAYS:
        assert way.name in tour.stdout
    assert "no bytes on local" in tour.stdout, "it may not look as if anything had been read"


def test_growing_made_volumes_that_stay_when_the_pods_go(story: Story) -> None:
    first, after = story.claims["at first"], story.claims["after the tour"]
    assert first.items() <= after.items(), "a Pod that was replaced found another volume"
    assert set(after) - set(first) == {"data-growing-1", "data-growing-2"}


def test_the_tour_leaves_nothing_for_an_up_to_change(story: Story) -> None:
    assert story.said["preview"].returncode == 0, story.said["preview"].stdout


def test_up_takes_back_what_was_scaled_by_hand(story: Story) -> None:
    assert story.said["up after a scale"].returncode == 0, story.said["up after a scale"].stdout
    assert story.replicas == [3, 1], "kubectl scale owns the field, and the next up has to take it"


def test_a_destroy_of_the_grown_tour_takes_claims_along_that_pulumi_never_knew(story: Story) -> None:
    destroy = story.said["destroy"]
    assert destroy.returncode == 0, destroy.stdout
    assert story.lab.state() == []
    assert story.lab.processes() == []


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Checkout]:
    lab = Checkout(tmp_path, config={"tour": True, "reclaimTimeoutSeconds": 60})
    yield lab
    lab.clear()


def test_what_an_interrupted_up_did_not_record_of_the_tour_goes_with_the_rest(lab: Checkout) -> None:
    lab.up()
    lab.kubectl("scale", "statefulset/growing", "-n", "tour", "--replicas=3")
    lab.kubectl("rollout", "status", "statefulset/growing", "-n", "tour", "--timeout=60s")
    [claim] = [one["urn"] for one in lab.state() if one["urn"].endswith(":PersistentVolumeClaim::tour-dynamic")]
    lab.pulumi("state", "delete", claim, "--yes", "--target-dependents", "--stack", "local")
    names = [one["urn"].rpartition("::")[2] for one in lab.state()]
    assert "tour-growing" not in names, "the state still knows what this test is about"
    said = lab.destroy(expect=None)
    assert said.returncode == 0, f"four volumes are left, or held up the destroy:\n{said.stdout}"
    assert lab.state() == []


def test_a_tour_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    lab = Checkout(tmp_path)
    said = lab.run(".venv/bin/python", "-m", "lab", "tour", expect=2)
    assert said.stderr == (
        "the tour is not part of the stack local: run pulumi config set storage-lab:tour true --stack local, "
        "then pulumi up --stack local\n"
    )
