"""An EKS add-on in the version that AWS takes by default for the cluster's version."""

from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import eks


class AddonArgs(TypedDict):
    """`addon` is AWS's name of it.

    `identity` gives one service account of the add-on a role. `overwrite` lets the add-on win over an unmanaged copy of
    itself and over changes made by hand. With `preserve` a delete ends the management and leaves the software running.
    """

    cluster_name: str
    kubernetes_version: str
    addon: str
    identity: NotRequired[eks.AddonPodIdentityAssociationArgsDict]
    overwrite: NotRequired[bool]
    preserve: NotRequired[bool]


def create_addon(name: str, args: AddonArgs, opts: pulumi.ResourceOptions) -> eks.Addon:
    """Declare the add-on.

    The default version rather than the most recent one: it changes with the cluster's version, and so never makes an
    `up` that nothing was changed for do something.
    """
    version = eks.get_addon_version_output(
        addon_name=args["addon"],
        kubernetes_version=args["kubernetes_version"],
        opts=pulumi.InvokeOutputOptions(parent=opts.parent),
    ).version
    conflicts = "OVERWRITE" if args.get("overwrite") else None
    identity = args.get("identity")
    return eks.Addon(
        name,
        cluster_name=args["cluster_name"],
        addon_name=args["addon"],
        addon_version=version,
        pod_identity_associations=[identity] if identity else None,
        resolve_conflicts_on_create=conflicts,
        resolve_conflicts_on_update=conflicts,
        preserve=args.get("preserve"),
        opts=opts,
    )
