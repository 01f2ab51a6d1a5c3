"""EksNodes: the managed node group that runs the driver and the lab's pods."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
from pulumi_aws import eks

from ..settings.arguments import check_arguments
from .service_role import ServiceRole

# AL2 ended in 2025-11. https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
AMI_TYPE = "AL2023_x86_64_STANDARD"
# What a node needs: to join, to give pods addresses, to pull from ECR (the add-ons' images live there).
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")


class EksNodesArgs(TypedDict):
    """The group: `count` nodes of `node_type` in one subnet, because an EBS volume never leaves its zone.

    `kubernetes_version` is set on the group too, or nodes would keep theirs when the control plane is upgraded.
    `needs` must exist before a node can join: the cluster, and the routes to the internet.
    """

    cluster_name: str
    kubernetes_version: str
    partition: str
    subnet_id: pulumi.Input[str]
    count: int
    node_type: str
    spot: bool
    needs: Sequence[pulumi.Resource]


class EksNodes(pulumi.ComponentResource):
    """The node group with its role. Attribute: `group`."""

    group: eks.NodeGroup

    def __init__(self, name: str, args: EksNodesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("EksNodes", name, args, EksNodesArgs)
        super().__init__("storage-lab:index:EksNodes", name, None, opts)
        role = ServiceRole(
            name,
            {
                "service": "ec2.amazonaws.com",
                "actions": ["sts:AssumeRole"],
                "policies": NODE_POLICIES,
                "partition": args["partition"],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.group = eks.NodeGroup(
            name,
            cluster_name=args["cluster_name"],
            version=args["kubernetes_version"],
            node_role_arn=role.arn,
            subnet_ids=[args["subnet_id"]],
            ami_type=AMI_TYPE,
            instance_types=[args["node_type"]],
            capacity_type="SPOT" if args["spot"] else "ON_DEMAND",
            scaling_config={
                "min_size": args["count"],
                "desired_size": args["count"],
                "max_size": args["count"],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*role.permissions, *args["needs"]]),
        )
        self.register_outputs({"groupName": self.group.node_group_name})
