"""The errors that are planted into rehearsed programs; each changes the registration of the resource it is about."""

from pulumi import ResourceTransformationArgs

CLUSTER, NODES, ADDON = "eks:index:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"
SERVER = "storage-lab:index:NfsServer"
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
    """Let the barrier wait for the volumes of another class, and the servers not wait for the barrier."""
    if args.type_ == SERVER:
        args.opts.depends_on = []
    if args.type_ == BARRIER:
        args.props.update(storage_class="another", volume_tag={"key": "another", "value": "another"}, own_claims=[])


def add_ons_of_older_stacks_forgotten(args: ResourceTransformationArgs) -> None:
    if args.type_ == ADDON:
        args.opts.aliases = []
