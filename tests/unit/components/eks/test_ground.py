"""The survey of the account, against botocore's own models of what AWS answers."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.session import Session
from botocore.stub import Stubber

from components.eks.ground import Ground, partition_of, survey
from components.eks.preflight import PreflightError

ZONES = {
    "AvailabilityZones": [
        {"ZoneName": "us-east-1a", "ZoneId": "use1-az1", "ZoneType": "availability-zone"},
        {"ZoneName": "us-east-1b", "ZoneId": "use1-az2", "ZoneType": "availability-zone"},
        {"ZoneName": "us-east-1-bos-1a", "ZoneId": "use1-bos1-az1", "ZoneType": "local-zone"},
    ]
}
CALLER = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/a", "UserId": "A"}


session = cache(Session)


@cache
def client(service: str) -> Any:
    """Made once, in one session: the models are large."""
    return session().create_client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


class Account:
    """A session whose answers are queued beforehand, and checked against botocore's models."""

    def __init__(self) -> None:
        self.stubs = {service: Stubber(client(service)) for service in ("sts", "ec2")}
        self.stubs["sts"].add_response("get_caller_identity", CALLER)

    def client(self, service_name: str) -> Any:
        return client(service_name)

    def answers(self, operation: str, answer: dict[str, Any]) -> None:
        self.stubs["ec2"].add_response(operation, answer)

    def has_vpc(self, *subnets: dict[str, Any], dns: bool = True, routes: list[dict[str, str]] | None = None) -> None:
        self.answers("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1"}]})
        self.answers("describe_vpc_attribute", {"EnableDnsSupport": {"Value": True}})
        self.answers("describe_vpc_attribute", {"EnableDnsHostnames": {"Value": dns}})
        self.answers("describe_subnets", {"Subnets": list(subnets)})
        main = {"Associations": [{"Main": True}], "Routes": [INTERNET] if routes is None else routes}
        self.answers("describe_route_tables", {"RouteTables": [main]})


INTERNET = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}


def subnet(letter: str, **other: Any) -> dict[str, Any]:
    return {
        "SubnetId": f"subnet-{letter}",
        "VpcId": "vpc-1",
        "AvailabilityZone": f"us-east-1{letter}",
        "AvailabilityZoneId": f"use1-az{ord(letter) - 96}",
        "MapPublicIpOnLaunch": True,
        **other,
    }


@pytest.fixture
def account() -> Iterator[Account]:
    made = Account()
    for stub in made.stubs.values():
        stub.activate()
    yield made
    for stub in made.stubs.values():
        stub.deactivate()


def own_vpc(account: Account, zone: str | None = None, region: str = "us-east-1") -> Ground:
    return survey(account, region, zone, None, [])


def given_vpc(account: Account, zone: str | None = None) -> Ground:
    return survey(account, "us-east-1", zone, "vpc-1", ["subnet-a", "subnet-b"])


def test_a_vpc_of_its_own_gets_two_zones_and_never_a_local_zone(account: Account):
    account.answers("describe_availability_zones", ZONES)
    assert own_vpc(account) == Ground("aws", ("us-east-1a", "us-east-1b")), "a local zone cannot hold a control plane"


def test_a_zone_that_the_account_lacks_is_refused_with_the_region(account: Account):
    account.answers("describe_availability_zones", ZONES)
    with pytest.raises(
        PreflightError, match="storage-lab:region us-east-1: this account does not have zone us-east-1d"
    ):
        own_vpc(account, zone="us-east-1d")


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_of_arns_follows_the_region(region: str, partition: str):
    assert partition_of(region) == partition, "arn:aws:iam::aws:policy does not exist outside the partition aws"


@pytest.mark.parametrize(
    ("region", "says"), [("", "region is not set"), ("nowhere", "is nowhere, which is no AWS region")]
)
def test_a_region_that_is_missing_or_no_region_is_refused(account: Account, region: str, says: str):
    with pytest.raises(PreflightError, match=says):
        own_vpc(account, region=region)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ExpiredToken", "credentials have expired: run `aws"),
        ("InvalidClientTokenId", "region us-east-1: AWS does not accept the credentials there"),
        ("OptInRequired", "not enabled for this account"),
        ("Throttling", r"region us-east-1: AWS says: Slow down \(Throttling\)"),
    ],
)
def test_a_refusal_of_aws_becomes_a_sentence_with_what_to_do(account: Account, code: str, says: str):
    account.stubs["ec2"].add_client_error("describe_availability_zones", code, "Slow down.")
    with pytest.raises(PreflightError, match=says):
        own_vpc(account)


class Broken:
    """A session that cannot even ask."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def client(self, service_name: str) -> Any:
        return self

    def get_caller_identity(self) -> Callable[..., Any]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "no AWS credentials found: run `aws configure sso`"),
        (
            EndpointConnectionError(endpoint_url="https://sts.eu-north-9.amazonaws.com"),
            "region eu-north-9 cannot be asked: Could",
        ),
    ],
)
def test_nobody_logged_in_and_nobody_answering_are_told_apart(error: Exception, says: str):
    with pytest.raises(PreflightError, match=says):
        survey(Broken(error), "eu-north-9", None, None, [])


def test_a_given_vpc_keeps_its_subnets_and_the_nodes_go_to_the_first(account: Account):
    account.has_vpc(subnet("b"), subnet("a"))  # AWS answers in any order
    assert given_vpc(account) == Ground("aws", ("us-east-1a", "us-east-1b"), ("subnet-a", "subnet-b"))


def test_a_given_zone_decides_which_given_subnet_the_nodes_go_to(account: Account):
    account.has_vpc(subnet("a"), subnet("b"))
    assert given_vpc(account, zone="us-east-1b").subnet_ids == ("subnet-b", "subnet-a"), (
        "volumes live in the nodes' zone"
    )


@pytest.mark.parametrize(
    ("operation", "code", "says"),
    [
        ("describe_vpcs", "InvalidVpcID.NotFound", "storage-lab:vpcId vpc-1: AWS says: none"),
        ("describe_subnets", "InvalidSubnetID.NotFound", "storage-lab:subnetIds subnet-a, subnet-b: AWS says: none"),
    ],
)
def test_a_missing_vpc_or_subnet_is_named_with_its_key(account: Account, operation: str, code: str, says: str):
    if operation == "describe_subnets":
        account.answers("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1"}]})
        account.answers("describe_vpc_attribute", {"EnableDnsSupport": {"Value": True}})
        account.answers("describe_vpc_attribute", {"EnableDnsHostnames": {"Value": True}})
    account.stubs["ec2"].add_client_error(operation, code, "none")
    with pytest.raises(PreflightError, match=says):
        given_vpc(account)


@pytest.mark.parametrize(
    ("vpc", "zone", "says"),
    [
        ({"subnets": [subnet("a"), subnet("b", VpcId="vpc-2")]}, None, "subnet-b is in vpc-2, not in vpc-1"),
        (
            {"subnets": [subnet("a"), subnet("b", AvailabilityZoneId="use1-az3")]},
            None,
            "us-east-1b, which EKS does not support",
        ),
        (
            {"subnets": [subnet("a"), subnet("b", AvailabilityZone="us-east-1a")]},
            None,
            "all in us-east-1a, and EKS needs",
        ),
        ({"subnets": [subnet("a"), subnet("b")]}, "us-east-1c", "zone is us-east-1c, and storage-lab:subnetIds are in"),
        ({"subnets": [subnet("a"), subnet("b")], "dns": False}, None, "enableDnsHostnames off"),
        ({"subnets": [subnet("a"), subnet("b")], "routes": []}, None, "subnet-a, where the nodes go, has no route"),
        ({"subnets": [subnet("a", MapPublicIpOnLaunch=False), subnet("b")]}, None, "gives nodes no public address"),
    ],
)
def test_a_vpc_in_which_nodes_could_not_join_is_refused(
    account: Account, vpc: dict[str, Any], zone: str | None, says: str
):
    account.has_vpc(*vpc.pop("subnets"), **vpc)
    with pytest.raises(PreflightError, match=says):
        given_vpc(account, zone)


def test_nodes_behind_a_nat_gateway_need_no_public_address(account: Account):
    nat = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}
    account.has_vpc(subnet("a", MapPublicIpOnLaunch=False), subnet("b"), routes=[nat])
    assert given_vpc(account).subnet_ids == ("subnet-a", "subnet-b")
