"""A stand-in for the component package pulumi-resource-eks: Construct of eks:index:Cluster.

It makes the children that pulumi-eks 4.4 was seen to make for the arguments of the lab, in the same order of need, and
refuses what pulumi-eks refuses. Arguments that it does not know are an error.
"""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi.provider import ConstructResult, Provider, main

from tools.dynamic_host import end_with_engine

KNOWN = {
    "name", "version", "vpcId", "subnetIds", "authenticationMode", "skipDefaultNodeGroup", "skipDefaultSecurityGroups",
    "createOidcProvider", "upgradePolicy", "endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs",
    "providerCredentialOpts", "corednsAddonOptions",
}  # fmt: skip


def require_aws_cli() -> None:
    """As pulumi-eks does, in previews too."""
    try:
        said = subprocess.run(["aws", "--version"], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        raise RuntimeError("Could not find aws CLI for EKS.") from None
    found = re.match(r"aws-cli/(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < (2, 7):
        raise RuntimeError(f"At least v2.7.0 of aws-cli is required. Current version is: {said}")


class ServiceRole(pulumi.ComponentResource):
    """The role that EKS acts with."""

    def __init__(self, name: str, parent: pulumi.Resource) -> None:
        super().__init__("eks:index:ServiceRole", name, None, pulumi.ResourceOptions(parent=parent))
        mine = pulumi.ResourceOptions(parent=self)
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": ["eks.amazonaws.com"]},
                    "Action": ["sts:AssumeRole", "sts:TagSession"],
                }
            ],
        }
        role = aws.iam.Role(
            f"{name}-role",
            description="Allows EKS to manage clusters on your behalf.",
            assume_role_policy=json.dumps(trust),
            opts=mine,
        )
        partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=self)).partition
        self.policy = aws.iam.RolePolicyAttachment(
            f"{name}-policy",
            role=role.name,
            policy_arn=pulumi.Output.concat("arn:", partition, ":iam::aws:policy/AmazonEKSClusterPolicy"),
            opts=mine,
        )
        self.arn = role.arn
        self.register_outputs({})


class Cluster(pulumi.ComponentResource):
    """eks:index:Cluster with the children of its bare form."""

    def __init__(self, name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        super().__init__("eks:index:Cluster", name, None, opts)
        self._name, self._inputs = name, inputs
        self._mine = pulumi.ResourceOptions(parent=self)
        role = ServiceRole(f"{name}-eksRole", self)
        self.cluster = self._cluster(role)
        self.kubeconfig = self._kubeconfig()
        self._kubernetes = kubernetes.Provider(
            f"{name}-eks-k8s", kubeconfig=self.kubeconfig.apply(json.dumps), opts=self._mine
        )
        self._addon("kube-proxy")
        self._addon("vpc-cni")
        # The deadlock of the facts: a child of this component, and the component is done when its children are.
        if (inputs.get("corednsAddonOptions") or {}).get("enabled"):
            self._addon("coredns")
        self.register_outputs({})

    def _cluster(self, role: ServiceRole) -> aws.eks.Cluster:
        given = self._inputs
        return aws.eks.Cluster(
            f"{self._name}-eksCluster",
            name=given["name"],
            role_arn=role.arn,
            version=given["version"],
            vpc_config={
                "subnet_ids": given["subnetIds"],
                "endpoint_public_access": given.get("endpointPublicAccess"),
                "endpoint_private_access": given.get("endpointPrivateAccess"),
                "public_access_cidrs": given.get("publicAccessCidrs"),
            },
            access_config={
                "authentication_mode": given["authenticationMode"],
                "bootstrap_cluster_creator_admin_permissions": True,
            },
            upgrade_policy=pulumi.Output.from_input(given["upgradePolicy"]).apply(
                lambda policy: aws.eks.ClusterUpgradePolicyArgs(support_type=policy["supportType"])
            ),
            bootstrap_self_managed_addons=True,
            tags={"Name": f"{self._name}-eksCluster"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role.policy]),
        )

    def _kubeconfig(self) -> pulumi.Output[dict[str, Any]]:
        cluster = self.cluster
        region = cluster.arn.apply(lambda arn: arn.split(":")[3])
        return pulumi.Output.all(
            cluster.name,
            cluster.endpoint,
            cluster.certificate_authority.apply(lambda ca: ca["data"] if isinstance(ca, dict) else ca.data),
            region,
        ).apply(lambda found: kubeconfig(*found))

    def _addon(self, addon: str) -> None:
        version = aws.eks.get_addon_version_output(
            addon_name=addon,
            kubernetes_version=self.cluster.version,
            most_recent=True,
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).version
        aws.eks.Addon(
            f"{self._name}-{addon}",
            cluster_name=self.cluster.name,
            addon_name=addon,
            addon_version=version,
            preserve=True,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=self._mine,
        )


def kubeconfig(name: str, endpoint: str, authority: str, region: str) -> dict[str, Any]:
    """As pulumi-eks writes it."""
    words = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    version = "client.authentication.k8s.io/v1beta1"
    info = [{"name": "KUBERNETES_EXEC_INFO", "value": json.dumps({"apiVersion": version})}]
    cluster = {"server": endpoint, "certificate-authority-data": authority}
    user = {"exec": {"apiVersion": version, "command": "aws", "args": words, "env": info}}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": cluster}],
        "contexts": [{"name": "aws", "context": {"cluster": "kubernetes", "user": "aws"}}],
        "current-context": "aws",
        "users": [{"name": "aws", "user": user}],
    }


class EksProvider(Provider):
    """The package: one component."""

    def __init__(self) -> None:
        super().__init__("4.4.0")

    def construct(
        self, name: str, resource_type: str, inputs: dict[str, Any], options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        if resource_type != "eks:index:Cluster":
            raise NotImplementedError(f"the rehearsal does not play {resource_type}")
        unknown = inputs.keys() - KNOWN
        if unknown:
            raise NotImplementedError(f"{resource_type}: the rehearsal does not play {sorted(unknown)}")
        if os.environ.get("AWS_PROFILE") and "providerCredentialOpts" not in inputs:
            raise RuntimeError("providerCredentialOpts and AWS_PROFILE must be set together")
        require_aws_cli()
        cluster = Cluster(name, inputs, options)
        return ConstructResult(
            cluster.urn,
            {
                "kubeconfig": cluster.kubeconfig,
                "kubeconfigJson": cluster.kubeconfig.apply(json.dumps),
                "eksCluster": cluster.cluster,
            },
        )


if __name__ == "__main__":
    end_with_engine()
    main(EksProvider(), sys.argv[1:])
