"""What stands beside the chains of the servers: their clients and the tour, where the configuration has them."""

from collections.abc import Sequence

from components.settings.tour_plan import STATEFUL_SET, TOUR_NAMESPACE, WAYS
from lab.chain import MISSING, Link
from lab.reading.objects import Thing, at, condition
from lab.reading.stack import Stack
from lab.reading.things import Things


def beside(stack: Stack, things: Things) -> list[Link]:
    """Return a link for the clients of every server, and one for every way of the tour."""
    return [*_clients(stack, things), *_tour(stack, things)]


def _clients(stack: Stack, things: Things) -> list[Link]:
    wanted = stack.settings.nfs_clients
    links: list[Link] = []
    for server in stack.settings.servers if wanted else ():
        pods = [pod for pod in things.of("Pod") if at(pod, "metadata", "labels", "nfs-server") == server.name]
        counts = {kind: len(_ready(pods, server.namespace, "nfs-client", kind)) for kind in ("writer", "reader")}
        state = ", ".join(f"{count}/{wanted} {kind}s ready" for kind, count in counts.items())
        links.append(Link("NFS clients", server.label, state, well=set(counts.values()) == {wanted}))
    return links


def _tour(stack: Stack, things: Things) -> list[Link]:
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
