"""EksCluster: the real cluster, Amazon EKS, with what the lab needs of it and nothing that costs more."""

from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as kubernetes

from ..access.cluster_access import ClusterAccess
from ..guards.frozen_inputs import FrozenInputs, Rule
from ..settings.conventions import LAB_TAG
from .driver import EksDriver
from .network import Network
from .nodes import EksNodes


class EksClusterArgs(TypedDict):
    """What the cluster is made from. `zones` are two, the nodes' zone first; `ground.survey` finds them.

    `subnet_ids` of an existing `vpc_id` in the order of the zones, or neither for a VPC of its own.
    `public_access_cidrs` may reach the Kubernetes API from outside; empty means everybody, with AWS credentials.
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


class Place(NamedTuple):
    """Where the cluster stands: its subnets, the nodes' first, and the routes to the internet that we made."""

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
    # The driver's add-on brings csi-resizer along.
    volumes_can_grow: bool = True

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("storage-lab:index:EksCluster", name, None, opts)
        self._name = name
        self._args = args
        self.cluster_name = args["cluster_name"]
        self._aws = self._create_aws_provider()
        self._frozen = self._create_frozen_inputs()
        place = self._create_network()
        control_plane = self._create_control_plane(place)
        nodes = self._create_nodes(place.subnet_ids[0], needs=[control_plane, *place.routes])
        driver = self._create_driver(control_plane, nodes)
        self.ready = [nodes.group, driver.addon]
        kubeconfig = pulumi.Output.secret(control_plane.kubeconfig_json)
        self.access = ClusterAccess(kubeconfig, {"region": args["region"]})
        self.outputs = {"kubeconfig": kubeconfig}
        self.provider = kubernetes.Provider(
            f"{name}-kubernetes", kubeconfig=kubeconfig, opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({"kubeconfig": kubeconfig, "clusterName": self.cluster_name})

    def _create_aws_provider(self) -> aws.Provider:
        """Of its own, so that the region is set in one place and every resource carries the tag, pulumi-eks's too."""
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

    def _create_network(self) -> Place:
        if self._args["vpc_id"]:
            return Place(self._args["vpc_id"], self._args["subnet_ids"], routes=[])
        network = Network(
            self._name, {"cluster_name": self.cluster_name, "zones": self._args["zones"]}, opts=self._child()
        )
        return Place(network.vpc_id, network.subnet_ids, network.routes)

    def _create_control_plane(self, place: Place) -> eks.Cluster:
        """The cluster of pulumi-eks, bare.

        Leave `coredns_addon_options` alone: with no default node group it is a deadlock, for the add-on waits for
        nodes and our nodes for the add-on. EKS brings its own CoreDNS.
        """
        return eks.Cluster(
            self._name,
            name=self.cluster_name,
            version=self._args["kubernetes_version"],
            vpc_id=place.vpc_id,
            subnet_ids=list(place.subnet_ids),
            # No aws-auth ConfigMap, whose order of deletion is a known cause of failing destroys.
            authentication_mode=eks.AuthenticationMode.API,
            skip_default_node_group=True,
            # Default ones are deleted too early: DependencyViolation.
            skip_default_security_groups=True,
            create_oidc_provider=False,
            # Extended support costs 0.60 $/h, six times the control plane.
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            # Said although it is the default: pulumi-eks waits for the endpoint's name to resolve only if it is.
            endpoint_public_access=True,
            # Nodes come in this way, whoever the CIDRs let in from outside.
            endpoint_private_access=True,
            public_access_cidrs=list(self._args["public_access_cidrs"]) or None,
            # Demanded by pulumi-eks beside a provider of one's own. Empty: the credentials of whoever uses the
            # kubeconfig, AWS_PROFILE included.
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

    def _create_driver(self, control_plane: eks.Cluster, nodes: EksNodes) -> EksDriver:
        return EksDriver(
            f"{self._name}-ebs",
            {
                "cluster_name": self.cluster_name,
                "kubernetes_version": self._args["kubernetes_version"],
                "partition": self._args["partition"],
                "cluster": control_plane,
                "nodes": nodes.group,
            },
            opts=self._child(),
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, providers=[self._aws], depends_on=[self._frozen])
