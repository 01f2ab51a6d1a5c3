"""The tour of persistence and the NFS clients on the local cloud: what exists, what survives, what is left."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from checkout import Checkout
from components.settings.tour_plan import WAYS

# `make test` runs the tour with the guide.
pytestmark = pytest.mark.thorough


@dataclass
class Story:
    """One lab with the tour from its first up to its destroy, with what was seen at each point."""

    checkout: Checkout
    said: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    nodes_of: dict[str, set[str]] = field(default_factory=dict)
    pv: dict[str, Any] = field(default_factory=dict)
    service_ip: str = ""
    replicas: list[int] = field(default_factory=list)
    host_path_nodes: list[str] = field(default_factory=list)


def claims_of(checkout: Checkout, namespace: str) -> dict[str, str]:
    """The claims of a namespace that are bound, with their PersistentVolumes."""
    return {
        claim["metadata"]["name"]: claim["spec"]["volumeName"]
        for claim in checkout.get("pvc", "-n", namespace)["items"]
        if claim["status"]["phase"] == "Bound"
    }


def host_path_node(checkout: Checkout) -> str:
    [pod] = checkout.get("pods", "-n", "tour", "-l", "role=host-path")["items"]
    return pod["spec"]["nodeName"]


def replicas(checkout: Checkout) -> int:
    return checkout.get("statefulset/growing", "-n", "tour")["spec"]["replicas"]


def bring_up(story: Story) -> None:
    checkout = story.checkout
    story.said["up"] = checkout.up()
    story.claims["at first"] = claims_of(checkout, "tour")
    story.claims["clients"] = claims_of(checkout, "team-a")
    for pod in checkout.get("pods", "-n", "team-a", "-l", "nfs-client")["items"]:
        kind = pod["metadata"]["labels"]["nfs-client"]
        story.nodes_of.setdefault(kind, set()).add(pod["spec"]["nodeName"])
    story.pv = checkout.get("pv/team-a.nfs-server-share")
    story.service_ip = checkout.get("service/nfs-server", "-n", "team-a")["spec"]["clusterIP"]


def tour(story: Story) -> None:
    checkout = story.checkout
    story.host_path_nodes.append(host_path_node(checkout))
    story.said["tour"] = checkout.run(".venv/bin/python", "-m", "lab", "tour", expect=None)
    story.host_path_nodes.append(host_path_node(checkout))
    story.claims["after the tour"] = claims_of(checkout, "tour")
    story.said["preview"] = checkout.preview("--expect-no-changes", expect=None)
    checkout.kubectl("scale", "statefulset/growing", "-n", "tour", "--replicas=3")
    story.replicas.append(replicas(checkout))
    story.said["up after a scale"] = checkout.up(expect=None)
    story.replicas.append(replicas(checkout))


def destroy(story: Story) -> None:
    """Destroy the lab while its StatefulSet has three Pods, which Pulumi does not know."""
    checkout = story.checkout
    checkout.kubectl("scale", "statefulset/growing", "-n", "tour", "--replicas=3")
    checkout.kubectl("rollout", "status", "statefulset/growing", "-n", "tour", "--timeout=60s")
    story.said["destroy"] = checkout.destroy(expect=None)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    config = {"servers": ["team-a/nfs-server"], "tour": True, "nfsClients": 2, "reclaimTimeoutSeconds": 60}
    story = Story(Checkout(tmp_path_factory.mktemp("tour"), config=config))
    try:
        bring_up(story)
        tour(story)
        destroy(story)
        yield story
    finally:
        story.checkout.clear()


def test_every_claim_of_the_tour_is_bound_to_its_volume(story: Story) -> None:
    found = dict(story.claims["at first"])
    assert found.pop("static") == "tour-static", "the default class made a volume for it"
    assert set(found) == {"dynamic", "data-growing-0"}
    assert all(volume.startswith("pvc-") for volume in found.values())


def test_clients_on_several_nodes_share_one_volume(story: Story) -> None:
    assert story.claims["clients"]["nfs-server-share"] == "team-a.nfs-server-share"
    assert story.pv["spec"]["nfs"]["server"] == story.service_ip, "a node mounts from an address, it knows no Services"
    assert story.nodes_of == {"writer": {"node-1", "node-2"}, "reader": {"node-1", "node-2"}}


def test_tour_passes_and_names_every_way(story: Story) -> None:
    tour = story.said["tour"]
    assert tour.returncode == 0, tour.stdout + tour.stderr
    assert "FAIL" not in tour.stdout
    for way in WAYS:
        assert way.name in tour.stdout
    rows = [line for line in tour.stdout.splitlines() if re.search(r"lost:|kept:", line)]
    lost = {way.name: [re.findall("kept|lost", line) for line in rows if way.name in line] for way in WAYS}
    before, after = story.host_path_nodes
    assert lost == {
        "no-volume": [["lost", "lost"]],
        "empty-dir": [["kept", "lost"]],
        # The scheduler chooses the node of the next Pod; on another node it finds another folder.
        "host-path": [["kept", "kept" if after == before else "lost"]],
        "nfs": [["kept", "kept"]],
        "static": [["kept", "kept"]],
        "dynamic": [["kept", "kept"]],
    }, tour.stdout


def test_volumes_stay_when_the_statefulset_shrinks(story: Story) -> None:
    first, after = story.claims["at first"], story.claims["after the tour"]
    assert first.items() <= after.items(), "a Pod that was replaced found another volume"
    assert set(after) - set(first) == {"data-growing-1", "data-growing-2"}


def test_preview_after_the_tour_shows_no_change(story: Story) -> None:
    assert story.said["preview"].returncode == 0, story.said["preview"].stdout


def test_up_reverts_a_scale_by_hand(story: Story) -> None:
    assert story.said["up after a scale"].returncode == 0, story.said["up after a scale"].stdout
    assert story.replicas == [3, 1], "kubectl scale owns the field, and the next up has to take it"


def test_destroy_deletes_claims_that_pulumi_never_knew(story: Story) -> None:
    destroy = story.said["destroy"]
    assert destroy.returncode == 0, destroy.stdout
    assert story.checkout.state() == []
    assert story.checkout.processes() == []


def test_tour_that_is_not_configured_is_one_sentence(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    said = checkout.run(".venv/bin/python", "-m", "lab", "tour", expect=2)
    assert said.stderr == (
        "the tour is not part of the stack local: run pulumi config set storage-lab:tour true --stack local, "
        "then pulumi up --stack local\n"
    )
