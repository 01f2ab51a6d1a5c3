"""The tour and the NFS clients on the EKS stack: they stand, they change nothing, and they go before what they use."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.events import Step, one, steps
from tests.rehearsal.stage import Stage


@dataclass
class Play:
    """What was seen of the tour between its up and its destroy."""

    nodes: int = 0
    again: str = ""
    before: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    volumes: list[Any] = field(default_factory=list)
    deleted: list[Step] = field(default_factory=list)


def tour_on_eks(folder: Path) -> Play:
    """Up, a preview, destroy."""
    with Stage(folder, {"tour": True, "nfsClients": 1}) as stage:
        lab, seen = stage.lab, Play(before=stage.left())
        lab.up()
        seen.again = lab.preview("--expect-no-changes").stdout
        of_the_lab = [{"Name": "tag-key", "Values": ["storage-lab"]}]
        seen.volumes = stage.aws("ec2").describe_volumes(Filters=of_the_lab)["Volumes"]
        group = next(one for one in lab.state() if one["type"] == "aws:eks/nodeGroup:NodeGroup")
        seen.nodes = group["inputs"]["scalingConfig"]["desiredSize"]
        lab.destroy("--event-log", str(folder / "destroy.log"))
        seen.deleted = steps(folder / "destroy.log")
        seen.left = stage.left()
    return seen


PERFORMANCES = [tour_on_eks]


@pytest.fixture
def play(performances: Callable[[Callable[[Path], Any]], Any]) -> Play:
    return performances(tour_on_eks)


def test_the_tour_has_its_second_node_and_a_volume_for_each_of_its_claims(play: Play) -> None:
    assert play.nodes == 2, "a t3.medium holds 17 Pods: on one the tour would stay Pending"
    names = [tag["Value"] for volume in play.volumes for tag in volume["Tags"] if tag["Key"] == "Name"]
    lab_volumes = [name for name in names if name.startswith("kubernetes-dynamic-pvc-")]
    assert len(lab_volumes) == 3, "one of the server, one dynamic, one of the StatefulSet's first Pod"
    assert "unchanged" in play.again


@pytest.mark.parametrize(
    "visitor",
    ["tour-nfs", "tour-static", "tour-dynamic", "nfs-server-clients-writer", "nfs-server-clients-reader"],
)
def test_whoever_mounts_the_share_is_gone_before_its_server_begins_to_go(play: Play, visitor: str) -> None:
    server = one(play.deleted, "delete", "apps/v1:Deployment", "nfs-server")
    gone = one(play.deleted, "delete", "apps/v1:Deployment", visitor)
    assert gone.end < server.begin, f"{visitor} would hang on a share whose server is gone"


def test_the_barrier_is_passed_after_the_claims_that_pulumi_never_knew(play: Play) -> None:
    growing = one(play.deleted, "delete", "apps/v1:StatefulSet", "tour-growing")
    barrier = one(play.deleted, "delete", "ReclaimBarrier", "ebs")
    assert growing.end < barrier.begin
    assert play.left == play.before, "something of the tour is still paid for"
