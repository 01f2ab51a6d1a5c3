"""The errors that are planted into rehearsed programs; each changes the registration of the resource it is about."""

from pulumi import ResourceTransformationArgs
from pulumi.dynamic.dynamic import serialize_provider

from components.access.dynamic_provider import PROVIDER_KEY
from components.providers import FrozenInputsProvider
from components.settings.conventions import LAB_TAG

CLUSTER, NODES, ADDON = "eks:index:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"
BARRIER, FOREIGN_USERS = (f"pulumi-python:dynamic/storage-lab:{name}" for name in ("ReclaimBarrier", "ForeignUsers"))
SNAPSHOT_CLASS = "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass"


def coredns_with_the_cluster(args: ResourceTransformationArgs) -> None:
    if args.type_ == CLUSTER:
        args.props["coredns_addon_options"] = {"enabled": True}


def nodes_before_the_cluster(args: ResourceTransformationArgs) -> None:
    if args.type_ == NODES:
        needs = args.opts.depends_on
        assert isinstance(needs, list)
        args.opts.depends_on = [each for each in needs if each.pulumi_resource_type != CLUSTER]
        assert len(args.opts.depends_on) < len(needs), "the program has this error already"


def volumes_not_waited_for(args: ResourceTransformationArgs) -> None:
    """Let a provider delete the barrier that does not wait: what records the frozen inputs."""
    if args.type_ == BARRIER:
        _does_not_wait(args)


def snapshots_forgotten(args: ResourceTransformationArgs) -> None:
    """Take the lab's tag from the snapshots, and let a destroy pass both places that look for them."""
    if args.type_ in (BARRIER, FOREIGN_USERS):
        _does_not_wait(args)
    if args.type_ == SNAPSHOT_CLASS:
        parameters: dict[str, str] = args.props["parameters"]
        own = [name for name, tag in parameters.items() if tag.startswith(f"{LAB_TAG}=")]
        assert own, "the program has this error already"
        args.props["parameters"] = {name: tag for name, tag in parameters.items() if name not in own}


def add_ons_of_older_stacks_forgotten(args: ResourceTransformationArgs) -> None:
    if args.type_ == ADDON:
        args.opts.aliases = []


def _does_not_wait(args: ResourceTransformationArgs) -> None:
    """Let a provider delete the resource that does not wait: what records the frozen inputs."""
    args.props.update({PROVIDER_KEY: serialize_provider(FrozenInputsProvider()), "rules": {}})
