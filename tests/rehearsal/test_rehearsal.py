"""The EKS stack from preview to destroy: the unchanged program, on the real engine, against a played AWS."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from checkout import ROOT
from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.children import TABLE, children
from tests.rehearsal.critical_path import critical_path
from tests.rehearsal.events import Step, one, steps, table
from tests.rehearsal.permissions import allowed_actions, refused
from tests.rehearsal.scenarios import PRINTED, ResultOf

CLUSTER = "storage-lab-dev"


@dataclass
class Run:
    """What was seen of the lab from its preview to its destroy."""

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


def whole_life(folder: Path) -> Run:
    """Preview, up, a second up, refresh, destroy."""
    with AwsRehearsal(folder) as rehearsal:
        lab, seen = rehearsal.checkout, Run()
        seen.preview = lab.preview().stdout
        seen.before = rehearsal.left()
        lab.up("--event-log", str(folder / "up.log"))
        seen.created = steps(folder / "up.log")
        seen.outputs, seen.state = lab.outputs(), lab.state()
        lab_volumes = [{"Name": "tag:storage-lab", "Values": [CLUSTER]}]
        seen.volumes = rehearsal.aws("ec2").describe_volumes(Filters=lab_volumes)["Volumes"]
        seen.persistent_volume = json.loads(rehearsal.kubectl("get", "pv", seen.outputs["pvName"], "-o", "json"))
        seen.tagged = tags(rehearsal)
        seen.again = lab.up().stdout
        seen.refresh = lab.refresh().stdout
        seen.between = rehearsal.left()
        lab.destroy("--event-log", str(folder / "destroy.log"))
        seen.deleted = steps(folder / "destroy.log")
        seen.left, seen.calls = rehearsal.left(), rehearsal.calls()
        return seen


SCENARIOS = [whole_life]


@pytest.fixture
def run(result_of: ResultOf) -> Run:
    return result_of(whole_life)


def tags(rehearsal: AwsRehearsal) -> dict[str, dict[str, str]]:
    """Return the tags of everything that the learner's own calls made."""
    ec2, iam, eks = rehearsal.aws("ec2"), rehearsal.aws("iam"), rehearsal.aws("eks")
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
    """Return whether the learner made it: not the default VPC, nor what AWS makes with every VPC."""
    if kind == "vpc":
        return not found["IsDefault"]
    if kind == "route_table":
        return not any(association.get("Main") for association in found["Associations"])
    return not found.get("DefaultForAz") and not any(a["VpcId"] == "vpc-00000001" for a in found.get("Attachments", []))


def test_first_preview_creates_nothing(run: Run) -> None:
    assert run.before == Counter(), "a preview must not touch the account"
    assert "to create" in run.preview


def test_outputs_name_the_volume_that_ec2_has(run: Run) -> None:
    (volume,) = run.volumes
    named = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
    assert volume["VolumeId"] == run.outputs["volumeId"]
    assert named["Name"] == run.outputs["volumeName"] == f"kubernetes-dynamic-{run.outputs['pvName']}"
    assert run.persistent_volume["spec"]["csi"]["volumeHandle"] == volume["VolumeId"]
    assert (volume["VolumeType"], volume["Size"], volume["AvailabilityZone"]) == ("gp3", 1, "us-east-1a")
    assert volume["State"] == "in-use", "the pod has its volume only when it is attached"


def test_kubeconfig_logs_in_with_the_aws_command(run: Run) -> None:
    (user,) = json.loads(run.outputs["kubeconfig"])["users"]
    assert user["user"]["exec"]["command"] == "aws"
    assert "token" not in run.outputs["kubeconfig"].replace("get-token", ""), (
        "a credential in the state would be one too many"
    )


def test_second_up_changes_nothing(run: Run) -> None:
    summary = run.again.rpartition("Resources:")[2]
    assert "unchanged" in summary
    assert not re.search(r"created|updated|replaced|deleted", summary), summary


def test_refresh_finds_aws_unchanged(run: Run) -> None:
    drifted = [line for line in run.refresh.splitlines() if re.match(r" ~ +(aws|eks):.* (updated|deleted)", line)]
    assert drifted == []
    assert run.between["volume"] >= 1


def test_everything_carries_the_tag_that_finds_leftovers(run: Run) -> None:
    without = [name for name, found in run.tagged.items() if found.get("storage-lab") != CLUSTER]
    assert len(run.tagged) >= 13, run.tagged
    assert without == [], "this could not be found by the command in docs/eks.md"


def test_destroy_leaves_nothing_in_the_account(run: Run) -> None:
    assert run.left == Counter(), "somebody would pay for this"


# The first must be created before the second begins to be. A delete has the opposite order.
NEEDS = [
    ("eks/cluster:Cluster", None, "NodeGroup", None),
    ("route:Route", None, "NodeGroup", None),
    ("NodeGroup", None, "Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("Addon", "lab-ebs-eks-pod-identity-agent", "Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("Addon", "lab-kube-proxy", "Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("Addon", "lab-vpc-cni", "Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("eks/cluster:Cluster", None, "Addon", "lab-kube-proxy"),
    ("eks/cluster:Cluster", None, "Addon", "lab-vpc-cni"),
    ("RolePolicyAttachment", "lab-ebs-AmazonEBSCSIDriverPolicyV2", "Addon", "lab-ebs-aws-ebs-csi-driver"),
    ("RolePolicyAttachment", "lab-nodes-AmazonEKS_CNI_Policy", "NodeGroup", None),
    ("Addon", "lab-ebs-aws-ebs-csi-driver", "v1:StorageClass", None),
    ("v1:StorageClass", None, "ReclaimBarrier", None),
    ("ReclaimBarrier", None, "PersistentVolumeClaim", "nfs-server"),
    ("PersistentVolumeClaim", "nfs-server", "Deployment", None),
    ("vpc:Vpc", None, "Subnet", "lab-0"),
    ("Subnet", "lab-0", "eks/cluster:Cluster", None),
    ("FrozenInputs", "lab", "vpc:Vpc", None),
]


@pytest.mark.parametrize(("first", "first_name", "then", "then_name"), NEEDS)
def test_needs_order_creates_and_deletes(
    run: Run, first: str, first_name: str | None, then: str, then_name: str | None
) -> None:
    made, needed = one(run.created, "create", then, then_name), one(run.created, "create", first, first_name)
    assert needed.end < made.begin, f"{made.label} began before {needed.label} was done"
    earlier, later = one(run.deleted, "delete", then, then_name), one(run.deleted, "delete", first, first_name)
    assert earlier.end < later.begin, f"{later.label} was deleted before {earlier.label} did not exist any more"


def test_add_ons_of_every_node_are_created_beside_the_nodes(run: Run) -> None:
    nodes = one(run.created, "create", "NodeGroup")
    for name in ("lab-ebs-eks-pod-identity-agent", "lab-kube-proxy", "lab-vpc-cni"):
        addon = one(run.created, "create", "Addon", name)
        assert addon.begin < nodes.end, f"{name} would lengthen the critical path"
        assert nodes.begin < addon.end, f"{name} holds up the nodes"


def test_everything_that_was_created_is_deleted(run: Run, record_property: Callable[[str, str], None]) -> None:
    created = [step for step in run.created if not step.type.startswith("pulumi:")]
    deleted = [step for step in run.deleted if not step.type.startswith("pulumi:")]
    assert {step.label for step in deleted} == {step.label for step in created}
    record_property(PRINTED, table("up", created))
    record_property(PRINTED, table("destroy", deleted))


def test_policy_for_the_learner_allows_every_call(run: Run) -> None:
    assert refused(run.calls) == [], "a learner with docs/eks-policy.json would be refused these"
    wide = [each for each in allowed_actions() if "*" in each and not re.fullmatch(r"\w+:(Describe|Get|List)\*", each)]
    assert wide == [], "only reads may be allowed by family"


def test_children_of_the_cluster_are_those_of_pulumi_eks(run: Run) -> None:
    assert children(run.state) == TABLE.splitlines(), "compare with the plugin by python -m tests.rehearsal.children"


def test_critical_path_is_the_documented_one(run: Run, record_property: Callable[[str, str], None]) -> None:
    minutes, path = critical_path(run.state)
    record_property(PRINTED, f"critical path: {minutes:.1f} minutes, {' > '.join(path)}")
    assert path == ["lab-eksCluster", "lab-nodes", "lab-ebs-aws-ebs-csi-driver"]
    for document in ("eks.md", "scale.md"):
        assert f"**{minutes:.1f} minutes**" in (ROOT / "docs" / document).read_text(), (
            f"docs/{document} does not say {minutes:.1f}"
        )
