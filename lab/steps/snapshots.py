"""The steps about snapshots, in a lab that has them: those of the server's claim, and the one that it began with."""

from collections.abc import Sequence

from lab.reading.objects import at, name_of
from lab.reading.snapshot import CopyOfClaim, Snapshot
from lab.steps import Finding, Step, judged, missing


def copies(seen: Snapshot) -> Finding:
    """Judge whether each snapshot of the claim is ready, and EC2 has it."""
    if not seen.copies:
        return Finding(True, f"{seen.server.claim_name} has no snapshot")
    return judged(
        "; ".join(f"{name_of(one.wish)}: {one.handle or 'nothing in EC2 yet'}" for one in seen.copies),
        *(_ready(seen, one) for one in seen.copies),
        *(
            (
                not one.lost,
                f"EC2 has no snapshot {one.handle}: somebody deleted it there, and nothing can be restored from "
                f"{name_of(one.wish)}: kubectl delete volumesnapshot {name_of(one.wish)}{seen.in_namespace}",
            )
            for one in seen.copies
        ),
    )


def _ready(seen: Snapshot, copy: CopyOfClaim) -> tuple[bool, str]:
    name = name_of(copy.wish)
    said = at(copy.wish, "status", "error", "message")
    return (
        at(copy.wish, "status", "readyToUse") is True,
        f"{name} is not ready{f' (Kubernetes: {said})' if said else ''}: kubectl describe volumesnapshot "
        f"{name}{seen.in_namespace}",
    )


def source(seen: Snapshot) -> Finding:
    """Judge whether the claim of a restored server began with the data of its snapshot."""
    wanted = seen.server.from_snapshot
    if wanted is None:
        return Finding(True, "it began with an empty volume, as configured")
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    name = at(seen.claim, "spec", "dataSource", "name")
    return judged(
        f"the data of the snapshot {name}" if name else "an empty volume",
        (name == wanted, f"the configuration says {wanted}, and a claim gets its data only when it is created"),
    )


STEPS: Sequence[Step[Snapshot]] = (
    Step("snapshots", "Its snapshots are ready, and EC2 has them", "kubectl get volumesnapshots{n}", copies),
    Step(
        "snapshot-source",
        "It began with the data that its author named",
        "kubectl get pvc {claim}{n} -o jsonpath='{{.spec.dataSource}}'",
        source,
    ),
)
