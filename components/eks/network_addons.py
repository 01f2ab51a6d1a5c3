"""EksNetworkAddons: the add-ons kube-proxy and vpc-cni, which give Pods their network, beside the node group.

pulumi-eks can declare both as children of its cluster. It hands out the cluster only when all children exist, so the
node group would wait for them: a minute for nothing, because EKS puts its own copies of both into every new cluster.
"""

from typing import TypedDict

import pulumi
from pulumi_aws import eks

from ..settings.arguments import check_arguments
from .addon import create_addon

KUBE_PROXY = "kube-proxy"
VPC_CNI = "vpc-cni"
# pulumi-eks wraps vpc-cni in this component.
VPC_CNI_WRAPPER = "eks:index:VpcCniAddon"


class EksNetworkAddonsArgs(TypedDict):
    """`cluster` is the component of pulumi-eks: the add-ons wait for it, and used to be its children."""

    cluster_name: str
    kubernetes_version: str
    cluster: pulumi.Resource


class EksNetworkAddons(pulumi.ComponentResource):
    """Both add-ons, as DaemonSets healthy without a node to run on. Attribute: `addons`.

    A delete preserves what runs on the nodes: without it a node that still drains would lose its network.
    """

    addons: list[eks.Addon]

    def __init__(self, name: str, args: EksNetworkAddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("EksNetworkAddons", name, args, EksNetworkAddonsArgs)
        super().__init__("storage-lab:index:EksNetworkAddons", name, None, opts)
        self._name = name
        self._args = args
        cluster = args["cluster"]
        wrapper = pulumi.create_urn(f"{name}-{VPC_CNI}", VPC_CNI_WRAPPER, parent=cluster)
        self.addons = [self._adopt(KUBE_PROXY, former_parent=cluster), self._adopt(VPC_CNI, former_parent=wrapper)]
        self.register_outputs({"addonArns": [addon.arn for addon in self.addons]})

    def _adopt(self, addon: str, former_parent: pulumi.Resource | pulumi.Output[str]) -> eks.Addon:
        """Declare the add-on under the name that it had under `former_parent`.

        Without the alias an older stack would create it a second time, and EKS answers ResourceInUseException.
        """
        former = pulumi.Alias(parent=former_parent)
        return create_addon(
            f"{self._name}-{addon}",
            {
                "cluster_name": self._args["cluster_name"],
                "kubernetes_version": self._args["kubernetes_version"],
                "addon": addon,
                # EKS's own copies, and what a learner changed in them, give way to the managed ones.
                "overwrite": True,
                "preserve": True,
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._args["cluster"]], aliases=[former]),
        )
