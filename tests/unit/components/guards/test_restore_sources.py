"""RestoreSources: a claim that could not get its data is refused before it is created, with the reason."""

from typing import Any

import pytest
from lightkube.models.core_v1 import PersistentVolumeClaimSpec, TypedLocalObjectReference
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import PersistentVolumeClaim
from pulumi.runtime.rpc import UNKNOWN

from components.access import clients
from components.guards.restore_sources import RestoreSourcesProvider
from tests.unit.components.guards.kubernetes_objects import Kubernetes, claim, snapshot

PROPS = {"storage": "1Gi", "snapshots": {"default/files-pvc": "monday"}, "kubeconfig": "a kubeconfig"}
READY = {"readyToUse": True, "restoreSize": "1Gi"}


def refusals(monkeypatch: pytest.MonkeyPatch, *objects: Any, **props: Any) -> list[str]:
    monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: Kubernetes(*objects))
    return [failure.reason for failure in RestoreSourcesProvider().check({}, {**PROPS, **props}).failures]


def restored(name: str, source: str) -> PersistentVolumeClaim:
    reference = TypedLocalObjectReference(kind="VolumeSnapshot", name=source, apiGroup="snapshot.storage.k8s.io")
    spec = PersistentVolumeClaimSpec(dataSource=reference)
    return PersistentVolumeClaim(metadata=ObjectMeta(name=name, namespace="default"), spec=spec)


def test_snapshot_that_is_ready_and_fits_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusals(monkeypatch, snapshot("monday", **READY)) == []


@pytest.mark.parametrize("elsewhere", [(), (snapshot("monday", namespace="team", **READY),)])
def test_snapshot_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch, elsewhere: Any) -> None:
    [said] = refusals(monkeypatch, *elsewhere)
    assert said.startswith(
        "storage-lab:servers restores the claim default/files-pvc from the snapshot monday, which does not exist."
    ), "Kubernetes would look for it in the claim's namespace"
    assert "kubectl get volumesnapshots -n default" in said


def test_snapshot_that_is_not_ready_is_refused_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    [said] = refusals(monkeypatch, snapshot("monday", readyToUse=False, error={"message": "said by the driver"}))
    assert "which is not ready (said by the driver)." in said
    [said] = refusals(monkeypatch, snapshot("monday"))
    assert "which is not ready." in said


def test_snapshot_that_is_larger_than_the_claim_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    larger = snapshot("monday", readyToUse=True, restoreSize="2Gi")
    [said] = refusals(monkeypatch, larger)
    assert "which has 2Gi, and a claim of storage-lab:storage 1Gi is smaller. Set storage to 2Gi or more" in said
    assert refusals(monkeypatch, larger, storage="3Gi") == []


def test_restored_claim_outlives_its_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusals(monkeypatch, restored("files-pvc", "monday")) == [], "every up after a deletion would fail"


@pytest.mark.parametrize("existing", [claim("files-pvc"), restored("files-pvc", "sunday")])
def test_claim_that_has_other_data_is_refused(monkeypatch: pytest.MonkeyPatch, existing: Any) -> None:
    [said] = refusals(monkeypatch, existing, snapshot("monday", **READY))
    assert "the claim default/files-pvc exists and has other data than the snapshot monday" in said, (
        "the up would succeed, and the learner look for bytes that are not there"
    )
    assert "kubectl delete pvc files-pvc -n default" in said


def test_preview_of_a_cluster_that_does_not_exist_yet_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusals(monkeypatch, kubeconfig=UNKNOWN) == []


def test_cluster_that_does_not_answer_is_left_to_what_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_kubeconfig: str) -> Any:
        raise OSError("said by the test")

    monkeypatch.setattr(clients, "kubernetes_client", away)
    assert RestoreSourcesProvider().check({}, dict(PROPS)).failures == []
