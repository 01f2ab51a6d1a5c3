"""The EKS stack from preview to destroy: the unchanged program, on the real engine, against a played AWS."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from checkout import ROOT
from tests.rehearsal.events import Step, one, steps, table
from tests.rehearsal.stage import Stage

CLUSTER = "storage-lab-dev"


@dataclass
class Play:
    """What was seen while the lab was previewed, stood up, looked at, refreshed and destroyed."""

    preview: str = ""
    again: str = ""
    refresh: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    volumes: list[Any] = field(default_factory=list)
    persistent_volume: Any = None
    tagged: dict[str, dict[str, str]] = field(default_factory=dict)
    before: Counter[str] = field(default_factory=Counter)
    between: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    created: list[Step] = field(default_factory=list)
    deleted: list[Step] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    state: list[dict[str, Any]] = field(default_factory=list)


def whole_life(folder: Path) -> Play:
    """Preview, up, a second up, refresh, destroy."""
    with Stage(folder) as stage:
        lab, seen = stage.lab, Play()
        seen.preview = lab.preview().stdout
        seen.before = stage.left()
        lab.up("--event-log", str(folder / "up.log"))
        seen.created = steps(folder / "up.log")
        seen.outputs, seen.state = lab.outputs(), lab.state()
        lab_volumes = [{"Name": "tag:storage-lab", "Values": [CLUSTER]}]
        seen.volumes = stage.aws("ec2").describe_volumes(Filters=lab_volumes)["Volumes"]
        seen.persistent_volume = json.loads(stage.kubectl("get", "pv", seen.outputs["pvName"], "-o", "json"))
        seen.tagged = tags(stage)
        seen.again = lab.up().stdout
        seen.refresh = lab.refresh().stdout
        seen.between = stage.left()
        lab.destroy("--event-log", str(folder / "destroy.log"))
        seen.deleted = steps(folder / "destroy.log")
        seen.left, seen.calls = stage.left(), stage.calls()
        return seen


PERFORMANCES = [whole_life]


@pytest.fixture
def play(performances: Callable[[Callable[[Path], Any]], Any]) -> Play:
    return performances(whole_life)


def tags(stage: Stage) -> dict[str, dict[str, str]]:
    """The tags of everything that the learner's own calls made."""
    ec2, iam, eks = stage.aws("ec2"), stage.aws("iam"), stage.aws("eks")
    made: dict[str, list[dict[str, str]]] = {}
    for kind in ("vpc", "subnet", "internet_gateway", "route_table"):
        words = kind.split("_")
        found = getattr(ec2, f"describe_{kind}s")()["".join(word.title() for word in words) + "s"]
        made |= {f"{kind} {n}": each.get("Tags", []) for n, each in enumerate(found) if mine(each, kind)}
    for role in iam.list_roles()["Roles"]:
        made[role["RoleName"]] = iam.list_role_tags(RoleName=role["RoleName"])["Tags"]
    found_tags = {name: {tag["Key"]: tag["Value"] for tag in each} for name, each in made.items()}
    found_tags["cluster"] = eks.describe_cluster(name=CLUSTER)["cluster"]["tags"]
    for group in eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"]:
        found_tags[group] = eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName=group)["nodegroup"]["tags"]
    for addon in eks.list_addons(clusterName=CLUSTER)["addons"]:
        found_tags[addon] = eks.describe_addon(clusterName=CLUSTER, addonName=addon)["addon"]["tags"]
    return found_tags


def mine(found: dict[str, Any], kind: str) -> bool:
    """Neither the account's default VPC nor what AWS makes with every VPC."""
    if kind == "vpc":
        return not found["IsDefault"]
    if kind == "route_table":
        return not any(association.get("Main") for association in found["Associations"])
    return not found.get("DefaultForAz") and not any(a["VpcId"] == "vpc-00000001" for a in found.get("Attachments", []))


def test_the_first_preview_makes_nothing_and_knows_no_ids(play: Play) -> None:
    assert play.before == Counter(), "a preview must not touch the account"
    assert "to create" in play.preview


def test_the_outputs_name_the_volume_that_ec2_has(play: Play) -> None:
    (volume,) = play.volumes
    named = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
    assert volume["VolumeId"] == play.outputs["volumeId"]
    assert named["Name"] == play.outputs["volumeName"] == f"kubernetes-dynamic-{play.outputs['pvName']}"
    assert play.persistent_volume["spec"]["csi"]["volumeHandle"] == volume["VolumeId"]
    assert (volume["VolumeType"], volume["Size"], volume["AvailabilityZone"]) == ("gp3", 1, "us-east-1a")
    assert volume["State"] == "in-use", "the pod has its volume only when it is attached"


def test_the_kubeconfig_logs_in_with_the_aws_command(play: Play) -> None:
    (user,) = json.loads(play.outputs["kubeconfig"])["users"]
    assert user["user"]["exec"]["command"] == "aws"
    assert "token" not in play.outputs["kubeconfig"].replace("get-token", ""), (
        "a credential in the state would be one too many"
    )


def test_a_second_up_changes_nothing(play: Play) -> None:
    summary = play.again.rpartition("Resources:")[2]
    assert "unchanged" in summary
    assert not re.search(r"created|updated|replaced|deleted", summary), summary


def test_a_refresh_finds_aws_as_it_was_left(play: Play) -> None:
    drifted = [line for line in play.refresh.splitlines() if re.match(r" ~ +(aws|eks):.* (updated|deleted)", line)]
    assert drifted == []
    assert play.between["volume"] >= 1


def test_everything_made_carries_the_tag_that_leftovers_are_found_by(play: Play) -> None:
    without = [name for name, found in play.tagged.items() if found.get("storage-lab") != CLUSTER]
    assert len(play.tagged) >= 13, play.tagged
    assert without == [], "this could not be found by the command in docs/eks.md"


def test_destroy_leaves_nothing_in_the_account(play: Play) -> None:
    assert play.left == Counter(), "somebody would pay for this"


# Each of these must be finished before the next begins; the other way round on the way down.
NEEDS = [
    ("eks/cluster:Cluster", None, "NodeGroup", None),
    ("route:Route", None, "NodeGroup", None),
    ("NodeGroup", None, "Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("Addon", "lab-ebs-eks-pod-identity-agent", "Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("RolePolicyAttachment", "lab-ebs-AmazonEBSCSIDriverPolicyV2", "Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("RolePolicyAttachment", "lab-nodes-AmazonEKS_CNI_Policy", "NodeGroup", None),
    ("Addon", "lab-ebs-aws-ebs-csi-driver", "v1:StorageClass", None),
    ("v1:StorageClass", None, "ReclaimBarrier", None),
    ("ReclaimBarrier", None, "PersistentVolumeClaim", "nfs-server"),
    ("PersistentVolumeClaim", "nfs-server", "Deployment", None),
    ("vpc:Vpc", None, "Subnet", "lab-0"),
    ("Subnet", "lab-0", "eks/cluster:Cluster", None),
    ("FrozenInputs", None, "vpc:Vpc", None),
]


@pytest.mark.parametrize(("first", "first_name", "then", "then_name"), NEEDS)
def test_nothing_is_made_before_what_it_needs_nor_deleted_after_it(
    play: Play, first: str, first_name: str | None, then: str, then_name: str | None
) -> None:
    made, needed = one(play.created, "create", then, then_name), one(play.created, "create", first, first_name)
    assert needed.end < made.begin, f"{made.label} began before {needed.label} was done"
    gone, kept = one(play.deleted, "delete", then, then_name), one(play.deleted, "delete", first, first_name)
    assert gone.end < kept.begin, f"{kept.label} went before {gone.label} was gone"


def test_the_agent_is_made_while_the_nodes_are(play: Play) -> None:
    agent = one(play.created, "create", "Addon", "lab-ebs-eks-pod-identity-agent")
    assert agent.begin < one(play.created, "create", "NodeGroup").end, "it would lengthen the critical path"


def test_the_order_is_printed(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    made = [step for step in play.created if not step.type.startswith("pulumi:")]
    gone = [step for step in play.deleted if not step.type.startswith("pulumi:")]
    assert {step.label for step in gone} == {step.label for step in made}, "what was made is what has to go"
    with capsys.disabled():
        print("\n" + table("up", made) + "\n\n" + table("destroy", gone))


def test_the_policy_for_the_learner_allows_every_call_that_was_made_and_writes_nothing_else(play: Play) -> None:
    document = json.loads((ROOT / "docs" / "eks-policy.json").read_text())
    allowed = [action for statement in document["Statement"] for action in statement["Action"]]
    refused = [call for call in sorted(set(play.calls)) if not any(fnmatchcase(call, each) for each in allowed)]
    assert refused == [], "a learner with docs/eks-policy.json would be refused these"
    wide = [each for each in allowed if "*" in each and not re.fullmatch(r"\w+:(Describe|Get|List)\*", each)]
    assert wide == [], "only reads may be allowed by family"


# Minutes on AWS, from docs/eks.md; what is not named takes seconds.
MINUTES = {"aws:eks/cluster:Cluster": 10.0, "aws:eks/nodeGroup:NodeGroup": 2.2, "aws:eks/addon:Addon": 0.9}


def critical_path(state: list[dict[str, Any]]) -> tuple[float, list[str]]:
    """The longest chain of needs in the state, in minutes, and what in it takes minutes."""
    by_urn = {resource["urn"]: resource for resource in state}
    known: dict[str, tuple[float, list[str]]] = {}

    def longest(urn: str) -> tuple[float, list[str]]:
        if urn not in known:
            resource = by_urn[urn]
            # A component is done when its children are, so whoever needs it needs them.
            inside = (
                [r["urn"] for r in state if r.get("parent") == urn]
                if urn.split("::")[2].endswith("eks:index:Cluster")
                else []
            )
            needs = [n for n in [*resource.get("dependencies", []), *inside] if n in by_urn and n != urn]
            before = max((longest(need) for need in needs), default=(0.0, []))
            own = MINUTES.get(resource["type"], 0.0)
            known[urn] = (before[0] + own, [*before[1], resource["urn"].split("::")[3]] if own else before[1])
        return known[urn]

    return max(longest(urn) for urn in by_urn)


def test_the_critical_path_is_the_documented_one(play: Play) -> None:
    minutes, path = critical_path(play.state)
    assert path == ["lab-eksCluster", "lab-vpc-cni", "lab-nodes", "lab-ebs-aws-ebs-csi-driver"]
    for document in ("eks.md", "scale.md"):
        assert f"**{minutes:.1f} minutes**" in (ROOT / "docs" / document).read_text(), (
            f"docs/{document} does not say {minutes:.1f}"
        )
