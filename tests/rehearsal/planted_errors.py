"""The errors that are planted into rehearsed programs; each changes the registration of the resource it is about."""

from pulumi import ResourceTransformationArgs
from pulumi.dynamic.dynamic import serialize_provider

from components.access.dynamic_provider import PROVIDER_KEY
from components.providers import FrozenInputsProvider

CLUSTER, NODES, ADDON = "eks:index:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"
BARRIER = "pulumi-python:dynamic/storage-lab:ReclaimBarrier"


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
        args.props.update({PROVIDER_KEY: serialize_provider(FrozenInputsProvider()), "rules": {}})


def add_ons_of_older_stacks_forgotten(args: ResourceTransformationArgs) -> None:
    if args.type_ == ADDON:
        args.opts.aliases = []
