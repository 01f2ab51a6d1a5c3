"""ForeignUsers: who counts as foreign, and that a destroy stops there before anything is deleted."""

from typing import Any

import pytest

from components.access import clients as lookout
from components.access.dynamic_provider import Failure
from components.guards import foreign_users as module
from components.guards.foreign_users import ForeignUsersProvider, OwnServer, foreign_users
from tests.unit.components.guards.kubernetes_objects import Kubernetes, claim, pod, using

OWN: list[OwnServer] = [{"namespace": "default", "claim": "nfs-pvc", "server": "nfs-server"}]
PROPS = {"storage_class": "ebs", "own": OWN, "kubeconfig": "a kubeconfig", "timeout_seconds": 300}
LAB = (claim("nfs-pvc"), pod("nfs-server-576868c54d-nt8zp", using("nfs-pvc"), role="nfs-server"))


def test_the_labs_own_claim_and_pod_are_not_foreign() -> None:
    assert foreign_users(Kubernetes(*LAB), "ebs", OWN) == []


def test_a_pod_of_somebody_else_on_the_labs_claim_is() -> None:
    cluster = Kubernetes(*LAB, pod("mine", using("nfs-pvc")), pod("other", using("nfs-pvc"), role="else"))
    assert foreign_users(cluster, "ebs", OWN) == [
        "Pod default/mine uses the lab's claim default/nfs-pvc",
        "Pod default/other uses the lab's claim default/nfs-pvc",
    ]


def test_a_claim_of_somebody_else_in_the_labs_class_is() -> None:
    cluster = Kubernetes(*LAB, claim("nfs-pvc", namespace="team"), pod("p", using("nfs-pvc"), namespace="team"))
    assert foreign_users(cluster, "ebs", OWN) == ["claim team/nfs-pvc of the class ebs, used by Pod team/p"]


def test_what_has_nothing_to_do_with_the_class_is_not() -> None:
    cluster = Kubernetes(*LAB, claim("data", of="gp2"), pod("p", using("data")), pod("stateless"))
    assert foreign_users(cluster, "ebs", OWN) == []


def test_a_destroy_stops_there_and_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Kubernetes(*LAB, pod("mine", using("nfs-pvc")))
    monkeypatch.setattr(lookout, "kubernetes_client", lambda _kubeconfig: cluster)
    monkeypatch.setattr(module, "wait_until_gone", _at_the_deadline)
    with pytest.raises(Failure) as failure:
        ForeignUsersProvider().delete("ebs", PROPS)
    assert str(failure.value) == (
        "300 s have passed and others still use the lab's storage; nothing was deleted:\n"
        "  Pod default/mine uses the lab's claim default/nfs-pvc\n"
        "Delete these, then run pulumi destroy again. storage-lab:reclaimTimeoutSeconds is how long it waits."
    )


def test_a_destroy_goes_on_when_there_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "kubernetes_client", lambda _kubeconfig: Kubernetes(*LAB))
    ForeignUsersProvider().delete("ebs", PROPS)


def _at_the_deadline(look: Any, explain: Any, timeout: float) -> None:
    assert look(), "there is somebody"
    assert timeout == 300
    raise explain()


@pytest.mark.parametrize(
    ("change", "changed"), [({}, False), ({"__provider": "other code"}, False), ({"own": []}, True)]
)
def test_another_server_is_an_update_in_place(change: dict[str, Any], changed: bool) -> None:
    result = ForeignUsersProvider().diff("ebs", PROPS, {**PROPS, **change})
    assert (result.changes, result.replaces) == (changed, None)
    assert ForeignUsersProvider().update("ebs", PROPS, PROPS).outs == PROPS
    assert ForeignUsersProvider().create(PROPS).outs == PROPS
