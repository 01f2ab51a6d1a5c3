"""Cluster: what the rest of the program needs of a target, and the choice between the two."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import pulumi
import pulumi_kubernetes as kubernetes

from .access.cluster_access import ClusterAccess
from .settings import Settings


class Cluster(Protocol):
    """A cluster that can create EBS volumes for claims.

    `provider` is for everything Kubernetes. A StorageClass depends on all of `ready`, because only then the driver can
    create and delete volumes. `driver_tags` are together on each EBS volume that the driver creates for this cluster,
    and on no other. `holders` are the ids of what all volumes are lost with. `outputs` are those that the stack shows
    about the cluster.
    """

    provider: kubernetes.Provider
    access: ClusterAccess
    ready: list[pulumi.Resource]
    cluster_name: str
    driver_tags: Mapping[str, str]
    holders: Sequence[pulumi.Output[str]]
    outputs: dict[str, pulumi.Output[str]]


def create_cluster(settings: Settings) -> Cluster:
    """Return the cluster of this stack, on the target of its settings.

    Raises pulumi.RunError, with one sentence, where the machine or the account cannot have it.
    """
    # Each target is imported where it is chosen: the AWS packages are large, and a local lab does not need them.
    if settings.target == "local":
        from .local import cluster as local

        return local.create_cluster(settings)
    from .eks import cluster as eks

    return eks.create_cluster(settings)
