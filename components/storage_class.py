"""EbsStorageClass: the cluster's default StorageClass, and the barrier that outlives every volume of it."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
from pulumi_kubernetes.storage.v1 import StorageClass

from .cluster import Cluster
from .guards.frozen_inputs import FrozenInputs
from .guards.reclaim_barrier import ReclaimBarrier
from .settings.arguments import check_arguments
from .settings.conventions import EBS_DRIVER, LAB_TAG, ebs_volume_name
from .settings.servers import OwnedClaim


class EbsStorageClassArgs(TypedDict):
    """The cluster; what each claim asks for; the lab's claims; how long a destroy waits for their volumes.

    The barrier deletes those of `own_claims` that an interrupted update left out of the state.
    """

    cluster: Cluster
    storage: str
    own_claims: Sequence[OwnedClaim]
    reclaim_timeout_seconds: int


class EbsStorageClass(pulumi.ComponentResource):
    """The default StorageClass: gp3, encrypted, made where the Pod is, expandable, deleted with its claim.

    Attributes: `class_name`, `storage_class` and `barrier`. Every resource that claims volumes depends on the barrier,
    and the barrier on the class. So a destroy deletes claims first, waits in the barrier until their volumes are
    deleted, and then deletes the class.
    """

    class_name: str
    storage_class: StorageClass
    barrier: ReclaimBarrier

    def __init__(self, name: str, args: EbsStorageClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("EbsStorageClass", name, args, EbsStorageClassArgs)
        super().__init__("storage-lab:index:EbsStorageClass", name, None, opts)
        self.class_name = name
        self._cluster = args["cluster"]
        self.storage_class = self._create_class()
        size = self._create_frozen_size(args["storage"])
        self.barrier = ReclaimBarrier(
            name,
            {
                "storage_class": self.class_name,
                "own_claims": args["own_claims"],
                "kubeconfig": self._cluster.access.kubeconfig,
                "ec2": self._cluster.access.ec2,
                "volume_tag": {"key": LAB_TAG, "value": self._cluster.cluster_name},
                "driver_tags": self._cluster.driver_tags,
                "timeout_seconds": args["reclaim_timeout_seconds"],
            },
            # Replaced, it would delete the lab's claims: KeptClaims refuses that, if Pulumi is to delete it first.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.storage_class, size], delete_before_replace=True),
        )
        self.register_outputs({"className": self.class_name})

    def _create_frozen_size(self, storage: str) -> FrozenInputs:
        return FrozenInputs(
            self.class_name,
            {
                "values": {"storage": storage},
                "rules": {"storage": "only_grows" if self._cluster.volumes_can_grow else "same_size"},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_class(self) -> StorageClass:
        return StorageClass(
            self.class_name,
            metadata={"name": self.class_name, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            provisioner=EBS_DRIVER,
            volume_binding_mode="WaitForFirstConsumer",
            reclaim_policy="Delete",
            allow_volume_expansion=True,
            parameters={
                "type": "gp3",
                "encrypted": "true",
                "csi.storage.k8s.io/fstype": "ext4",
                "tagSpecification_1": f"Name={ebs_volume_name('{{ .PVName }}')}",
                "tagSpecification_2": f"{LAB_TAG}={self._cluster.cluster_name}",
            },
            # Parameters cannot be changed, so a class with others replaces the old one under the same name. Bound
            # claims stay bound: they need their class only to be created and to grow.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
