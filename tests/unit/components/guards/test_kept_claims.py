"""KeptClaims: what counts as a replacement, and that one is refused only while claims exist."""

from typing import Any

import pytest
from pulumi.output import Unknown

from components.access import clients
from components.access.clients import Unreachable
from components.access.dynamic_provider import Failure
from components.guards.kept_claims import KeptClaimsProvider, at_risk
from tests.unit.components.guards.kubernetes_objects import Kubernetes, claim

HOLDERS = {"*": ["local", "ebs"], "team/*": ["team"], "default/nfs-pvc": ["default/nfs-pvc"]}
OLDS = {"holders": HOLDERS, "kubeconfig": "a kubeconfig"}
UNKNOWN = Unknown()


@pytest.mark.parametrize(
    ("holders", "patterns"),
    [
        (HOLDERS, []),
        (HOLDERS | {"default/new-pvc": [UNKNOWN]}, []),
        ({"*": ["local", "ebs"]}, []),
        (HOLDERS | {"default/nfs-pvc": [UNKNOWN]}, []),
        (UNKNOWN, ["*", "default/nfs-pvc", "team/*"]),
    ],
    ids=["nothing", "a new claim", "a server removed", "a claim that the state lost", "a holder is to be deleted"],
)
def test_claims_are_at_risk_when_a_holder_is_to_be_deleted(holders: Any, patterns: list[str]) -> None:
    assert at_risk(OLDS, {**OLDS, "holders": holders}) == patterns


def _cluster(monkeypatch: pytest.MonkeyPatch, *objects: Any) -> None:
    monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: Kubernetes(*objects))


def test_a_replacement_is_refused_while_the_claim_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    _cluster(monkeypatch, claim("nfs-pvc"), claim("other"))
    with pytest.raises(Failure, match=r"claims default/nfs-pvc, default/other\. Nothing was deleted"):
        KeptClaimsProvider().diff("kept-claims", OLDS, {**OLDS, "holders": UNKNOWN})


def test_a_claim_that_the_state_lost_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    _cluster(monkeypatch, claim("nfs-pvc"))
    news = {**OLDS, "holders": {**HOLDERS, "default/nfs-pvc": [UNKNOWN]}}
    assert KeptClaimsProvider().diff("kept-claims", OLDS, news).changes


def test_a_cluster_that_is_gone_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_kubeconfig: str) -> Any:
        raise Unreachable("connection refused")

    monkeypatch.setattr(clients, "kubernetes_client", gone)
    assert KeptClaimsProvider().diff("kept-claims", OLDS, {**OLDS, "holders": UNKNOWN}).changes


def test_a_usual_diff_asks_nobody() -> None:
    assert not KeptClaimsProvider().diff("kept-claims", OLDS, OLDS).changes
