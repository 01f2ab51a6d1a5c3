"""A stand-in for the component package pulumi-resource-eks: Construct of eks:index:Cluster.

It creates the children that pulumi-eks creates for the arguments of the lab, in the same order of need, and refuses
what pulumi-eks refuses. Arguments that it does not know are an error. Each child names the file of pulumi-eks that it
follows, below nodejs/eks in its repository. `children.py` holds them as a table, to compare with another release.
"""

import asyncio
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request
from hashlib import sha1
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi.provider import ConstructResult, Provider, main

from tools.dynamic_host import end_with_engine

KNOWN = {
    "name", "version", "vpcId", "subnetIds", "authenticationMode", "skipDefaultNodeGroup", "skipDefaultSecurityGroups",
    "createOidcProvider", "upgradePolicy", "endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs",
    "providerCredentialOpts", "corednsAddonOptions", "kubeProxyAddonOptions", "useDefaultVpcCni",
}  # fmt: skip

# How long pulumi-eks waits for the API server: so many looks, and so many seconds after each that fails.
HEALTH_LOOKS = 60
HEALTH_PAUSE = 5.0


def require_aws_cli() -> None:
    """Raise RuntimeError without an aws command of 2.7 or newer, in previews too. From dependencies.ts."""
    try:
        said = subprocess.run(["aws", "--version"], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        raise RuntimeError("Could not find aws CLI for EKS.") from None
    found = re.match(r"aws-cli/(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < (2, 7):
        raise RuntimeError(f"At least v2.7.0 of aws-cli is required. Current version is: {said}")


async def wait_until_healthy(endpoint: str, looks: int = HEALTH_LOOKS, pause: float = HEALTH_PAUSE) -> str:
    """Return `endpoint` once its /healthz answers 200, or all the same after the last look. From cluster/cluster.ts."""
    for look in range(looks):
        if await asyncio.to_thread(_is_healthy, endpoint):
            break
        pulumi.log.info(f"Waiting up to ({(looks - look) * pause:g}) more seconds for cluster readiness...")
        await asyncio.sleep(pause)
    return endpoint


def _is_healthy(endpoint: str) -> bool:
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"{endpoint}/healthz", timeout=1, context=unverified) as answer:
            return answer.status == 200
    except OSError:
        return False


class ServiceRole(pulumi.ComponentResource):
    """The role that EKS acts with. From servicerole.ts."""

    def __init__(self, name: str, parent: pulumi.Resource) -> None:
        super().__init__("eks:index:ServiceRole", name, None, pulumi.ResourceOptions(parent=parent))
        mine = pulumi.ResourceOptions(parent=self)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": ["eks.amazonaws.com"]},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
        role = aws.iam.Role(
            f"{name}-role",
            description="Allows EKS to manage clusters on your behalf.",
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            opts=mine,
        )
        partition = aws.get_partition_output(opts=pulumi.InvokeOutputOptions(parent=self)).partition
        # The name of the attachment comes from the policy's ARN in the partition aws, whichever the partition is.
        of_policy = sha1(b"arn:aws:iam::aws:policy/AmazonEKSClusterPolicy").hexdigest()[:8]
        self.policy = aws.iam.RolePolicyAttachment(
            f"{name}-{of_policy}",
            role=role.name,
            policy_arn=pulumi.Output.concat("arn:", partition, ":iam::aws:policy/AmazonEKSClusterPolicy"),
            opts=mine,
        )
        self.arn = role.arn
        self.register_outputs({})


class VpcCniAddon(pulumi.ComponentResource):
    """The add-on vpc-cni with its settings. From addons/cni-addon.ts."""

    def __init__(self, name: str, cluster: aws.eks.Cluster, opts: pulumi.ResourceOptions) -> None:
        super().__init__("eks:index:VpcCniAddon", name, None, opts)
        addon(name, "vpc-cni", cluster, self, configuration_values=json.dumps(VPC_CNI_VALUES, separators=(",", ":")))
        self.register_outputs({})


# What pulumi-eks says of the CNI where its user says nothing.
VPC_CNI_VALUES = {
    "env": {
        "AWS_VPC_ENI_MTU": "9001",
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "false",
        "AWS_VPC_K8S_CNI_EXTERNALSNAT": "false",
        "AWS_VPC_K8S_CNI_LOGLEVEL": "DEBUG",
        "AWS_VPC_K8S_CNI_LOG_FILE": "/host/var/log/aws-routed-eni/ipamd.log",
        "AWS_VPC_K8S_CNI_VETHPREFIX": "eni",
        "AWS_VPC_K8S_PLUGIN_LOG_FILE": "/var/log/aws-routed-eni/plugin.log",
        "AWS_VPC_K8S_PLUGIN_LOG_LEVEL": "DEBUG",
        "ENABLE_POD_ENI": "false",
        "WARM_ENI_TARGET": "1",
    },
    "init": {"env": {"DISABLE_TCP_EARLY_DEMUX": "false"}},
}


class Cluster(pulumi.ComponentResource):
    """eks:index:Cluster with the children of its bare form. From cluster/cluster.ts, as are those without a note."""

    def __init__(self, name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        super().__init__("eks:index:Cluster", name, None, opts)
        self._name, self._inputs = name, inputs
        role = ServiceRole(f"{name}-eksRole", self)
        self.cluster = self._create_cluster(role)
        if (inputs.get("kubeProxyAddonOptions") or {}).get("enabled", True):
            addon(f"{name}-kube-proxy", "kube-proxy", self.cluster, self)
        endpoint = self._endpoint()
        self.kubeconfig = self._create_kubeconfig(endpoint, profile=None)
        provider = self._create_provider(endpoint)
        if not inputs.get("useDefaultVpcCni", False):
            # By its provider it needs the endpoint to answer, which kube-proxy does not.
            needs = pulumi.ResourceOptions(parent=self, providers={"kubernetes": provider})
            VpcCniAddon(f"{name}-vpc-cni", self.cluster, needs)
        # A deadlock for the lab: a child of this component, and the component exists only when its children do.
        if (inputs.get("corednsAddonOptions") or {}).get("enabled"):
            addon(f"{name}-coredns", "coredns", self.cluster, self)
        self.register_outputs({})

    def _create_cluster(self, role: ServiceRole) -> aws.eks.Cluster:
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
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[role.policy],
                ignore_changes=[
                    "accessConfig.bootstrapClusterCreatorAdminPermissions",
                    "bootstrapSelfManagedAddons",
                ],
            ),
        )

    def _endpoint(self) -> pulumi.Output[str]:
        """Return the cluster's endpoint once it answers; at once in a preview, or without `endpointPublicAccess`."""
        if pulumi.runtime.is_dry_run() or not self._inputs.get("endpointPublicAccess"):
            return self.cluster.endpoint
        return self.cluster.endpoint.apply(wait_until_healthy)

    def _create_provider(self, endpoint: pulumi.Output[str]) -> kubernetes.Provider:
        """Declare the component's own provider. It logs in with this shell's profile unless credentials are given."""
        profile = None if "providerCredentialOpts" in self._inputs else os.environ.get("AWS_PROFILE")
        return kubernetes.Provider(
            f"{self._name}-eks-k8s",
            kubeconfig=self._create_kubeconfig(endpoint, profile).apply(json.dumps),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_kubeconfig(self, endpoint: pulumi.Output[str], profile: str | None) -> pulumi.Output[dict[str, Any]]:
        authority = self.cluster.certificate_authority.apply(lambda ca: ca["data"] if isinstance(ca, dict) else ca.data)
        region = self.cluster.arn.apply(lambda arn: arn.split(":")[3])
        return pulumi.Output.all(self.cluster.name, endpoint, authority, region).apply(
            lambda found: kubeconfig(*found, profile=profile)
        )


def addon(name: str, addon_name: str, cluster: aws.eks.Cluster, parent: pulumi.Resource, **more: Any) -> aws.eks.Addon:
    """Declare an add-on in its most recent version."""
    version = aws.eks.get_addon_version_output(
        addon_name=addon_name,
        kubernetes_version=cluster.version,
        most_recent=True,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    ).version
    return aws.eks.Addon(
        name,
        cluster_name=cluster.name,
        addon_name=addon_name,
        addon_version=version,
        preserve=True,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        opts=pulumi.ResourceOptions(parent=parent),
        **more,
    )


def kubeconfig(name: str, endpoint: str, authority: str, region: str, *, profile: str | None) -> dict[str, Any]:
    """Return the kubeconfig as pulumi-eks writes it."""
    words = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    words += ["--profile", profile] if profile else []
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
