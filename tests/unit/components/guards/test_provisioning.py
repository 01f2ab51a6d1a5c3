"""A create that is on its way is told from one that ended, by the events of csi-provisioner."""

from datetime import UTC, datetime, timedelta

import pytest
from lightkube.models.core_v1 import ObjectReference
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Event

from components.guards.provisioning import BEGUN, CREATE_SECONDS, FAILED, SUCCEEDED, being_created
from components.guards.volume_inventory import Claim
from tests.unit.components.guards.kubernetes_objects import Kubernetes

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def event(reason: str, seconds_ago: float, message: str = "", uid: str = "1", claim: str = "nfs-pvc") -> Event:
    return Event(
        involvedObject=ObjectReference(kind="PersistentVolumeClaim", namespace="default", name=claim, uid=uid),
        metadata=ObjectMeta(name=f"{claim}.{reason}"),
        reason=reason,
        message=message,
        lastTimestamp=NOW - timedelta(seconds=seconds_ago),
    )


@pytest.mark.parametrize(
    ("events", "waits"),
    [
        ([], False),
        ([event(BEGUN, 1)], True),
        ([event(BEGUN, CREATE_SECONDS - 1)], True),
        ([event(BEGUN, CREATE_SECONDS + 1)], False),
        ([event(BEGUN, 9), event(SUCCEEDED, 1)], False),
        ([event(BEGUN, 70), event(FAILED, 10, "rpc error: code = DeadlineExceeded desc = ...")], True),
        ([event(BEGUN, 10), event(FAILED, 10, "rpc error: code = InvalidArgument desc = ...")], False),
        ([event(BEGUN, 1), event(FAILED, 10, "rpc error: code = InvalidArgument desc = ...")], True),
        ([event("Killing", 1)], False),
    ],
    ids=["nothing", "just begun", "slow", "given up", "succeeded", "goes on", "failed", "repeated", "other"],
)
def test_a_create_is_waited_for_while_it_may_end(events: list[Event], waits: bool) -> None:
    assert being_created(Kubernetes(*events), NOW) == ((Claim("default", "nfs-pvc"),) if waits else ())


def test_the_success_of_a_former_claim_says_nothing_about_the_next() -> None:
    former = [event(BEGUN, 30), event(SUCCEEDED, 29)]
    assert being_created(Kubernetes(*former, event(BEGUN, 1, uid="2")), NOW) == (Claim("default", "nfs-pvc"),)
