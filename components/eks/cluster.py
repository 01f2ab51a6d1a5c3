"""EksCluster: the real cluster, Amazon EKS, with what the lab needs of it and nothing that costs more."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as kubernetes

from ..access.cluster_access import ClusterAccess
from ..access.kubernetes_provider import kubernetes_provider
from ..guards.frozen_inputs import FrozenInputs, Rule
from ..settings import Settings
from ..settings.arguments import check_arguments
from ..settings.conventions import LAB_TAG, cluster_name, driver_tags, snapshot_tags
from .driver import EksDriver
from .network import Network
from .network_addons import EksNetworkAddons
from .nodes import EksNodes
from .preflight import PreflightError, check_account, check_aws_cli


class EksClusterArgs(TypedDict):
    """What the cluster is made from. `zones` are two, the nodes' zone first; `check_account` finds them.

    `subnet_ids` of an existing `vpc_id` in the order of the zones, or neither for a VPC of its own.
    `public_access_cidrs` may reach the Kubernetes API from outside, with AWS credentials. They are never empty: AWS
    keeps the blocks of before where none are given.
    """

    cluster_name: str
    region: str
    partition: str
    zones: Sequence[str]
    vpc_id: str | None
    subnet_ids: Sequence[str]
    kubernetes_version: str
    nodes: int
    node_type: str
    spot: bool
    public_access_cidrs: Sequence[str]
    snapshots: bool


class ClusterNetwork(NamedTuple):
    """The subnets of the cluster, the nodes' first, and the routes to the internet that the lab made for them."""

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    routes: list[pulumi.Resource]


class EksCluster(pulumi.ComponentResource):
    """The cluster, its nodes and its EBS driver. Keeps the Protocol `Cluster`."""

    provider: kubernetes.Provider
    access: ClusterAccess
    ready: list[pulumi.Resource]
    cluster_name: str
    outputs: dict[str, pulumi.Output[str]]
    driver_tags: Mapping[str, str]
    snapshot_tags: Mapping[str, str]
    # AWS refuses to create a second cluster of the name, so Pulumi never comes to delete the first.
    holders: Sequence[pulumi.Output[str]] = ()

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("EksCluster", name, args, EksClusterArgs)
        super().__init__("storage-lab:index:EksCluster", name, None, opts)
        self._name = name
        self._args = args
        self.cluster_name = args["cluster_name"]
        self.driver_tags = driver_tags(self.cluster_name)
        self.snapshot_tags = snapshot_tags(self.cluster_name)
        self._aws = self._create_aws_provider()
        self._frozen = self._create_frozen_inputs()
        network = self._create_network()
        control_plane = self._create_control_plane(network)
        addons = self._create_network_addons(control_plane)
        nodes = self._create_nodes(network.subnet_ids[0], needs=[control_plane, *network.routes])
        driver = self._create_driver(control_plane, nodes, addons)
        self.ready = [nodes.group, *driver.addons]
        kubeconfig = pulumi.Output.secret(control_plane.kubeconfig_json)
        self.access = ClusterAccess(kubeconfig, {"region": args["region"]})
        self.outputs = {"kubeconfig": kubeconfig}
        self.provider = kubernetes_provider(
            f"{name}-kubernetes", kubeconfig=kubeconfig, opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({"kubeconfig": kubeconfig, "clusterName": self.cluster_name})

    def _create_aws_provider(self) -> aws.Provider:
        """Declare a provider, so that one place sets the region and the tag, also for what pulumi-eks creates."""
        return aws.Provider(
            f"{self._name}-aws",
            region=self._args["region"],
            default_tags={"tags": {LAB_TAG: self.cluster_name}},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_frozen_inputs(self) -> FrozenInputs:
        values = {
            "clusterName": self.cluster_name,
            "region": self._args["region"],
            "zones": list(self._args["zones"]),
            "vpcId": self._args["vpc_id"] or "",
            "subnetIds": list(self._args["subnet_ids"]),
            "kubernetesVersion": self._args["kubernetes_version"],
        }
        rules: dict[str, Rule] = dict.fromkeys(values, "never")
        rules["kubernetesVersion"] = "next_minor"
        return FrozenInputs(self._name, {"values": values, "rules": rules}, opts=pulumi.ResourceOptions(parent=self))

    def _create_network(self) -> ClusterNetwork:
        if self._args["vpc_id"]:
            return ClusterNetwork(self._args["vpc_id"], self._args["subnet_ids"], routes=[])
        network = Network(
            self._name, {"cluster_name": self.cluster_name, "zones": self._args["zones"]}, opts=self._child()
        )
        return ClusterNetwork(network.vpc_id, network.subnet_ids, network.routes)

    def _create_control_plane(self, network: ClusterNetwork) -> eks.Cluster:
        """Declare the cluster of pulumi-eks, without add-ons: it is there only when all its children are.

        Leave `coredns_addon_options` alone. It is a deadlock, because that add-on would wait for nodes, and our nodes
        wait for the cluster. EKS brings its own CoreDNS.
        """
        return eks.Cluster(
            self._name,
            name=self.cluster_name,
            version=self._args["kubernetes_version"],
            vpc_id=network.vpc_id,
            subnet_ids=list(network.subnet_ids),
            # No aws-auth ConfigMap, whose order of deletion is a known cause of failing destroys.
            authentication_mode=eks.AuthenticationMode.API,
            skip_default_node_group=True,
            # Default ones are deleted too early: DependencyViolation.
            skip_default_security_groups=True,
            create_oidc_provider=False,
            # Both are declared beside the node group instead, by EksNetworkAddons.
            use_default_vpc_cni=True,
            kube_proxy_addon_options=eks.KubeProxyAddonOptionsArgs(enabled=False),
            # Extended support costs $0.60 an hour, six times the control plane.
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            # Said although it is the default: only then does pulumi-eks wait, 300 s at most, for the endpoint.
            endpoint_public_access=True,
            # Nodes come in this way, whoever the CIDRs let in from outside.
            endpoint_private_access=True,
            public_access_cidrs=list(self._args["public_access_cidrs"]),
            # Without it pulumi-eks writes the AWS_PROFILE of this shell into the kubeconfig of its own provider.
            provider_credential_opts={},
            opts=self._child(),
        )

    def _create_nodes(self, subnet_id: pulumi.Input[str], needs: Sequence[pulumi.Resource]) -> EksNodes:
        return EksNodes(
            f"{self._name}-nodes",
            {
                "cluster_name": self.cluster_name,
                "kubernetes_version": self._args["kubernetes_version"],
                "partition": self._args["partition"],
                "subnet_id": subnet_id,
                "count": self._args["nodes"],
                "node_type": self._args["node_type"],
                "spot": self._args["spot"],
                "needs": needs,
            },
            opts=self._child(),
        )

    def _create_network_addons(self, control_plane: eks.Cluster) -> EksNetworkAddons:
        return EksNetworkAddons(
            self._name,
            {
                "cluster_name": self.cluster_name,
                "kubernetes_version": self._args["kubernetes_version"],
                "cluster": control_plane,
            },
            opts=self._child(),
        )

    def _create_driver(self, control_plane: eks.Cluster, nodes: EksNodes, network: EksNetworkAddons) -> EksDriver:
        return EksDriver(
            f"{self._name}-ebs",
            {
                "cluster_name": self.cluster_name,
                "kubernetes_version": self._args["kubernetes_version"],
                "partition": self._args["partition"],
                "cluster": control_plane,
                "nodes": nodes.group,
                "network": network.addons,
                "snapshots": self._args["snapshots"],
            },
            opts=self._child(),
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, providers=[self._aws], depends_on=[self._frozen])


def create_cluster(settings: Settings) -> EksCluster:
    """Declare the cluster of this stack, after the preflight checks.

    Raises pulumi.RunError, with one sentence, for what would fail later or late.
    """
    import boto3

    assert settings.eks is not None
    eks_settings, region = settings.eks, settings.region
    session = boto3.Session(region_name=region)
    try:
        check_aws_cli()
        placement = check_account(session, region, settings.zone, eks_settings.vpc_id, eks_settings.subnet_ids)
    except PreflightError as error:
        raise pulumi.RunError(str(error)) from None
    return EksCluster(
        "lab",
        {
            "cluster_name": cluster_name(pulumi.get_stack()),
            "region": region,
            "partition": placement.partition,
            "zones": placement.zones,
            "vpc_id": eks_settings.vpc_id,
            "subnet_ids": placement.subnet_ids,
            "kubernetes_version": eks_settings.kubernetes_version,
            "nodes": settings.nodes,
            "node_type": eks_settings.node_type,
            "spot": eks_settings.spot,
            "public_access_cidrs": eks_settings.public_access_cidrs,
            "snapshots": settings.snapshots,
        },
    )
