"""EksDriver: the add-on aws-ebs-csi-driver, how it gets its AWS credentials (EKS Pod Identity), and snapshots."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
from pulumi_aws import eks

from ..settings.arguments import check_arguments
from .addon import AddonArgs, create_addon
from .service_role import ServiceRole

AGENT_ADDON = "eks-pod-identity-agent"
DRIVER_ADDON = "aws-ebs-csi-driver"
# It brings the CRDs of snapshots too: https://docs.aws.amazon.com/eks/latest/userguide/csi-snapshot-controller.html
SNAPSHOT_ADDON = "snapshot-controller"
# The service account that the add-on's controller runs as, in kube-system.
DRIVER_SERVICE_ACCOUNT = "ebs-csi-controller-sa"
# Lets the driver touch only volumes and snapshots it made itself (tag ebs.csi.aws.com/cluster=true, which it sets). It
# is not below service-role/, where the policy that came before it is:
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEBSCSIDriverPolicyV2.html
DRIVER_POLICY = "AmazonEBSCSIDriverPolicyV2"


class EksDriverArgs(TypedDict):
    """The agent waits for `cluster`; the driver also for `nodes` and for `network`, the add-ons that Pods need.

    With `snapshots` the cluster can make snapshots of volumes, and volumes of snapshots.
    """

    cluster_name: str
    kubernetes_version: str
    partition: str
    cluster: pulumi.Resource
    nodes: pulumi.Resource
    network: Sequence[pulumi.Resource]
    snapshots: bool


class EksDriver(pulumi.ComponentResource):
    """The driver with its role and the Pod Identity agent, and the snapshot controller.

    Attribute: `addons`. Whoever needs volumes or snapshots created or reclaimed depends on all of these, and these on
    all that keeps them working.
    """

    addons: list[pulumi.Resource]

    def __init__(self, name: str, args: EksDriverArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("EksDriver", name, args, EksDriverArgs)
        super().__init__("storage-lab:index:EksDriver", name, None, opts)
        self._name = name
        self._args = args
        role = ServiceRole(
            name,
            {
                "service": "pods.eks.amazonaws.com",
                "actions": ["sts:AssumeRole", "sts:TagSession"],
                "policies": [DRIVER_POLICY],
                "partition": args["partition"],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        # A DaemonSet: it is healthy without a node to run on, so it need not wait for one.
        agent = self._create_addon(AGENT_ADDON, needs=[args["cluster"]])
        # Deployments: without nodes they stay DEGRADED until AWS gives up after twenty minutes.
        needs = [args["nodes"], *args["network"]]
        # Before the driver: csi-snapshotter asks for the CRDs until they exist, csi-provisioner only when it starts.
        # With them it frees snapshots that it marked as a source and that nobody could delete any more.
        snapshots = [self._create_addon(SNAPSHOT_ADDON, needs)] if args["snapshots"] else []
        driver = self._create_addon(
            DRIVER_ADDON,
            needs=[*needs, agent, *role.permissions, *snapshots],
            identity={"service_account": DRIVER_SERVICE_ACCOUNT, "role_arn": role.arn},
        )
        self.addons = [driver, *snapshots]
        self.register_outputs({"addonArn": driver.arn})

    def _create_addon(
        self,
        addon: str,
        needs: Sequence[pulumi.Resource],
        identity: eks.AddonPodIdentityAssociationArgsDict | None = None,
    ) -> eks.Addon:
        args: AddonArgs = {
            "cluster_name": self._args["cluster_name"],
            "kubernetes_version": self._args["kubernetes_version"],
            "addon": addon,
        }
        if identity:
            args["identity"] = identity
        return create_addon(
            f"{self._name}-{addon}", args, opts=pulumi.ResourceOptions(parent=self, depends_on=list(needs))
        )
