"""Network: the small VPC that the lab's cluster lives in, and the arithmetic behind it.

Two public subnets in two zones, because EKS asks for two; no NAT gateway, because it would cost more than the node.
The layout is a pure function; `Network` turns it into resources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TypedDict

import pulumi
from pulumi_aws import ec2

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
    """One subnet to be: its zone's name and its IPv4 block."""

    zone: str
    cidr: str


def choose_zones(available: Sequence[Zone], wanted: str | None = None) -> tuple[str, str]:
    """The names of the two zones to use, the nodes' zone first.

    The same zones always give the same answer, whatever their order: another choice later would replace the subnets.

    Raises ValueError with one sentence if `wanted` is unknown or refused by EKS, or fewer than two zones are left.
    """
    usable = sorted(zone.name for zone in available if zone.id not in REFUSED_ZONE_IDS)
    if len(usable) < 2:
        raise ValueError(f"EKS needs two zones, and this region offers {_listed(usable)}")
    if wanted is None:
        return usable[0], usable[1]
    if wanted not in usable:
        why = (
            "EKS does not support"
            if any(z.name == wanted for z in available)
            else "this account does not have"
        )
        raise ValueError(f"{why} zone {wanted}; it accepts {_listed(usable)}")
    return wanted, next(name for name in usable if name != wanted)


def network_layout(vpc_cidr: str, zones: Sequence[str]) -> list[SubnetPlan]:
    """One /20 for each zone, in the order of `zones`, from the start of `vpc_cidr`.

    Raises ValueError if the block is malformed or too small.
    """
    blocks = IPv4Network(vpc_cidr).subnets(new_prefix=SUBNET_PREFIX)
    return [SubnetPlan(zone, str(block)) for zone, block in zip(zones, blocks, strict=False)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


class NetworkArgs(TypedDict):
    """`cluster_name` names the resources; `zones` are the two zones, the nodes' zone first."""

    cluster_name: str
    zones: Sequence[str]


class Network(pulumi.ComponentResource):
    """A VPC with one public subnet a zone.

    Attributes: `vpc_id`; `subnet_ids`, in the order of the zones; `routes`, what a node needs before it can reach the
    internet. The control plane does not need them, so they are made while it is.
    """

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    routes: list[pulumi.Resource]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("storage-lab:index:Network", name, None, opts)
        self._name = name
        self._cluster_name = args["cluster_name"]
        vpc = self._create_vpc()
        subnets = self._create_subnets(vpc, network_layout(VPC_CIDR, args["zones"]))
        self.routes = self._create_routes(vpc, subnets)
        self.vpc_id = vpc.id
        self.subnet_ids = [subnet.id for subnet in subnets]
        self.register_outputs({"vpcId": self.vpc_id, "subnetIds": self.subnet_ids})

    def _create_vpc(self) -> ec2.Vpc:
        return ec2.Vpc(
            self._name,
            cidr_block=VPC_CIDR,
            # Both, or nodes cannot resolve the private endpoint of the control plane.
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": self._cluster_name},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_subnets(self, vpc: ec2.Vpc, layout: Sequence[SubnetPlan]) -> list[ec2.Subnet]:
        return [
            ec2.Subnet(
                f"{self._name}-{number}",
                vpc_id=vpc.id,
                availability_zone=plan.zone,
                cidr_block=plan.cidr,
                map_public_ip_on_launch=True,
                tags={"Name": f"{self._cluster_name}-{plan.zone}", "kubernetes.io/role/elb": "1"},
                opts=pulumi.ResourceOptions(parent=self),
            )
            for number, plan in enumerate(layout)
        ]

    def _create_routes(self, vpc: ec2.Vpc, subnets: Sequence[ec2.Subnet]) -> list[pulumi.Resource]:
        mine = pulumi.ResourceOptions(parent=self)
        tags = {"Name": self._cluster_name}
        gateway = ec2.InternetGateway(self._name, vpc_id=vpc.id, tags=tags, opts=mine)
        table = ec2.RouteTable(self._name, vpc_id=vpc.id, tags=tags, opts=mine)
        route = ec2.Route(
            self._name,
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=mine,
        )
        associations = [
            ec2.RouteTableAssociation(
                f"{self._name}-{number}", route_table_id=table.id, subnet_id=subnet.id, opts=mine
            )
            for number, subnet in enumerate(subnets)
        ]
        return [route, *associations]
