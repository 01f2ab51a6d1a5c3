"""Which volumes the driver may still be creating, for claims that somebody has deleted meanwhile.

EC2 shows such a volume only when it exists, and the claim is gone. Kubernetes keeps what csi-provisioner told of the
claim: that it began (Provisioning), and how that ended (ProvisioningSucceeded, ProvisioningFailed).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from .volume_inventory import Claim, Kubernetes

BEGUN, SUCCEEDED, FAILED = "Provisioning", "ProvisioningSucceeded", "ProvisioningFailed"
# csi-provisioner gives up a call after 60 s, and says so; a later attempt begins with another event. It deletes the
# volume of a claim that is gone by then, and no event tells of that: such a create is known to have ended after this.
CREATE_SECONDS = 75
# After these codes csi-provisioner assumes that the call goes on; after all others that nothing was created.
_GOES_ON = ("Canceled", "DeadlineExceeded", "Unavailable", "ResourceExhausted", "Aborted")


def being_created(kubernetes: Kubernetes, now: datetime | None = None) -> tuple[Claim, ...]:
    """Return the claims for which a create has begun, not long ago, and has not ended as far as anybody knows."""
    from lightkube.resources.core_v1 import Event

    told: defaultdict[str, list[Any]] = defaultdict(list)
    for event in kubernetes.list(Event, namespace="*"):
        if event.reason in (BEGUN, SUCCEEDED, FAILED) and event.involvedObject.uid and event.lastTimestamp:
            told[event.involvedObject.uid].append(event)
    soonest = (now or datetime.now(UTC)) - timedelta(seconds=CREATE_SECONDS)
    return tuple(_claim(events[0]) for events in told.values() if _on_its_way(events, soonest))


def _on_its_way(events: Sequence[Any], soonest: datetime) -> bool:
    # Times are in whole seconds, and what ends a call comes after what began it.
    last = max(events, key=lambda event: (event.lastTimestamp, event.reason != BEGUN))
    ended = last.reason == SUCCEEDED or (last.reason == FAILED and not any(code in last.message for code in _GOES_ON))
    return last.lastTimestamp > soonest and not ended


def _claim(event: Any) -> Claim:
    return Claim(event.involvedObject.namespace, event.involvedObject.name)
