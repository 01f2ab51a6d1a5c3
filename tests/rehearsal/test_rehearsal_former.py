"""A cluster that version 0.1 brought up: today's program takes it over, and destroys it."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkout import ROOT, CommandFailed
from tests.former import unpack_former
from tests.planted.transform import plant
from tests.rehearsal import planted_errors
from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.children import NETWORK_ADDONS, TABLE, children
from tests.rehearsal.events import Step, one, steps
from tests.rehearsal.scenarios import ResultOf

pytestmark = pytest.mark.thorough

CLUSTER = "storage-lab-dev"


@dataclass
class Account:
    """What must survive: instances, volumes, and the state that AWS has of the add-ons."""

    nodes: set[str]
    volumes: set[str]
    addons: dict[str, Any]
    outputs: dict[str, Any]

    @classmethod
    def of(cls, rehearsal: AwsRehearsal) -> "Account":
        eks = rehearsal.aws("eks")
        of_the_lab = [{"Name": "tag:storage-lab", "Values": [CLUSTER]}]
        names = eks.list_addons(clusterName=CLUSTER)["addons"]
        return cls(
            nodes={node["metadata"]["uid"] for node in rehearsal.objects("nodes")},
            volumes={v["VolumeId"] for v in rehearsal.aws("ec2").describe_volumes(Filters=of_the_lab)["Volumes"]},
            addons={name: eks.describe_addon(clusterName=CLUSTER, addonName=name)["addon"] for name in names},
            outputs=rehearsal.checkout.outputs(),
        )


@dataclass
class Run:
    """What was seen before and after the first `up` of today's program."""

    former_children: list[str]
    before: Account
    steps: list[Step]
    after: Account
    calls: Counter[str]
    again: str
    left: Counter[str]


def former_program(folder: Path) -> Path:
    """Unpack version 0.1, with AWS's name of the driver's policy: with the name that it says, AWS ends its `up`."""
    unpack_former(folder)
    driver = folder / "components" / "eks_driver.py"
    name = "AmazonEBSCSIDriverPolicyV2"
    assert f"service-role/{name}" in driver.read_text()
    driver.write_text(driver.read_text().replace(f"service-role/{name}", name))
    return folder


def taken_over(folder: Path) -> Run:
    """Up by version 0.1, up and destroy by today's program."""
    with AwsRehearsal(folder, source=former_program(folder.parent / "former")) as rehearsal:
        checkout = rehearsal.checkout
        checkout.up()
        former, before, calls = children(checkout.state()), Account.of(rehearsal), Counter(rehearsal.calls())
        checkout.take_program(ROOT)
        checkout.up("--event-log", str(folder / "up.log"))
        calls = Counter(rehearsal.calls()) - calls
        after = Account.of(rehearsal)
        again = checkout.preview("--expect-no-changes").stdout
        checkout.destroy()
        return Run(former, before, steps(folder / "up.log"), after, calls, again, rehearsal.left())


def without_aliases(folder: Path) -> tuple[str, Counter[str]]:
    """Up by version 0.1, up by today's program without its aliases, destroy by today's program."""
    with AwsRehearsal(folder, source=former_program(folder.parent / "former")) as rehearsal:
        checkout = rehearsal.checkout
        checkout.up()
        checkout.take_program(ROOT)
        plant(checkout.folder, planted_errors.add_ons_of_older_stacks_forgotten)
        with pytest.raises(CommandFailed) as refusal:
            checkout.up()
        checkout.take_program(ROOT)
        checkout.destroy()
        return str(refusal.value), rehearsal.left()


SCENARIOS = [taken_over, without_aliases]


@pytest.fixture
def run(result_of: ResultOf) -> Run:
    return result_of(taken_over)


def test_version_0_1_had_the_add_ons_below_the_cluster(run: Run) -> None:
    assert run.former_children == sorted([*TABLE.splitlines(), *NETWORK_ADDONS.splitlines()])


def test_taking_over_keeps_nodes_and_volumes(run: Run) -> None:
    assert run.after.nodes == run.before.nodes, "a node was replaced"
    assert run.after.volumes == run.before.volumes
    assert run.after.outputs["volumeId"] == run.before.outputs["volumeId"]


@pytest.mark.parametrize("name", ["kube-proxy", "vpc-cni"])
def test_add_on_is_taken_over_and_not_created_again(run: Run, name: str) -> None:
    assert run.after.addons[name]["createdAt"] == run.before.addons[name]["createdAt"], "EKS would refuse a second one"
    assert one(run.steps, "update", "eks/addon:Addon", f"lab-{name}")
    assert run.before.addons[name]["addonVersion"].endswith("-eksbuild.2"), "pulumi-eks takes the most recent version"
    assert run.after.addons[name]["addonVersion"].endswith("-eksbuild.1"), "the program takes AWS's default"


def test_taking_over_calls_nothing_else_of_aws(run: Run) -> None:
    changes = {call: number for call, number in run.calls.items() if call.split(":")[1].startswith(CHANGING)}
    assert changes == {"eks:UpdateAddon": 2}, "the cluster, its network or its nodes were touched"


CHANGING = ("Create", "Update", "Delete", "Attach", "Detach", "Modify", "Associate", "Disassociate", "Tag", "Put")


def test_settings_of_vpc_cni_stay(run: Run) -> None:
    values = [account.addons["vpc-cni"]["configurationValues"] for account in (run.before, run.after)]
    assert json.loads(values[0])["env"]["WARM_ENI_TARGET"] == "1", "pulumi-eks sends the add-on's defaults"
    assert values[0] == values[1], "the provider keeps what is left out"


def test_second_up_after_taking_over_changes_nothing(run: Run) -> None:
    assert "unchanged" in run.again


def test_destroy_after_taking_over_leaves_nothing(run: Run) -> None:
    assert not run.left


def test_aws_refuses_to_create_the_add_ons_again(result_of: ResultOf) -> None:
    refusal, _ = result_of(without_aliases)
    assert "ResourceInUseException" in refusal, "without an alias the add-ons of version 0.1 are unknown"


def test_cluster_that_was_not_taken_over_is_destroyed(result_of: ResultOf) -> None:
    _, left = result_of(without_aliases)
    assert not left
