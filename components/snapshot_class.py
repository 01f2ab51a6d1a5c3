"""EbsSnapshotClass: a VolumeSnapshotClass for EBS snapshots that are deleted with their VolumeSnapshot."""

from typing import TypedDict

import pulumi

from .settings.arguments import check_arguments
from .settings.conventions import DEFAULT_SNAPSHOT_CLASS, EBS_DRIVER, SNAPSHOT_GROUP, SNAPSHOT_VERSION

# The driver fills it in. Snapshots of all namespaces are side by side in EC2.
_NAME = "{{ .VolumeSnapshotNamespace }}/{{ .VolumeSnapshotName }}"


class EbsSnapshotClassArgs(TypedDict):
    """Whether it is the class of VolumeSnapshots that name none; tags in EC2 for every snapshot, beside Name."""

    default: bool
    tags: dict[str, str]


class EbsSnapshotClass(pulumi.ComponentResource):
    """A VolumeSnapshotClass whose EBS snapshots are called after their VolumeSnapshots, and deleted with them.

    The cluster needs the EBS CSI driver, the snapshot controller and its CRDs.
    """

    def __init__(self, name: str, args: EbsSnapshotClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("EbsSnapshotClass", name, args, EbsSnapshotClassArgs)
        super().__init__("storage-lab:index:EbsSnapshotClass", name, None, opts)
        tags = {"Name": _NAME, **args["tags"]}
        # pulumi_kubernetes has a class for the kinds of Kubernetes, and for those CRDs that keep everything in `spec`.
        self.snapshot_class = pulumi.CustomResource(
            f"kubernetes:{SNAPSHOT_GROUP}/{SNAPSHOT_VERSION}:VolumeSnapshotClass",
            name,
            {
                "apiVersion": f"{SNAPSHOT_GROUP}/{SNAPSHOT_VERSION}",
                "kind": "VolumeSnapshotClass",
                "metadata": {"name": name, "annotations": {DEFAULT_SNAPSHOT_CLASS: str(args["default"]).lower()}},
                "driver": EBS_DRIVER,
                "deletionPolicy": "Delete",
                "parameters": {
                    f"tagSpecification_{number}": f"{tag}={tags[tag]}" for number, tag in enumerate(tags, 1)
                },
            },
            pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.register_outputs({})
