"""A Pod object holds its claims, whatever the Pod's phase."""

from typing import Any

import pytest

from components.access.lookups import claims_used_by


def pod(*volumes: dict[str, Any], phase: str = "Running") -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"volumes": list(volumes)}, "status": {"phase": phase}}


@pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded", "Failed"])
def test_pod_uses_its_claims_in_every_phase(phase: str) -> None:
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "nfs-pvc"}}
    assert claims_used_by(pod(claim, phase=phase)) == ["nfs-pvc"], "Kubernetes keeps the claim, so a destroy stops"


def test_pod_uses_the_claim_that_was_made_for_it() -> None:
    assert claims_used_by(pod({"name": "scratch", "ephemeral": {}})) == ["p-scratch"]


def test_pod_with_other_volumes_uses_no_claim() -> None:
    assert claims_used_by(pod({"name": "data", "emptyDir": {}})) == []
    assert claims_used_by({"metadata": {"name": "p"}, "spec": {}}) == []
