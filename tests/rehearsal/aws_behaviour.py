"""AwsBehaviour: how AWS behaves behind the rehearsed API, and the real processes that play it.

`before` refuses what AWS refuses, `after` starts what follows from a call. AWS's order is played, not its minutes: a
cluster is not ACTIVE before its API server answers, nodes do not join without a way to the internet, an add-on that
needs nodes is not ACTIVE without them, and the driver works exactly as long as it has add-on, agent, role and node.
"""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.rehearsal.driver import DriverProcesses
from tests.rehearsal.kubernetes import Kubernetes
from tests.rehearsal.nodes import Nodes
from tests.rehearsal.signatures import SECRET
from tests.rehearsal.snapshot_controller import SnapshotController

AWS_ITSELF = "AWSITSELF"
DRIVER = "aws-ebs-csi-driver"
SNAPSHOTS = "snapshot-controller"
AGENT = "eks-pod-identity-agent"
SERVICE_ACCOUNT = "ebs-csi-controller-sa"
# A Deployment each; the other add-ons are DaemonSets, which are healthy with nothing to run on.
NEED_NODES = {"coredns", DRIVER, SNAPSHOTS}
CLUSTER_POLICIES = {"AmazonEKSClusterPolicy"}
NODE_POLICIES = {"AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"}
DRIVER_POLICIES = {"AmazonEBSCSIDriverPolicyV2"}

Call = dict[str, Any]


class Refused(Exception):
    """AWS's answer to a call that it does not carry out: an error code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class AwsBehaviour:
    """The account's moving parts. `eks` is MiniStack's module of that name, whose records are changed in place."""

    def __init__(self, folder: Path, endpoint: str, tools: Path, eks: Any) -> None:
        self._endpoint, self._eks = endpoint, eks
        self.kubernetes = Kubernetes(folder / "kubernetes", tools)
        self._driver = DriverProcesses(folder / "driver", self.kubernetes, tools, endpoint)
        self._snapshots = SnapshotController(folder / "snapshot-controller", self.kubernetes, tools)
        self._nodes = Nodes(self.kubernetes, lambda: self.client("ec2"))
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()

    def client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = boto3.Session().client(
                    service, endpoint_url=self._endpoint, region_name="us-east-1", aws_access_key_id=AWS_ITSELF,
                    aws_secret_access_key=SECRET, config=Config(proxies={}),
                )  # fmt: skip
            return self._clients[service]

    # What AWS refuses.

    def before(self, action: str, words: list[str], given: Call) -> None:
        """Raise Refused for a call that AWS would not carry out now."""
        match action:
            case "ec2:DeleteSubnet" | "ec2:DeleteVpc":
                self._refuse_with_interfaces(given)
            case "ec2:DetachInternetGateway":
                self._refuse_with_public_addresses(given)
            case "eks:CreateCluster":
                self._require_policies(given["roleArn"], CLUSTER_POLICIES, "eks.amazonaws.com")
                self._require_two_zones(given["resourcesVpcConfig"]["subnetIds"])
            case "eks:UpdateClusterConfig":
                self._refuse_what_changes_nothing(words[1], given.get("resourcesVpcConfig", {}))
            case "eks:DeleteCluster":
                if any(key.startswith(f"{words[1]}/") for key in self._eks._nodegroups):
                    raise Refused("ResourceInUseException", "Cluster has nodegroups attached")
            case "eks:CreateNodegroup" | "eks:CreateAddon":
                cluster = self._eks._clusters.get(words[1])
                if cluster is not None and cluster["status"] != "ACTIVE":
                    raise Refused("InvalidRequestException", f"Cluster {words[1]} is not ACTIVE")
                if action == "eks:CreateNodegroup":
                    self._require_policies(given["nodeRole"], NODE_POLICIES, "ec2.amazonaws.com")

    def _refuse_what_changes_nothing(self, cluster: str, config: Call) -> None:
        now = self._eks._clusters[cluster]["resourcesVpcConfig"]
        if all(now.get(key) == value for key, value in config.items()):
            raise Refused("InvalidParameterException", f"Cluster is already at the desired configuration with {config}")

    def _refuse_with_interfaces(self, given: Call) -> None:
        name, value = next((n, given[n]) for n in ("SubnetId", "VpcId") if n in given)
        filters = [{"Name": "subnet-id" if name == "SubnetId" else "vpc-id", "Values": [value]}]
        found = self.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        if found:
            raise Refused(
                "DependencyViolation", f"{value} has dependencies and cannot be deleted: {len(found)} interfaces"
            )

    def _refuse_with_public_addresses(self, given: Call) -> None:
        filters = [{"Name": "vpc-id", "Values": [given["VpcId"]]}]
        found = self.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        if any("node" in interface["Description"] for interface in found):
            raise Refused("DependencyViolation", f"Network {given['VpcId']} has some mapped public address(es)")

    def _require_policies(self, role_arn: str, wanted: set[str], service: str) -> None:
        if not self._role_works(role_arn, wanted, service, {"sts:AssumeRole"}):
            raise Refused("InvalidParameterException", f"{role_arn} lacks {wanted} or does not trust {service}")

    def _role_works(self, role_arn: str, wanted: set[str], service: str, actions: set[str]) -> bool:
        name = role_arn.rpartition("/")[2]
        try:
            role = self.client("iam").get_role(RoleName=name)["Role"]
        except self.client("iam").exceptions.NoSuchEntityException:
            return False
        document = role["AssumeRolePolicyDocument"]
        (statement,) = (json.loads(document) if isinstance(document, str) else document)["Statement"]
        given = self.client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        return (
            wanted <= {policy["PolicyName"] for policy in given}
            and service in statement["Principal"]["Service"]
            and actions <= set(statement["Action"])
        )

    def _require_two_zones(self, subnet_ids: list[str]) -> None:
        subnets = self.client("ec2").describe_subnets(SubnetIds=subnet_ids)["Subnets"]
        if len({subnet["AvailabilityZone"] for subnet in subnets}) < 2:
            raise Refused("InvalidParameterException", "Subnets specified must be in at least two different AZs")
        if {"use1-az3"} & {subnet["AvailabilityZoneId"] for subnet in subnets}:
            raise Refused("UnsupportedAvailabilityZoneException", "use1-az3 cannot hold a cluster")

    # What follows from a call.

    def after(self, action: str, words: list[str], given: Call) -> None:
        """Start what follows from a call that was carried out. What takes time continues in the background."""
        match action:
            case "eks:CreateCluster":
                self._in_background(self._start_cluster, given["name"], given["resourcesVpcConfig"]["subnetIds"])
            case "eks:DeleteCluster":
                self._end_cluster(words[1])
            case "eks:CreateNodegroup":
                self._nodegroup(words[1], given["nodegroupName"])["status"] = "CREATING"
                self._in_background(self._fill_nodegroup, words[1], given["nodegroupName"])
            case "eks:UpdateNodegroupConfig":
                self._fill_nodegroup(words[1], words[3])
            case "eks:UpdateNodegroupVersion":
                self._renew_nodes(words[1], words[3])
            case "eks:DeleteNodegroup":
                self._nodes.remove(words[3], keep=0)
            case "eks:CreateAddon":
                self._addon(words[1], given["addonName"])["status"] = "CREATING"
        self.settle()

    def settle(self) -> None:
        """Give add-ons and driver the state that fits the nodes there are."""
        with self._lock:
            nodes = self._nodes.all()
            for addon in self._eks._addons.values():
                healthy = bool(nodes) or addon["addonName"] not in NEED_NODES
                addon["status"] = "ACTIVE" if healthy else "DEGRADED"
            if self._driver_may_work(nodes):
                self._driver.start(nodes)
            else:
                self._driver.stop()
            self._settle_snapshots(nodes)

    def _settle_snapshots(self, nodes: dict[str, str]) -> None:
        if not self.kubernetes.running:
            return
        if not any(addon["addonName"] == SNAPSHOTS for addon in self._eks._addons.values()):
            self._snapshots.remove()
            return
        self._snapshots.install()
        if nodes:
            self._snapshots.start()
        else:
            self._snapshots.stop()

    def end(self) -> None:
        """Stop every process that the rehearsal left behind."""
        with self._lock:
            self._driver.stop()
            self._snapshots.stop()
            if self.kubernetes.running:
                self.kubernetes.stop()

    def _driver_may_work(self, nodes: dict[str, str]) -> bool:
        addons = {addon["addonName"]: addon for addon in self._eks._addons.values()}
        if not nodes or not {DRIVER, AGENT} <= addons.keys() or not self.kubernetes.running:
            return False
        identities = addons[DRIVER]["podIdentityAssociations"] or [{}]
        role = identities[0].get("roleArn", "")
        return identities[0].get("serviceAccount") == SERVICE_ACCOUNT and self._role_works(
            role, DRIVER_POLICIES, "pods.eks.amazonaws.com", {"sts:AssumeRole", "sts:TagSession"}
        )

    def _start_cluster(self, name: str, subnet_ids: list[str]) -> None:
        cluster = self._eks._clusters[name]
        while cluster["status"] != "ACTIVE":  # MiniStack's own thread says so within milliseconds
            time.sleep(0.01)
        cluster["status"] = "CREATING"
        for subnet_id in subnet_ids:
            self.client("ec2").create_network_interface(SubnetId=subnet_id, Description=f"control plane {name}")
        self.kubernetes.start()
        cluster["endpoint"] = self.kubernetes.server
        cluster["certificateAuthority"]["data"] = self.kubernetes.certificate_authority
        cluster["status"] = "ACTIVE"

    def _end_cluster(self, name: str) -> None:
        with self._lock:
            for key in [key for key in self._eks._addons if key.startswith(f"{name}/")]:
                del self._eks._addons[key]
            self._driver.stop()
            self._snapshots.forget()
            self.kubernetes.stop()
            self._nodes.delete_interfaces(f"control plane {name}")

    def _fill_nodegroup(self, cluster: str, group_name: str) -> None:
        group = self._nodegroup(cluster, group_name)
        if not self._nodes.has_route_out(group["subnets"][0]):
            group["status"] = "CREATE_FAILED"
            group["health"]["issues"] = [
                {"code": "NodeCreationFailure", "message": "Instances failed to join", "resourceIds": []}
            ]
            return
        with self._lock:
            self._nodes.remove(group_name, keep=group["scalingConfig"]["desiredSize"])
            for _ in range(group["scalingConfig"]["desiredSize"] - len(self._nodes.all(group_name))):
                self._nodes.add(group_name, group)
            self.settle()
        group["status"] = "ACTIVE"

    def _renew_nodes(self, cluster: str, group_name: str) -> None:
        """Add new nodes, then drain and end the old ones, as a managed node group does."""
        with self._lock:
            old = list(self._nodes.all(group_name))
            for _ in old:
                self._nodes.add(group_name, self._nodegroup(cluster, group_name))
            self.settle()
            self._nodes.remove(group_name, keep=0, among=old)

    def _nodegroup(self, cluster: str, name: str) -> Call:
        return self._eks._nodegroups[f"{cluster}/{name}"]

    def _addon(self, cluster: str, name: str) -> Call:
        return self._eks._addons[f"{cluster}/{name}"]

    def _in_background(self, work: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()
