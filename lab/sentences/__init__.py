"""Says in plain sentences what a change means: for an object of Kubernetes, for a volume or an instance of EC2."""

from collections.abc import Callable, Iterator, Mapping

from lab.reading.world import Turn, World
from lab.sentences import cluster, pods, snapshots, storage

SAYERS: Mapping[str, Callable[[Turn, World], Iterator[str]]] = {
    "Deployment": pods.deployment,
    "Pod": pods.pod,
    "PersistentVolumeClaim": storage.claim,
    "PersistentVolume": storage.pv,
    "VolumeAttachment": storage.attachment,
    "VolumeSnapshot": snapshots.snapshot,
    "VolumeSnapshotContent": snapshots.content,
    "Node": cluster.node,
    "EndpointSlice": cluster.endpoint_slice,
    "Event": cluster.event,
}


def sentences(turn: Turn, world: World) -> list[str]:
    """Return what the change means, in a world that has it already; empty where it means nothing to a learner."""
    said = SAYERS.get(turn.thing["kind"])
    return list(said(turn, world)) if said else []
