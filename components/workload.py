"""What the Deployments of the lab have in common: how long Pulumi waits for their Pods, and that a claim owns them."""

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolumeClaim
from pulumi_kubernetes.meta.v1 import OwnerReferenceArgsDict

# Volume, attachment and image pull take one minute together. An image that cannot be pulled does not end the wait
# early: after this long, look at the Pod's events.
START_TIMEOUT = "5m"


def workload_options(parent: pulumi.Resource, after: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
    """Return the options of a resource that starts Pods, once `after` exist."""
    timeouts = pulumi.CustomTimeouts(create=START_TIMEOUT, update=START_TIMEOUT)
    return pulumi.ResourceOptions(parent=parent, depends_on=list(after), custom_timeouts=timeouts)


def owner_reference(claim: PersistentVolumeClaim) -> OwnerReferenceArgsDict:
    """Return the reference that makes a claim the owner of a workload.

    Pulumi deletes a claim together with what it owns. So a workload that an interrupted update created and did not
    record is deleted with its claim, instead of keeping the claim in use.
    """
    return {
        "api_version": "v1",
        "kind": "PersistentVolumeClaim",
        "name": claim.metadata.name,
        "uid": claim.metadata.uid,
        "block_owner_deletion": True,
    }
