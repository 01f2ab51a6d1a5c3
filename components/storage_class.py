"""EbsStorageClass: a StorageClass for encrypted EBS volumes that are deleted with their claim."""

from typing import Any, TypedDict

import pulumi
from pulumi_kubernetes.storage.v1 import StorageClass

from .settings.arguments import check_arguments, checked_text, merged
from .settings.conventions import DEFAULT_CLASS, EBS_DRIVER, ebs_volume_name
from .settings.names import check_claim_name


class EbsStorageClassArgs(TypedDict, total=False):
    """The arguments of a StorageClass for EBS. Each has a default."""

    class_name: pulumi.Input[str]
    """What the StorageClass is called. Default: the component's own name."""
    default: bool
    """Whether the class is the cluster's default: the class of claims that name none. Default: false."""
    tags: pulumi.Input[dict[str, pulumi.Input[str]]]
    """Tags in EC2 for every volume of the class, beside Name. Default: none."""
    annotations: pulumi.Input[dict[str, pulumi.Input[str]]]
    """Annotations for the StorageClass, for tools that read them. Default: none."""


class EbsStorageClass(pulumi.ComponentResource):
    """A StorageClass: gp3, encrypted, made where the Pod is, expandable, deleted with its claim.

    The cluster needs the EBS CSI driver. Whatever claims volumes of the class depends on it.
    """

    class_name: pulumi.Output[str]
    """The name of the StorageClass."""

    def __init__(self, name: str, args: EbsStorageClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("EbsStorageClass", name, args, EbsStorageClassArgs)
        called = checked_text("EbsStorageClass", name, "class name", args.get("class_name", name), check_claim_name)
        parameters = _parameters(name, args.get("tags", {}))
        own = {DEFAULT_CLASS: "true" if args.get("default", False) else "false"}
        annotations = merged(args.get("annotations"), own)
        super().__init__("storage-lab:index:EbsStorageClass", name, None, opts)
        self.storage_class = self._create_class(called, annotations, parameters)
        # Not from the class: its tags replace it, and would replace every claim that takes the name from it.
        self.class_name = pulumi.Output.from_input(called)
        self.register_outputs({"className": self.class_name})

    def _create_class(self, called: pulumi.Input[str], annotations: Any, parameters: Any) -> StorageClass:
        return StorageClass(
            self._name,
            metadata={"name": called, "annotations": annotations},
            provisioner=EBS_DRIVER,
            volume_binding_mode="WaitForFirstConsumer",
            reclaim_policy="Delete",
            allow_volume_expansion=True,
            parameters=parameters,
            # Parameters cannot be changed, so a class with others replaces the old one under the same name. Bound
            # claims stay bound: they need their class only to be created and to grow.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )


def _parameters(name: str, tags: pulumi.Input[dict[str, pulumi.Input[str]]]) -> Any:
    """Return the parameters of the driver. Tags are sorted, because another order would be another class.

    Raises pulumi.RunError for the tag that the class sets itself.
    """
    if not isinstance(tags, dict):
        return pulumi.Output.from_input(tags).apply(lambda known: _parameters(name, known))
    if "Name" in tags:
        raise pulumi.RunError(f"EbsStorageClass {name}: the class sets the tag Name itself; give others")
    first = {
        "type": "gp3",
        "encrypted": "true",
        "csi.storage.k8s.io/fstype": "ext4",
        "tagSpecification_1": f"Name={ebs_volume_name('{{ .PVName }}')}",
    }
    numbered = enumerate(sorted(tags), 2)
    return {**first, **{f"tagSpecification_{i}": pulumi.Output.concat(tag, "=", tags[tag]) for i, tag in numbered}}
