"""EbsStorageClass: the cluster's default StorageClass, and the barrier that outlives every volume of it."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.storage.v1 import StorageClass

from .access.ec2_access import Ec2Access
from .guards.frozen_inputs import FrozenInputs
from .guards.reclaim_barrier import OwnClaim, ReclaimBarrier
from .settings.conventions import EBS_DRIVER, LAB_TAG, ebs_volume_name


class EbsStorageClassArgs(TypedDict):
    """What the class and its barrier are made from.

    `storage` is what each claim will ask for, and `can_grow` whether the cluster can make a volume larger.
    `kubeconfig` and `ec2` are how the barrier looks for what is left. `reclaim_timeout_seconds` is how long it waits.
    `own_claims` are the lab's, which it deletes where an interrupted update left one out of the state.
    """

    cluster_name: str
    storage: str
    can_grow: bool
    kubeconfig: pulumi.Input[str]
    ec2: Ec2Access
    reclaim_timeout_seconds: int
    own_claims: NotRequired[Sequence[OwnClaim]]
    provisioner: NotRequired[str]


class EbsStorageClass(pulumi.ComponentResource):
    """The default StorageClass: gp3, encrypted, made where the pod is, expandable, deleted with its claim.

    Attributes: `class_name`, `storage_class` and `barrier`. Whatever claims volumes depends on the barrier, which in
    turn depends on the class: so on the way down claims go first, then the barrier waits until their volumes are gone,
    then the class.
    """

    class_name: str
    storage_class: StorageClass
    barrier: ReclaimBarrier

    def __init__(self, name: str, args: EbsStorageClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("storage-lab:index:EbsStorageClass", name, None, opts)
        self.class_name = name
        self.storage_class = self._create_class(args)
        size = FrozenInputs(
            name,
            {
                "values": {"storage": args["storage"]},
                "rules": {"storage": "only_grows" if args["can_grow"] else "same_size"},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.barrier = ReclaimBarrier(
            name,
            {
                "storage_class": self.class_name,
                "own_claims": args.get("own_claims", ()),
                "kubeconfig": args["kubeconfig"],
                "ec2": args["ec2"],
                "volume_tag": {"key": LAB_TAG, "value": args["cluster_name"]},
                "timeout_seconds": args["reclaim_timeout_seconds"],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.storage_class, size]),
        )
        self.register_outputs({"className": self.class_name})

    def _create_class(self, args: EbsStorageClassArgs) -> StorageClass:
        return StorageClass(
            self.class_name,
            metadata={"name": self.class_name, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            provisioner=args.get("provisioner", EBS_DRIVER),
            volume_binding_mode="WaitForFirstConsumer",
            reclaim_policy="Delete",
            allow_volume_expansion=True,
            parameters={
                "type": "gp3",
                "encrypted": "true",
                "csi.storage.k8s.io/fstype": "ext4",
                "tagSpecification_1": f"Name={ebs_volume_name('{{ .PVName }}')}",
                "tagSpecification_2": f"{LAB_TAG}={args['cluster_name']}",
            },
            # Parameters cannot be changed, so a class with others takes the place of the old one under the same name.
            # Claims that are bound stay so: they need their class only to be made and to grow.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
