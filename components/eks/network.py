"""Network: the small VPC of the lab's cluster.

Two public subnets in two zones, because EKS asks for two; no NAT gateway, because it would cost more than the node.
"""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
from pulumi_aws import ec2

from ..settings.arguments import check_arguments
from .network_layout import VPC_CIDR, SubnetPlan, network_layout


class NetworkArgs(TypedDict):
    """`cluster_name` names the resources; `zones` are the two zones, the nodes' zone first."""

    cluster_name: str
    zones: Sequence[str]


class Network(pulumi.ComponentResource):
    """A VPC with one public subnet a zone.

    Attributes: `vpc_id`; `subnet_ids`, in the order of the zones; `routes`, without which a node does not reach the
    internet. The control plane does not need them, so they are created beside it.
    """

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    routes: list[pulumi.Resource]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("Network", name, args, NetworkArgs)
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
            ec2.RouteTableAssociation(f"{self._name}-{number}", route_table_id=table.id, subnet_id=subnet.id, opts=mine)
            for number, subnet in enumerate(subnets)
        ]
        return [route, *associations]
