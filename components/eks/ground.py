"""Ground: what the AWS account and region offer the cluster, looked up before the first resource.

Only reads. Every failure is one sentence of PreflightError.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, UnknownRegionError
from botocore.session import Session as BotocoreSession

from .network_layout import REFUSED_ZONE_IDS, Zone, choose_zones
from .preflight import PreflightError

HOW_TO_LOG_IN = (
    "run `aws configure sso` or `aws sso login`, or set AWS_PROFILE, until `aws sts get-caller-identity` works"
)


class AwsSession(Protocol):
    """The part of boto3.Session that is used here; tests bring their own."""

    def client(self, service_name: str) -> Any: ...


@dataclass(frozen=True)
class Ground:
    """Where the cluster will stand.

    `partition` of its ARNs; `zones`, the nodes' zone first; `subnet_ids` in the order of the zones, empty for a VPC
    of its own.
    """

    partition: str
    zones: tuple[str, ...]
    subnet_ids: tuple[str, ...] = ()


@cache
def _endpoints() -> Any:
    """What botocore knows of regions. Made once: each session parses the whole list anew."""
    return BotocoreSession()


def partition_of(region: str) -> str:
    """The partition of `region`: aws, aws-cn, aws-us-gov. Raises PreflightError for what is no region's name."""
    if not region:
        raise PreflightError("storage-lab:region is not set: say where, for example us-east-1")
    try:
        return str(_endpoints().get_partition_for_region(region))
    except UnknownRegionError:
        raise PreflightError(
            f"storage-lab:region is {region}, which is no AWS region's name (us-east-1 is one)"
        ) from None


def survey(session: AwsSession, region: str, zone: str | None, vpc_id: str | None, subnet_ids: Sequence[str]) -> Ground:
    """Look at the account through `session`, which is bound to `region`.

    Raises PreflightError if nobody is logged in, the region cannot be used or reached, `zone` cannot be used, or the
    VPC or a subnet is missing or unfit.
    """
    partition = partition_of(region)
    _asked(f"region {region}", session.client("sts").get_caller_identity)
    ec2 = session.client("ec2")
    if vpc_id:
        subnets = _subnets(ec2, vpc_id, subnet_ids, zone)
        return Ground(partition, tuple(s["AvailabilityZone"] for s in subnets), tuple(s["SubnetId"] for s in subnets))
    found = _asked(f"region {region}", ec2.describe_availability_zones)["AvailabilityZones"]
    usual = [
        Zone(z["ZoneName"], z["ZoneId"]) for z in found if z.get("ZoneType", "availability-zone") == "availability-zone"
    ]
    try:
        return Ground(partition, choose_zones(usual, zone))
    except ValueError as error:
        raise PreflightError(f"storage-lab:region {region}: {error}") from None


def _subnets(ec2: Any, vpc_id: str, subnet_ids: Sequence[str], zone: str | None) -> list[dict[str, Any]]:
    """The given subnets of the given VPC, the nodes' first."""
    _asked(f"storage-lab:vpcId {vpc_id}", ec2.describe_vpcs, VpcIds=[vpc_id])
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = _asked(f"storage-lab:vpcId {vpc_id}", ec2.describe_vpc_attribute, VpcId=vpc_id, Attribute=attribute)
        if not answer[attribute[0].upper() + attribute[1:]]["Value"]:
            raise PreflightError(
                f"storage-lab:vpcId {vpc_id} has {attribute} off, and nodes find the cluster by name: turn it on"
            )
    where = f"storage-lab:subnetIds {', '.join(subnet_ids)}"
    found = _asked(where, ec2.describe_subnets, SubnetIds=list(subnet_ids))["Subnets"]
    by_id = {subnet["SubnetId"]: subnet for subnet in found}
    subnets = [by_id[subnet_id] for subnet_id in subnet_ids]
    _check_subnets(subnets, vpc_id, zone)
    subnets.sort(key=lambda subnet: subnet["AvailabilityZone"] != zone)  # stable: else the first one is the nodes'
    _check_way_out(ec2, subnets[0], vpc_id)
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


def _check_way_out(ec2: Any, subnet: dict[str, Any], vpc_id: str) -> None:
    """Nodes there can reach the internet; they would otherwise wait twenty minutes to join and fail."""
    name = subnet["SubnetId"]
    tables = _asked(f"subnet {name}", ec2.describe_route_tables, Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])[
        "RouteTables"
    ]
    own = [t for t in tables if any(a.get("SubnetId") == name for a in t["Associations"])]
    main = [t for t in tables if any(a.get("Main") for a in t["Associations"])]
    routes = [r for table in own or main for r in table["Routes"] if r.get("DestinationCidrBlock") == "0.0.0.0/0"]
    if not routes:
        raise PreflightError(
            f"storage-lab:subnetIds: {name}, where the nodes go, has no route to the internet (0.0.0.0/0)"
        )
    public = any(route.get("GatewayId", "").startswith("igw-") for route in routes)
    if public and not subnet["MapPublicIpOnLaunch"]:
        raise PreflightError(
            f"storage-lab:subnetIds: {name}, where the nodes go, has an internet gateway but gives nodes no public "
            "address: turn on its auto-assign public IPv4 address"
        )


def _asked(about: str, operation: Callable[..., dict[str, Any]], **arguments: Any) -> dict[str, Any]:
    """The answer of one AWS operation; its error as one sentence about `about`."""
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
