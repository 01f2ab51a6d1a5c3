"""Preflight checks: what must be true of this machine and of the AWS account, checked before the first resource.

Only reads. Every failure is one sentence of PreflightError: what is wrong, where, what to do. Without these checks the
same mistakes appear after ten minutes, or as an error from deep inside a plugin.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, UnknownRegionError
from botocore.session import Session as BotocoreSession

from .network_layout import REFUSED_ZONE_IDS, Zone, choose_zones

OLDEST_AWS_CLI = (2, 7)
INSTALL_AWS_CLI = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
HOW_TO_LOG_IN = (
    "run `aws configure sso` or `aws sso login`, or set AWS_PROFILE, until `aws sts get-caller-identity` works"
)


class PreflightError(Exception):
    """One plain sentence for the person who ran the command."""


class AwsSession(Protocol):
    """The part of boto3.Session that the checks use; tests bring their own."""

    def client(self, service_name: str) -> Any: ...


@dataclass(frozen=True)
class Placement:
    """Where in AWS the cluster is created.

    `partition` is the one of its ARNs; `zones` begin with the nodes' zone; `subnet_ids` are in the order of the zones,
    and empty where the lab makes its own VPC.
    """

    partition: str
    zones: tuple[str, ...]
    subnet_ids: tuple[str, ...] = ()


# This machine.


def check_aws_cli() -> None:
    """Check that the aws command on PATH is 2.7 or newer: the kubeconfig logs in with it, and pulumi-eks refuses older.

    Raises PreflightError if the command is missing, does not run, or is too old.
    """
    path = shutil.which("aws")
    if path is None:
        raise PreflightError(
            "the aws command is not on PATH, and the cluster's kubeconfig logs in with it: "
            f"install the AWS CLI, 2.7 or newer ({INSTALL_AWS_CLI})"
        )
    found = re.search(r"aws-cli/(\d+)\.(\d+)", _version_text(path))
    if found is None:
        raise PreflightError(
            f"{path} --version does not name a version: install the AWS CLI, 2.7 or newer ({INSTALL_AWS_CLI})"
        )
    if (int(found[1]), int(found[2])) < OLDEST_AWS_CLI:
        raise PreflightError(
            f"{path} is AWS CLI {found[1]}.{found[2]}, and 2.7 or newer is needed: update it ({INSTALL_AWS_CLI})"
        )


def _version_text(path: str) -> str:
    try:
        ran = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PreflightError(
            f"{path} --version does not run ({error}): install the AWS CLI again ({INSTALL_AWS_CLI})"
        ) from None
    return ran.stdout + ran.stderr  # version 1 wrote it to stderr


# The account.


def check_account(
    session: AwsSession, region: str, zone: str | None, vpc_id: str | None, subnet_ids: Sequence[str]
) -> Placement:
    """Return where the cluster can be created in the account of `session`, which is bound to `region`.

    Raises PreflightError if nobody is logged in, the region cannot be used or reached, `zone` cannot be used, or the
    VPC or a subnet is missing or unfit.
    """
    partition = partition_of(region)
    _ask(f"region {region}", session.client("sts").get_caller_identity)
    ec2 = session.client("ec2")
    if vpc_id:
        subnets = _check_vpc(ec2, vpc_id, subnet_ids, zone)
        zones = tuple(subnet["AvailabilityZone"] for subnet in subnets)
        return Placement(partition, zones, tuple(subnet["SubnetId"] for subnet in subnets))
    found = _ask(f"region {region}", ec2.describe_availability_zones)["AvailabilityZones"]
    # A local zone or a wavelength zone cannot hold a control plane.
    usual = [
        Zone(z["ZoneName"], z["ZoneId"]) for z in found if z.get("ZoneType", "availability-zone") == "availability-zone"
    ]
    try:
        return Placement(partition, choose_zones(usual, zone))
    except ValueError as error:
        raise PreflightError(f"storage-lab:region {region}: {error}") from None


def partition_of(region: str) -> str:
    """Return the partition of `region`: aws, aws-cn, aws-us-gov. Raises PreflightError if AWS has no such region."""
    if not region:
        raise PreflightError("storage-lab:region is not set: say where, for example us-east-1")
    try:
        return str(_endpoints().get_partition_for_region(region))
    except UnknownRegionError:
        raise PreflightError(
            f"storage-lab:region is {region}, which is not the name of an AWS region (us-east-1 is one)"
        ) from None


@cache
def _endpoints() -> Any:
    """Return what botocore knows of regions. Made once, because each session parses the whole list again."""
    return BotocoreSession()


def _check_vpc(ec2: Any, vpc_id: str, subnet_ids: Sequence[str], zone: str | None) -> list[dict[str, Any]]:
    """Return the given subnets of the given VPC, the nodes' subnet first."""
    _ask(f"storage-lab:vpcId {vpc_id}", ec2.describe_vpcs, VpcIds=[vpc_id])
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = _ask(f"storage-lab:vpcId {vpc_id}", ec2.describe_vpc_attribute, VpcId=vpc_id, Attribute=attribute)
        if not answer[attribute[0].upper() + attribute[1:]]["Value"]:
            raise PreflightError(
                f"storage-lab:vpcId {vpc_id} has {attribute} off, and nodes find the cluster by name: turn it on"
            )
    where = f"storage-lab:subnetIds {', '.join(subnet_ids)}"
    found = _ask(where, ec2.describe_subnets, SubnetIds=list(subnet_ids))["Subnets"]
    by_id = {subnet["SubnetId"]: subnet for subnet in found}
    subnets = [by_id[subnet_id] for subnet_id in subnet_ids]
    _check_subnets(subnets, vpc_id, zone)
    # A stable sort: without `zone` the first subnet is the nodes'.
    subnets.sort(key=lambda subnet: subnet["AvailabilityZone"] != zone)
    _check_route_out(ec2, subnets[0], vpc_id)
    return subnets


def _check_subnets(subnets: Sequence[dict[str, Any]], vpc_id: str, zone: str | None) -> None:
    for subnet in subnets:
        if subnet["VpcId"] != vpc_id:
            raise PreflightError(
                f"storage-lab:subnetIds: {subnet['SubnetId']} is in {subnet['VpcId']}, not in {vpc_id}"
            )
        if subnet["AvailabilityZoneId"] in REFUSED_ZONE_IDS:
            raise PreflightError(
                f"storage-lab:subnetIds: {subnet['SubnetId']} is in zone {subnet['AvailabilityZone']}, "
                "which EKS does not support"
            )
    zones = sorted({subnet["AvailabilityZone"] for subnet in subnets})
    if len(zones) < 2:
        raise PreflightError(f"storage-lab:subnetIds are all in {', '.join(zones)}, and EKS needs subnets in two zones")
    if zone and zone not in zones:
        raise PreflightError(f"storage-lab:zone is {zone}, and storage-lab:subnetIds are in {', '.join(zones)}")


def _check_route_out(ec2: Any, subnet: dict[str, Any], vpc_id: str) -> None:
    """Check that nodes in the subnet reach the internet: otherwise they try to join for twenty minutes, and fail."""
    name = subnet["SubnetId"]
    tables = _ask(f"subnet {name}", ec2.describe_route_tables, Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])[
        "RouteTables"
    ]
    own = [t for t in tables if any(a.get("SubnetId") == name for a in t["Associations"])]
    main = [t for t in tables if any(a.get("Main") for a in t["Associations"])]
    routes = [r for table in own or main for r in table["Routes"] if r.get("DestinationCidrBlock") == "0.0.0.0/0"]
    if not routes:
        raise PreflightError(
            f"storage-lab:subnetIds: {name}, where the nodes are created, has no route to the internet (0.0.0.0/0)"
        )
    public = any(route.get("GatewayId", "").startswith("igw-") for route in routes)
    if public and not subnet["MapPublicIpOnLaunch"]:
        raise PreflightError(
            f"storage-lab:subnetIds: {name}, where the nodes are created, has an internet gateway but gives nodes no "
            "public address: turn on its auto-assign public IPv4 address"
        )


def _ask(about: str, operation: Callable[..., dict[str, Any]], **arguments: Any) -> dict[str, Any]:
    """Return the answer of one AWS operation. Raises PreflightError with one sentence about `about`."""
    try:
        return operation(**arguments)
    except NoCredentialsError:
        raise PreflightError(f"no AWS credentials found: {HOW_TO_LOG_IN}") from None
    except ClientError as error:
        answer = cast(dict[str, str], error.response["Error"])  # pyright: ignore[reportUnknownMemberType]
        code, text = answer.get("Code", ""), answer.get("Message", "")
        if "Expired" in code:
            raise PreflightError(f"the AWS credentials have expired: {HOW_TO_LOG_IN}") from None
        if code in ("InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException", "OptInRequired"):
            raise PreflightError(
                f"{about}: AWS does not accept the credentials there ({code}): they are wrong, or the region is not "
                f"enabled for this account; {HOW_TO_LOG_IN}"
            ) from None
        raise PreflightError(f"{about}: AWS says: {text.rstrip('.')} ({code})") from None
    except BotoCoreError as error:
        raise PreflightError(f"{about} cannot be asked: {error}") from None
