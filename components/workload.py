"""What the workloads of the lab have in common: how long Pulumi waits, what a claim owns, what stays as it is."""

from collections.abc import Callable, Sequence

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolumeClaim
from pulumi_kubernetes.meta.v1 import OwnerReferenceArgsDict

# Volume, attachment and image pull take one minute together. An image that cannot be pulled does not end the wait
# early: after this long, look at the Pod's events.
START_TIMEOUT = "5m"
# A Pod has 30 s to end. A shorter wait for it would fail where nothing is wrong.
END_SECONDS = 60
# `kubectl scale` takes over the number of replicas. With this the next `pulumi up` sets it, instead of a conflict.
OVERRIDE = {"pulumi.com/patchForce": "true"}
# A claim's delete waits for the last Pod that uses it, a workload's for its own Pods.
_WAIT_FOR_PODS = ("core/v1:PersistentVolumeClaim", "apps/v1:Deployment", "apps/v1:StatefulSet")

Transformation = Callable[[pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None]


def workload_options(parent: pulumi.Resource, after: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
    """Return the options of a resource that starts Pods, once `after` exist.

    It has a fixed name. Pulumi would otherwise create the replacement first, which is the same object, and delete it.
    """
    return pulumi.ResourceOptions(
        parent=parent,
        depends_on=list(after),
        delete_before_replace=True,
        custom_timeouts=pulumi.CustomTimeouts(create=START_TIMEOUT, update=START_TIMEOUT),
    )


def free_within(seconds: int) -> Transformation:
    """Return an option of a component: for how long a delete of its claims and workloads waits for Pods to end."""

    def transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_.removeprefix("kubernetes:") not in _WAIT_FOR_PODS:
            return None
        longest = seconds if args.type_.endswith("Claim") else max(seconds, END_SECONDS)
        own = args.opts.custom_timeouts or pulumi.CustomTimeouts()
        timeouts = pulumi.CustomTimeouts(create=own.create, update=own.update, delete=f"{longest}s")
        waits = pulumi.ResourceOptions(custom_timeouts=timeouts)
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, waits))

    return transform


def size_left_alone(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Have Pulumi leave the size of claims that exist to VolumeGrowth. It is an option of a component.

    Pulumi would try to set the size of a claim that somebody made larger, and Kubernetes would refuse.
    """
    if args.type_.removeprefix("kubernetes:") != "core/v1:PersistentVolumeClaim":
        return None
    left = pulumi.ResourceOptions(ignore_changes=["spec.resources.requests.storage"])
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, left))


def owner_reference(claim: PersistentVolumeClaim) -> OwnerReferenceArgsDict:
    """Return the reference that makes a claim the owner of a workload.

    Pulumi deletes a claim together with what it owns. So a workload that an interrupted update created and did not
    record, or that uses a claim which is replaced, is deleted with the claim, instead of keeping the claim in use.
    """
    return {
        "api_version": "v1",
        "kind": "PersistentVolumeClaim",
        "name": claim.metadata.name,
        "uid": claim.metadata.uid,
        "block_owner_deletion": True,
    }
