"""ForeignUsers: who counts as foreign, and that a destroy stops there before anything is deleted."""

import pytest

from components.access import clients
from components.access.dynamic_provider import Failure
from components.guards.foreign_users import ForeignUsersProvider, foreign_users
from components.settings import OwnedClaim
from tests.unit.components.guards.kubernetes_objects import Kubernetes, claim, pod, using

OWN: list[OwnedClaim] = [{"namespace": "default", "claim": "nfs-pvc", "server": "nfs-server"}]
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
    monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: cluster)
    with pytest.raises(Failure) as failure:
        ForeignUsersProvider().delete("ebs", {**PROPS, "timeout_seconds": 0})
    assert str(failure.value) == (
        "0 s have passed and others still use the lab's storage; nothing was deleted:\n"
        "  Pod default/mine uses the lab's claim default/nfs-pvc\n"
        "Delete these, then run pulumi destroy again. storage-lab:reclaimTimeoutSeconds is how long it waits."
    )


def test_a_destroy_passes_where_nobody_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: Kubernetes(*LAB))
    assert ForeignUsersProvider().delete("ebs", PROPS) is None, "it would wait for the lab's own Pod"
