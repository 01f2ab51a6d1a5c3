"""The tour and the NFS clients on the EKS stack: created, unchanged by a preview, deleted before what they use."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.events import Step, one, steps
from tests.rehearsal.scenarios import ResultOf

pytestmark = pytest.mark.thorough


@dataclass
class Run:
    """What was seen of the tour from its up to its destroy."""

    nodes: int = 0
    again: str = ""
    before: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    volumes: list[Any] = field(default_factory=list)
    deleted: list[Step] = field(default_factory=list)


def tour_on_eks(folder: Path) -> Run:
    """Up, a preview, destroy."""
    with AwsRehearsal(folder, {"tour": True, "nfsClients": 1}) as rehearsal:
        lab, seen = rehearsal.checkout, Run(before=rehearsal.left())
        lab.up()
        seen.again = lab.preview("--expect-no-changes").stdout
        of_the_lab = [{"Name": "tag-key", "Values": ["storage-lab"]}]
        seen.volumes = rehearsal.aws("ec2").describe_volumes(Filters=of_the_lab)["Volumes"]
        group = next(one for one in lab.state() if one["type"] == "aws:eks/nodeGroup:NodeGroup")
        seen.nodes = group["inputs"]["scalingConfig"]["desiredSize"]
        lab.destroy("--event-log", str(folder / "destroy.log"))
        seen.deleted = steps(folder / "destroy.log")
        seen.left = rehearsal.left()
    return seen


SCENARIOS = [tour_on_eks]


@pytest.fixture
def run(result_of: ResultOf) -> Run:
    return result_of(tour_on_eks)


def test_tour_has_a_second_node_and_three_volumes(run: Run) -> None:
    assert run.nodes == 2, "a t3.medium holds 17 Pods: on one the tour would stay Pending"
    names = [tag["Value"] for volume in run.volumes for tag in volume["Tags"] if tag["Key"] == "Name"]
    lab_volumes = [name for name in names if name.startswith("kubernetes-dynamic-pvc-")]
    assert len(lab_volumes) == 3, "one of the server, one dynamic, one of the StatefulSet's first Pod"
    assert "unchanged" in run.again


@pytest.mark.parametrize(
    "dependent",
    ["tour-nfs", "tour-static", "tour-dynamic", "nfs-server-clients-writer", "nfs-server-clients-reader"],
)
def test_users_of_the_share_are_deleted_before_its_server(run: Run, dependent: str) -> None:
    server = one(run.deleted, "delete", "apps/v1:Deployment", "nfs-server")
    deleted = one(run.deleted, "delete", "apps/v1:Deployment", dependent)
    assert deleted.end < server.begin, f"{dependent} would hang on a share without its server"


def test_barrier_waits_for_claims_that_pulumi_never_knew(run: Run) -> None:
    growing = one(run.deleted, "delete", "apps/v1:StatefulSet", "tour-growing")
    barrier = one(run.deleted, "delete", "ReclaimBarrier", "ebs")
    assert growing.end < barrier.begin
    assert run.left == run.before, "something of the tour is still paid for"
