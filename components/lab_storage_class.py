"""LabStorageClass: the class of the lab, with the guards that make a destroy leave no volume."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from .cluster import Cluster
from .guards.reclaim_barrier import ReclaimBarrier
from .settings.arguments import check_arguments
from .settings.conventions import LAB_TAG
from .settings.servers import OwnedClaim
from .storage_class import EbsStorageClass


class LabStorageClassArgs(TypedDict):
    """The cluster; the lab's claims; how long a destroy waits for their volumes.

    The barrier deletes those of `own_claims` that an interrupted update left out of the state.
    """

    cluster: Cluster
    own_claims: Sequence[OwnedClaim]
    reclaim_timeout_seconds: int


class LabStorageClass(EbsStorageClass):
    """The default class of the lab, whose volumes carry the lab's tag.

    Every resource that claims volumes depends on the `barrier`, and the barrier on the class. So a destroy deletes
    claims first, waits in the barrier until their volumes are deleted, and then deletes the class.
    """

    barrier: ReclaimBarrier

    def __init__(self, name: str, args: LabStorageClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("LabStorageClass", name, args, LabStorageClassArgs)
        cluster = args["cluster"]
        super().__init__(name, {"default": True, "tags": {LAB_TAG: cluster.cluster_name}}, opts)
        self.barrier = ReclaimBarrier(
            name,
            {
                "storage_class": name,
                "own_claims": args["own_claims"],
                "kubeconfig": cluster.access.kubeconfig,
                "ec2": cluster.access.ec2,
                "volume_tag": {"key": LAB_TAG, "value": cluster.cluster_name},
                "driver_tags": cluster.driver_tags,
                "timeout_seconds": args["reclaim_timeout_seconds"],
            },
            # Replaced, it would delete the lab's claims: KeptClaims refuses that, if Pulumi is to delete it first.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.storage_class], delete_before_replace=True),
        )
