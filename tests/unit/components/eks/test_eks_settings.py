"""The settings of the target eks, on Pulumi's mocks: what each changes, and that no other input is left out."""

from tests.unit.components.eks.eks_program import ADDON, ATTACHMENT, CLUSTER, NODES, SNAPSHOT_CLASS, SUBNETS, paths
from tests.unit.mocks import Deployed


def test_api_without_blocks_is_opened_to_everybody(other: Deployed) -> None:
    assert other.one(CLUSTER).inputs["publicAccessCidrs"] == ["0.0.0.0/0"], "AWS keeps what it had when nothing is said"


def test_without_the_setting_nothing_of_snapshots_is_paid(other: Deployed) -> None:
    assert "snapshot-controller" not in [each.inputs["addonName"] for each in other.all(ADDON)]
    assert not other.all(SNAPSHOT_CLASS)


def test_no_setting_leaves_an_input_out(lab: Deployed, other: Deployed) -> None:
    for urn in lab.resources.keys() & other.resources.keys():
        if lab.resources[urn].type.startswith(("aws:", "eks:")):
            assert paths(lab.resources[urn].inputs) == paths(other.resources[urn].inputs), (
                f"{urn}: what one stack says and another leaves out may keep its old value on AWS"
            )


def test_size_type_spot_and_version_reach_the_nodes(other: Deployed) -> None:
    given = other.one(NODES).inputs
    assert given["scalingConfig"] == {"minSize": 3, "desiredSize": 3, "maxSize": 3}
    assert given["instanceTypes"] == ["t3.large"]
    assert given["capacityType"] == "SPOT"
    assert given["version"] == other.one(CLUSTER).inputs["version"] == "1.35"


def test_nodes_use_the_first_subnet_of_a_given_vpc(other: Deployed) -> None:
    assert not [each.name for each in other.resources.values() if each.type.startswith("aws:ec2/")]
    assert other.one(CLUSTER).inputs["vpcId"] == "vpc-0123456789abcdef0"
    assert other.one(CLUSTER).inputs["subnetIds"] == list(SUBNETS)
    assert other.one(NODES).inputs["subnetIds"] == [SUBNETS[0]]


def test_arns_follow_the_partition(other: Deployed) -> None:
    arns = [each.inputs["policyArn"] for each in other.all(ATTACHMENT)]
    assert {arn.split(":")[1] for arn in arns} == {"aws-cn"}, "there is no arn:aws in China"
