"""The objects of a cluster at one moment, found by name, by owner, by claim and by what they are about."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, TypeVar

from components.access.lookups import claims_used_by
from components.settings.conventions import SNAPSHOT_GROUP
from lab.reading.objects import Thing, at, name_of

K = TypeVar("K")
SERVICE_OF = "kubernetes.io/service-name"


class Api(NamedTuple):
    """Where the API server has a kind. The group of the core kinds is empty."""

    group: str
    plural: str
    namespaced: bool = True


# All of them are of version v1 of their group.
KINDS: Mapping[str, Api] = {
    "PersistentVolumeClaim": Api("", "persistentvolumeclaims"),
    "Deployment": Api("apps", "deployments"),
    "Pod": Api("", "pods"),
    "Service": Api("", "services"),
    "EndpointSlice": Api("discovery.k8s.io", "endpointslices"),
    "PersistentVolume": Api("", "persistentvolumes", False),
    "VolumeAttachment": Api("storage.k8s.io", "volumeattachments", False),
    "StorageClass": Api("storage.k8s.io", "storageclasses", False),
    "Node": Api("", "nodes", False),
    "Event": Api("", "events"),
}
"""What the lab looks at, once or all the time."""
SNAPSHOT_KINDS: Mapping[str, Api] = {
    "VolumeSnapshot": Api(SNAPSHOT_GROUP, "volumesnapshots"),
    "VolumeSnapshotContent": Api(SNAPSHOT_GROUP, "volumesnapshotcontents", False),
    "VolumeSnapshotClass": Api(SNAPSHOT_GROUP, "volumesnapshotclasses", False),
}
"""What the lab looks at too, where the API server has it: it comes with the snapshot controller."""
ALL_KINDS = {**KINDS, **SNAPSHOT_KINDS}


def for_kubectl(kinds: Mapping[str, Api]) -> str:
    """Return the kinds as one word of a kubectl command."""
    return ",".join(f"{api.plural}.{api.group}".rstrip(".") for api in kinds.values())


Key = tuple[str, str | None, str | None]


def key_of(thing: Thing) -> Key:
    """Return kind, namespace and name."""
    return thing["kind"], at(thing, "metadata", "namespace"), name_of(thing)


class Things:
    """Objects as the API server has them in JSON, with an index for each way to look for one."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self._all = list(things)

    def of(self, kind: str) -> Sequence[Thing]:
        """Return all objects of a kind."""
        return self._kinds.get(kind, ())

    def named(self, kind: str, name: str | None, namespace: str | None = None) -> Thing | None:
        """Return the object of that name; a kind without namespaces has None for one."""
        return self._names.get((kind, namespace, name))

    def pods_made_by(self, namespace: str, deployment: str) -> Sequence[Thing]:
        """Return the Pods of a Deployment: by the ReplicaSet's name, because the label is judged."""
        return self._owned.get((namespace, deployment), ())

    def pods_on(self, namespace: str, claim: str) -> Sequence[Thing]:
        """Return the Pods that use a claim."""
        return self._on_claims.get((namespace, claim), ())

    def attachments_of(self, pv: str | None) -> Sequence[Thing]:
        """Return the VolumeAttachments of a PersistentVolume: two while it moves to another node."""
        return self._attached.get(pv, ()) if pv else ()

    def snapshots_of(self, namespace: str, claim: str) -> Sequence[Thing]:
        """Return the VolumeSnapshots of a claim, the oldest first."""
        return sorted(
            self._copied.get((namespace, claim), ()), key=lambda one: at(one, "metadata", "creationTimestamp") or ""
        )

    def slices_of(self, namespace: str, service: str) -> Sequence[Thing]:
        """Return the EndpointSlices of a Service."""
        return self._slices.get((namespace, service), ())

    def events_of(self, *things: Thing | None) -> list[Thing]:
        """Return the events about these very objects, not those about earlier ones of their names."""
        return [event for thing in things for event in self._events.get(at(thing, "metadata", "uid"), ())]

    @cached_property
    def _kinds(self) -> Mapping[str, list[Thing]]:
        return grouped(self._all, lambda thing: [thing["kind"]])

    @cached_property
    def _names(self) -> Mapping[Key, Thing]:
        return {key_of(thing): thing for thing in self._all}

    @cached_property
    def _owned(self) -> Mapping[tuple[str, str], list[Thing]]:
        return grouped(self.of("Pod"), lambda pod: [(at(pod, "metadata", "namespace"), one) for one in makers_of(pod)])

    @cached_property
    def _on_claims(self) -> Mapping[tuple[str, str], list[Thing]]:
        return grouped(
            self.of("Pod"), lambda pod: [(at(pod, "metadata", "namespace"), claim) for claim in claims_used_by(pod)]
        )

    @cached_property
    def _attached(self) -> Mapping[str, list[Thing]]:
        return grouped(
            self.of("VolumeAttachment"), lambda one: [at(one, "spec", "source", "persistentVolumeName") or ""]
        )

    @cached_property
    def _copied(self) -> Mapping[tuple[str, str], list[Thing]]:
        return grouped(
            self.of("VolumeSnapshot"),
            lambda one: [(at(one, "metadata", "namespace"), at(one, "spec", "source", "persistentVolumeClaimName"))],
        )

    @cached_property
    def _slices(self) -> Mapping[tuple[str, str], list[Thing]]:
        return grouped(
            self.of("EndpointSlice"),
            lambda one: [(at(one, "metadata", "namespace"), at(one, "metadata", "labels", SERVICE_OF))],
        )

    @cached_property
    def _events(self) -> Mapping[str | None, list[Thing]]:
        return grouped(self.of("Event"), lambda event: [at(event, "involvedObject", "uid") or ""])


def makers_of(pod: Thing) -> list[str]:
    """Return the Deployments whose ReplicaSet owns the Pod: none or one."""
    owners: list[Thing] = at(pod, "metadata", "ownerReferences") or []
    return [owner["name"].rpartition("-")[0] for owner in owners if owner["kind"] == "ReplicaSet"]


def grouped(things: Iterable[Thing], keys: Callable[[Thing], Iterable[K]]) -> dict[K, list[Thing]]:
    """Return the things below each of their keys, in their order."""
    found: dict[K, list[Thing]] = {}
    for thing in things:
        for key in keys(thing):
            found.setdefault(key, []).append(thing)
    return found
