"""The keys that only a cluster on AWS understands."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network

from .reader import Reader

_LOCAL_REASON = "means nothing on the target local, which has no AWS account behind it; remove it, or set target to eks"
_KEYS = ("kubernetesVersion", "nodeType", "spot", "vpcId", "subnetIds", "publicAccessCidrs")
# Older versions have left EKS's standard support or do so within weeks of this default.
OLDEST_VERSION = 34
DEFAULT_VERSION = "1.36"
DEFAULT_NODE_TYPE = "t3.medium"
# AWS's own default. Said all the same: left out, AWS would keep the blocks of before.
EVERYBODY = ("0.0.0.0/0",)


@dataclass(frozen=True)
class EksSettings:
    """The settings of the cluster on AWS.

    `vpc_id` is None and `subnet_ids` empty where the lab creates its own network. `public_access_cidrs` are the IPv4
    blocks that may reach the API endpoint, never none.
    """

    kubernetes_version: str
    node_type: str
    spot: bool
    vpc_id: str | None
    subnet_ids: tuple[str, ...]
    public_access_cidrs: tuple[str, ...]


def read_eks(read: Reader, target: str) -> EksSettings | None:
    """Return the settings of an EKS cluster; None on another target, where any of these keys is a mistake."""
    settings = EksSettings(
        kubernetes_version=read.optional_text("kubernetesVersion", _check_version) or DEFAULT_VERSION,
        node_type=read.optional_text("nodeType", _check_node_type) or DEFAULT_NODE_TYPE,
        spot=read.boolean("spot", default=False),
        vpc_id=read.optional_text("vpcId", _check_vpc),
        subnet_ids=read.texts("subnetIds", _check_subnet, default=()),
        public_access_cidrs=read.texts("publicAccessCidrs", _check_cidr, default=()) or EVERYBODY,
    )
    if target == "local":
        for key in filter(read.is_set, _KEYS):
            read.refuse(key, _LOCAL_REASON)
        return None
    _check_network(read, settings)
    return settings


def _check_network(read: Reader, settings: EksSettings) -> None:
    if read.is_set("vpcId") != read.is_set("subnetIds"):
        given, missing = ("vpcId", "subnetIds") if read.is_set("vpcId") else ("subnetIds", "vpcId")
        read.refuse(
            given, f"needs {missing} too; set both for a network of yours, or neither for one that the lab creates"
        )
    if read.is_set("subnetIds") and len(settings.subnet_ids) == 1:
        read.refuse("subnetIds", "is too short; EKS accepts subnets in two zones or more, the node's first")


def _check_version(version: str) -> str:
    match = re.fullmatch(r"1\.([0-9]{2})", version)
    if not match or int(match[1]) < OLDEST_VERSION:
        raise ValueError(
            f'is not a Kubernetes version for this lab; accepted is "1.{OLDEST_VERSION}" or newer, in quotes'
        )
    return version


def _check_node_type(node_type: str) -> str:
    if not re.fullmatch(
        r"[a-z][a-z0-9-]*\.(?:nano|micro|small|medium|large|[0-9]*xlarge|metal(?:-[0-9]+xl)?)", node_type
    ):
        raise ValueError("is not an EC2 instance type; accepted is one such as t3.medium")
    return node_type


def _check_vpc(vpc: str) -> str:
    return _check_id(vpc, "vpc", "a VPC")


def _check_subnet(subnet: str) -> str:
    return _check_id(subnet, "subnet", "a subnet")


def _check_id(value: str, prefix: str, what: str) -> str:
    if not re.fullmatch(rf"{prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})", value):
        raise ValueError(f"is not the id of {what}; accepted is one such as {prefix}-0123456789abcdef0")
    return value


def _check_cidr(block: str) -> str:
    try:
        if "/" not in block:
            raise ValueError
        return str(IPv4Network(block))
    except ValueError:
        raise ValueError("is not an IPv4 block; accepted is one such as 203.0.113.7/32, its host bits zero") from None
