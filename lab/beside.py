"""What belongs to no chain: the servers' clients and the tour, where the configuration has them."""

from collections.abc import Mapping, Sequence

from components.settings.tour_plan import STATEFUL_SET, TOUR_NAMESPACE, WAYS
from lab.chain import MISSING, Link
from lab.reading.objects import Thing, at, condition
from lab.reading.stack import Stack
from lab.reading.things import Things, grouped


def clients(stack: Stack, things: Things) -> Mapping[str, Link]:
    """Return a link for the clients of each server by its label, if the configuration has them."""
    wanted = stack.settings.nfs_clients
    if not wanted:
        return {}
    pods = grouped(
        things.of("Pod"),
        lambda pod: [(at(pod, "metadata", "namespace"), at(pod, "metadata", "labels", "nfs-server"))],
    )
    links: dict[str, Link] = {}
    for server in stack.settings.servers:
        mine = pods.get((server.namespace, server.name), ())
        counts = {kind: len(_ready(mine, server.namespace, "nfs-client", kind)) for kind in ("writer", "reader")}
        state = ", ".join(f"{count}/{wanted} {kind}s ready" for kind, count in counts.items())
        links[server.label] = Link("NFS clients", server.label, state, well=set(counts.values()) == {wanted})
    return links


def tour(stack: Stack, things: Things) -> list[Link]:
    """Return a link for each way of the tour, if the configuration has it."""
    if not stack.settings.tour:
        return []
    keepers = {**{way.name: way.keeper for way in WAYS}, STATEFUL_SET: "a volume for each Pod"}
    pods = things.of("Pod")
    links: list[Link] = []
    for name, keeper in keepers.items():
        ready = _ready(pods, TOUR_NAMESPACE, "role", name)
        state = f"{len(ready)} {'Pods' if len(ready) > 1 else 'Pod'} ready" if ready else MISSING
        links.append(Link("Tour", name, state, bool(ready), about=(keeper,)))
    return links


def _ready(pods: Sequence[Thing], namespace: str, label: str, value: str) -> list[Thing]:
    return [
        pod
        for pod in pods
        if at(pod, "metadata", "namespace") == namespace
        and at(pod, "metadata", "labels", label) == value
        and condition(pod, "Ready")
        and not at(pod, "metadata", "deletionTimestamp")
    ]
