"""The arithmetic of the lab's VPC: which zones, which address blocks. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

VPC_CIDR = "10.42.0.0/16"
# /20: the VPC CNI takes the address of every pod from the node's subnet, up to 18 a t3.medium.
SUBNET_PREFIX = 20
# EKS refuses to put a control plane here. By id: the letters differ between accounts.
# https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
REFUSED_ZONE_IDS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})


@dataclass(frozen=True)
class Zone:
    """One availability zone: its name in this account (us-east-1a) and its id in every account (use1-az1)."""

    name: str
    id: str


@dataclass(frozen=True)
class SubnetPlan:
    """A subnet that is to be created: the name of its zone and its IPv4 block."""

    zone: str
    cidr: str


def choose_zones(available: Sequence[Zone], wanted: str | None = None) -> tuple[str, str]:
    """Return the names of the two zones to use, the nodes' zone first.

    The same zones give the same answer in any order, because another choice later would replace the subnets.

    Raises ValueError with one sentence if `wanted` is unknown or refused by EKS, or fewer than two zones are left.
    """
    usable = sorted(zone.name for zone in available if zone.id not in REFUSED_ZONE_IDS)
    if len(usable) < 2:
        raise ValueError(f"EKS needs two zones, and this region offers {_listed(usable)}")
    if wanted is None:
        return usable[0], usable[1]
    if wanted not in usable:
        why = "EKS does not support" if any(z.name == wanted for z in available) else "this account does not have"
        raise ValueError(f"{why} zone {wanted}; it accepts {_listed(usable)}")
    return wanted, next(name for name in usable if name != wanted)


def network_layout(vpc_cidr: str, zones: Sequence[str]) -> list[SubnetPlan]:
    """Return one /20 for each zone, in the order of `zones`, from the start of `vpc_cidr`.

    Raises ValueError if the block is malformed or too small.
    """
    blocks = IPv4Network(vpc_cidr).subnets(new_prefix=SUBNET_PREFIX)
    return [SubnetPlan(zone, str(block)) for zone, block in zip(zones, blocks, strict=False)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
