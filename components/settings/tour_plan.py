"""What the tour shows: the ways of keeping data, side by side, and what each is expected to lose.

Plain data. The component creates the ways from it, and `lab tour` compares with it what it observes.
"""

from dataclasses import dataclass

from .servers import OwnedClaim

TOUR_NAMESPACE = "tour"
"""The namespace of the tour alone, so that nothing that a learner does there touches a server."""
DATA = "/data"
"""The folder in which every Pod of the tour keeps its data."""
STATEFUL_SET = "growing"
CLAIM_TEMPLATE = "data"
GROWTH = (1, 3)
"""The StatefulSet's replicas, at first and when it has grown."""
OWNED_CLAIMS: tuple[OwnedClaim, ...] = (
    {"namespace": TOUR_NAMESPACE, "claim": "dynamic", "server": "dynamic"},
    {"namespace": TOUR_NAMESPACE, "claim": f"{CLAIM_TEMPLATE}-{STATEFUL_SET}-[0-9]*", "server": STATEFUL_SET},
)
"""A destroy may find these in use by the tour's own Pods."""
VOLUMES = 1 + max(GROWTH)
"""EBS volumes at most: one for the way `dynamic`, one for every Pod of the StatefulSet."""


@dataclass(frozen=True)
class Way:
    """One way of keeping data, named like its Deployment.

    `keeper` holds the bytes. `survives_crash` says whether the next container finds them after one has ended,
    `survives_pod` whether the next Pod does after one was deleted, and `lost_when` which event deletes them.
    """

    name: str
    keeper: str
    survives_crash: bool
    survives_pod: bool
    lost_when: str
    claim: str = ""


WAYS = (
    Way("no-volume", "the container's own file system", False, False, "the container ends"),
    Way("empty-dir", "a folder of the Pod on its node", True, False, "the Pod is deleted"),
    Way("host-path", "a folder of the node", True, True, "the Pod moves to another node, or the node goes"),
    Way("nfs", "the NFS server's volume, mounted by address", True, True, "the server's claim is deleted"),
    Way(
        "static",
        "the same, behind a PersistentVolume made by hand",
        True,
        True,
        "the server's claim is deleted",
        "static",
    ),
    Way("dynamic", "an EBS volume made for the claim", True, True, "the claim is deleted", "dynamic"),
)

SIGNED = "/signed"
"""A file in the container's own file system, which says that this container has signed the journal.

The journal cannot say so: a later container finds in it what an earlier one has signed.
"""
CRASH = "/crash"
"""A file in the container's own file system: a container of the tour that finds it ends, as if its program had failed.

Nobody can kill it from inside, because Linux keeps signals from the first process of a container.
"""


def journal(way: str) -> str:
    """Return the file in which each Pod of a way writes its name at its start. Two ways share the server's volume."""
    return f"{DATA}/{way}.journal"


def grown_claim(ordinal: int) -> str:
    """Return the claim that Kubernetes creates for the StatefulSet's Pod of that number."""
    return f"{CLAIM_TEMPLATE}-{STATEFUL_SET}-{ordinal}"
