"""LocalCluster: a real Kubernetes control plane on this machine, and nodes that are folders of one program.

The local counterpart of EksCluster: everything below "there is a cluster" is the same code for both.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import Node
from pulumi_kubernetes.storage.v1 import CSIDriver, CSINode

from ..access.clients import local_ec2_key
from ..access.cluster_access import ClusterAccess, Ec2Access
from ..access.kubernetes_provider import kubernetes_provider
from ..settings import Settings
from ..settings.arguments import check_arguments
from ..settings.conventions import EBS_DRIVER, LOCAL_DRIVER_TAGS, VOLUMES_PER_NODE, cluster_name
from .control_plane import CloudFolder, ControlPlaneResource
from .ec2_instance import Ec2Instance

ZONE_LABEL = "topology.kubernetes.io/zone"
REGION_LABEL = "topology.kubernetes.io/region"
# More than two cores can answer: what the stack waits for is then the cluster, not its own client.
REQUESTS_A_SECOND = 1000


class LocalClusterArgs(TypedDict):
    """`cloud` names the local cloud's folder; `cluster_name` is what its volumes are tagged with;
    `zone` is the zone of all `nodes`."""

    cloud: str
    cluster_name: str
    region: str
    zone: str
    nodes: int


class LocalCluster(pulumi.ComponentResource):
    """The control plane, and for every node its instance in EC2, its Node and its CSINode; the driver's CSIDriver.

    Keeps the Protocol `Cluster`. Its EC2 API has an endpoint and a key of its own, which are outputs.
    """

    provider: kubernetes.Provider
    access: ClusterAccess
    ready: list[pulumi.Resource]
    cluster_name: str
    outputs: dict[str, pulumi.Output[Any]]
    # The driver's half of growing a volume is a sidecar, csi-resizer, which cannot be built from its Go module.
    driver_tags: Mapping[str, str] = LOCAL_DRIVER_TAGS
    holders: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: LocalClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("LocalCluster", name, args, LocalClusterArgs)
        super().__init__("storage-lab:index:LocalCluster", name, None, opts)
        self._region = args["region"]
        self._zone = args["zone"]
        self.cluster_name = args["cluster_name"]
        control_plane = self._create_control_plane(name, args["cloud"])
        kubeconfig = pulumi.Output.secret(control_plane.kubeconfig)
        self._ec2: Ec2Access = {"region": args["region"], "endpoint_url": control_plane.ec2_endpoint}
        self.access = ClusterAccess(kubeconfig, self._ec2)
        self.outputs = {
            "kubeconfig": kubeconfig,
            "ec2Endpoint": control_plane.ec2_endpoint,
            "ec2Key": pulumi.Output.secret(control_plane.ec2_endpoint.apply(_key_output)),
        }
        self.provider = self._create_provider(name, control_plane)
        self.ready = [self._create_driver()]
        for number in range(1, args["nodes"] + 1):
            self.ready += self._create_node(f"node-{number}")
        self.register_outputs({"kubeconfig": kubeconfig, "clusterName": self.cluster_name})

    def _create_control_plane(self, name: str, cloud: str) -> ControlPlaneResource:
        fixed = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        folder = CloudFolder(name, {"cloud": cloud}, opts=fixed)
        control_plane = ControlPlaneResource(
            name,
            {"cloud": cloud, "owner": folder.uid, "region": self._region, "zone": self._zone},
            opts=pulumi.ResourceOptions.merge(fixed, pulumi.ResourceOptions(depends_on=[folder])),
        )
        self.holders = [folder.id, control_plane.id]
        return control_plane

    def _create_provider(self, name: str, control_plane: ControlPlaneResource) -> kubernetes.Provider:
        return kubernetes_provider(
            name,
            kubeconfig=self.access.kubeconfig,
            # All that its objects stand for is in the cloud's folder. So the stack forgets the objects of a cloud
            # that was deleted. If a cloud only cannot start, the next `up` takes its objects over.
            delete_unreachable=True,
            # A new kubeconfig for the same cluster is not a reason to replace everything in it.
            cluster_identifier=control_plane.cluster_id,
            # The default, 50 requests a second, is for API servers that others use too.
            kube_client_settings={"qps": REQUESTS_A_SECOND, "burst": REQUESTS_A_SECOND},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[control_plane]),
        )

    def _kubernetes(self, **options: object) -> pulumi.ResourceOptions:
        own = pulumi.ResourceOptions(parent=self, provider=self.provider)
        return pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(**options))  # pyright: ignore[reportArgumentType]

    def _create_driver(self) -> CSIDriver:
        return CSIDriver(
            EBS_DRIVER,
            metadata={"name": EBS_DRIVER},
            spec={"attach_required": True, "pod_info_on_mount": False, "fs_group_policy": "File"},
            opts=self._kubernetes(delete_before_replace=True),
        )

    def _create_node(self, name: str) -> list[pulumi.Resource]:
        """Create what a kubelet and the driver on its node would announce. The node program is the kubelet."""
        instance = Ec2Instance(
            name,
            {"ec2": self._ec2, "node": name, "zone": self._zone},
            # An instance is found by its node's name: one that is created first would be the old one.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        node = Node(
            name,
            metadata={
                "name": name,
                "annotations": {
                    # Without it Kubernetes never creates a VolumeAttachment for the node.
                    "volumes.kubernetes.io/controller-managed-attach-detach": "true",
                },
                "labels": {
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                    ZONE_LABEL: self._zone,
                    REGION_LABEL: self._region,
                },
            },
            spec={"provider_id": instance.id.apply(lambda id: f"aws:///{self._zone}/{id}")},
            # A Node cannot move to another instance, nor can two have one name.
            opts=self._kubernetes(replace_on_changes=["spec.providerID"], delete_before_replace=True),
        )
        csi_node = CSINode(
            name,
            metadata={"name": name},
            spec={
                "drivers": [
                    {
                        "name": EBS_DRIVER,
                        "node_id": instance.id,
                        "topology_keys": [ZONE_LABEL],
                        "allocatable": {"count": VOLUMES_PER_NODE},
                    }
                ]
            },
            opts=self._kubernetes(depends_on=[node], replace_on_changes=["spec.drivers"], delete_before_replace=True),
        )
        return [node, csi_node]


def _key_output(endpoint: str) -> dict[str, str]:
    key = local_ec2_key(endpoint)
    return {"accessKeyId": key.access_key_id, "secretAccessKey": key.secret_access_key}


def create_cluster(settings: Settings) -> LocalCluster:
    """Return the cluster of this stack."""
    stack = pulumi.get_stack()
    return LocalCluster(
        "lab",
        {
            "cloud": stack,
            "cluster_name": cluster_name(stack),
            "region": settings.region,
            "zone": settings.zone or f"{settings.region}a",
            "nodes": settings.nodes,
        },
    )
