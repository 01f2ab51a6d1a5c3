"""The preflight checks: of the account against botocore's own models of what AWS answers, of the machine on a PATH."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.session import Session
from botocore.stub import Stubber

from components.eks.preflight import Placement, PreflightError, check_account, check_aws_cli, partition_of

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


def own_vpc(account: Account, zone: str | None = None, region: str = "us-east-1") -> Placement:
    return check_account(account, region, zone, None, [])


def given_vpc(account: Account, zone: str | None = None) -> Placement:
    return check_account(account, "us-east-1", zone, "vpc-1", ["subnet-a", "subnet-b"])


def test_own_vpc_gets_two_zones_and_no_local_zone(account: Account):
    account.answers("describe_availability_zones", ZONES)
    assert own_vpc(account) == Placement("aws", ("us-east-1a", "us-east-1b")), (
        "a local zone cannot hold a control plane"
    )


def test_unknown_zone_is_refused_with_the_region(account: Account):
    account.answers("describe_availability_zones", ZONES)
    with pytest.raises(
        PreflightError, match="storage-lab:region us-east-1: this account does not have zone us-east-1d"
    ):
        own_vpc(account, zone="us-east-1d")


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partition_of_arns_follows_the_region(region: str, partition: str):
    assert partition_of(region) == partition, "arn:aws:iam::aws:policy does not exist outside the partition aws"


@pytest.mark.parametrize(
    ("region", "says"), [("", "region is not set"), ("nowhere", "is nowhere, which is not the name of an AWS region")]
)
def test_missing_or_unknown_region_is_refused(account: Account, region: str, says: str):
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
def test_refusal_by_aws_says_what_to_do(account: Account, code: str, says: str):
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
def test_no_login_and_no_answer_are_told_apart(error: Exception, says: str):
    with pytest.raises(PreflightError, match=says):
        check_account(Broken(error), "eu-north-9", None, None, [])


def test_nodes_use_the_first_of_the_given_subnets(account: Account):
    account.has_vpc(subnet("b"), subnet("a"))  # AWS answers in any order
    assert given_vpc(account) == Placement("aws", ("us-east-1a", "us-east-1b"), ("subnet-a", "subnet-b"))


def test_given_zone_decides_the_subnet_of_the_nodes(account: Account):
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
def test_missing_vpc_or_subnet_is_named_with_its_key(account: Account, operation: str, code: str, says: str):
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
        (
            {"subnets": [subnet("a"), subnet("b")], "routes": []},
            None,
            "subnet-a, where the nodes are created, has no route",
        ),
        ({"subnets": [subnet("a", MapPublicIpOnLaunch=False), subnet("b")]}, None, "gives nodes no public address"),
    ],
)
def test_vpc_in_which_nodes_cannot_join_is_refused(account: Account, vpc: dict[str, Any], zone: str | None, says: str):
    account.has_vpc(*vpc.pop("subnets"), **vpc)
    with pytest.raises(PreflightError, match=says):
        given_vpc(account, zone)


def test_nodes_behind_a_nat_gateway_need_no_public_address(account: Account):
    nat = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}
    account.has_vpc(subnet("a", MapPublicIpOnLaunch=False), subnet("b"), routes=[nat])
    assert given_vpc(account).subnet_ids == ("subnet-a", "subnet-b")


# The aws command.


def command(folder: Path, body: str) -> None:
    """Put an `aws` on a PATH that holds nothing else."""
    script = folder / "aws"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_missing_aws_command_says_where_to_get_it(path: Path):
    with pytest.raises(PreflightError, match=r"the aws command is not on PATH.*install the AWS CLI.*https://"):
        check_aws_cli()


@pytest.mark.parametrize("version", ["2.6.4", "1.45.11", "1.7.0"])
def test_aws_command_older_than_2_7_is_refused(path: Path, version: str):
    command(path, f"echo aws-cli/{version} Python/3.11 Linux")
    short = ".".join(version.split(".")[:2])
    with pytest.raises(PreflightError, match=rf"{path}/aws is AWS CLI {short}, and 2\.7 or newer is needed"):
        check_aws_cli()


@pytest.mark.parametrize("version", ["2.7.0", "2.10.1", "2.31.0", "3.0.0"])
def test_version_numbers_are_compared_as_numbers(path: Path, version: str):
    command(path, f"echo aws-cli/{version} Python/3.11 Linux")
    try:
        check_aws_cli()
    except PreflightError as refusal:
        pytest.fail(f"{version} is newer than 2.7, and refused: {refusal}")


@pytest.mark.parametrize("body", ["echo hello", "exit 3", "echo nothing >&2; exit 1"])
def test_aws_command_without_a_version_is_refused(path: Path, body: str):
    command(path, body)
    with pytest.raises(PreflightError, match="does not name a version"):
        check_aws_cli()


def test_aws_command_that_does_not_run_is_refused(path: Path):
    (path / "aws").write_text("#!/does/not/exist\n")
    (path / "aws").chmod(0o755)
    with pytest.raises(PreflightError, match="--version does not run"):
        check_aws_cli()
