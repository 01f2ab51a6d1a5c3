"""The arithmetic of the VPC: which zones, which blocks. No resources."""

from ipaddress import ip_network

import pytest

from components.eks.network_layout import VPC_CIDR, Zone, choose_zones, network_layout

VIRGINIA = [Zone("us-east-1b", "use1-az2"), Zone("us-east-1a", "use1-az1"), Zone("us-east-1e", "use1-az3")]


def test_choice_of_zones_does_not_depend_on_their_order():
    assert choose_zones(VIRGINIA) == choose_zones(VIRGINIA[::-1]) == ("us-east-1a", "us-east-1b"), (
        "another choice at the next `pulumi up` would replace the subnets under a living cluster"
    )


@pytest.mark.parametrize("refused", ["use1-az3", "usw1-az2", "cac1-az3"])
def test_zone_that_eks_refuses_is_never_chosen(refused: str):
    zones = [Zone("a", refused), Zone("b", "x-az1"), Zone("c", "x-az2")]
    assert choose_zones(zones) == ("b", "c"), "CreateCluster would fail with UnsupportedAvailabilityZoneException"


def test_wanted_zone_comes_first():
    assert choose_zones(VIRGINIA, "us-east-1b") == ("us-east-1b", "us-east-1a")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("us-east-1e", "EKS does not support zone us-east-1e; it accepts us-east-1a, us-east-1b"),
        ("us-east-1z", "this account does not have zone us-east-1z; it accepts us-east-1a, us-east-1b"),
    ],
)
def test_unusable_zone_is_refused_with_the_usable_ones(wanted: str, says: str):
    with pytest.raises(ValueError, match="zone") as refusal:
        choose_zones(VIRGINIA, wanted)
    assert str(refusal.value) == says, "the learner must see what to write instead"


def test_region_with_one_usable_zone_is_refused():
    with pytest.raises(ValueError, match="EKS needs two zones, and this region offers us-west-1b"):
        choose_zones([Zone("us-west-1b", "usw1-az1"), Zone("us-west-1c", "usw1-az2")])


def test_subnets_lie_in_the_vpc_and_do_not_overlap():
    first, second = network_layout(VPC_CIDR, ["a", "b"])
    blocks = [ip_network(first.cidr), ip_network(second.cidr)]
    assert [first.zone, second.zone] == ["a", "b"]
    assert all(block.subnet_of(ip_network(VPC_CIDR)) for block in blocks), (
        "CreateSubnet refuses a block outside its VPC"
    )
    assert not blocks[0].overlaps(blocks[1]), "CreateSubnet refuses overlapping blocks"


def test_subnet_has_addresses_for_the_pods_of_200_nodes():
    pods_of_a_t3_medium = 17
    (subnet, _) = network_layout(VPC_CIDR, ["a", "b"])
    addresses = ip_network(subnet.cidr).num_addresses - 5  # AWS keeps five
    assert addresses >= 200 * (pods_of_a_t3_medium + 1), "pods would stay in ContainerCreating for want of an address"


def test_vpc_does_not_overlap_the_service_addresses_of_eks():
    for services in ("10.100.0.0/16", "172.20.0.0/16"):
        assert not ip_network(VPC_CIDR).overlaps(ip_network(services)), "ClusterIPs would shadow hosts of the VPC"
