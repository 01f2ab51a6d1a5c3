"""BoundVolume: what NfsServer says of its volume once the claim is bound, and before."""

import pulumi
import pytest

from components.nfs_server import NfsServer
from tests.unit.components.test_nfs_server import BOUND_CLAIM, BOUND_VOLUME, CLAIM, DEPLOYMENT, lab
from tests.unit.conftest import CLOUD, PV, VOLUME
from tests.unit.mocks import deploy


def test_the_outputs_name_the_volume_that_was_made() -> None:
    deployed = lab()
    server = deployed.result
    assert deployed.value(server.pv_name) == PV
    assert deployed.value(server.volume_id) == VOLUME
    assert deployed.value(server.volume_name) == f"kubernetes-dynamic-{PV}"
    assert deployed.value(server.claim_name) == "nfs-pvc"
    assert deployed.value(server.service_ip) == "10.0.0.17"


@pytest.mark.parametrize("nothing", [None, ""])
def test_outputs_of_a_claim_without_a_volume_are_empty(nothing: object) -> None:
    unbound = {**CLOUD, BOUND_CLAIM: {"spec": {"volumeName": nothing}}}
    deployed = deploy(lambda: NfsServer("nfs-server", {}), outputs=unbound)
    server = deployed.result
    found = [deployed.value(output) for output in (server.pv_name, server.volume_id, server.volume_name)]
    assert found == ["", "", ""], "None, or a name made of it, would be in the state and in every later preview"
    assert not deployed.all(BOUND_VOLUME), "there is nothing to patch"


def test_the_first_pod_of_a_claim_is_a_reason_to_look_again() -> None:
    none = {**CLOUD, DEPLOYMENT: {"spec": {"replicas": 0}}}
    triggers = [
        deploy(lambda: NfsServer("nfs-server", {}), outputs=outputs).one(BOUND_CLAIM).options.replacement_trigger
        for outputs in (CLOUD, none)
    ]
    assert triggers[0] != triggers[1], "the next up would keep the outputs of a claim without a volume"


def test_the_volume_is_read_after_claim_and_deployment_exist() -> None:
    deployed = lab()
    bound, volume = deployed.one(BOUND_CLAIM), deployed.one(BOUND_VOLUME)
    needed = {deployed.one(CLAIM).urn, deployed.one(DEPLOYMENT).urn}
    assert needed <= deployed.needs(bound), "earlier, the claim would not be bound yet"
    assert needed <= deployed.needs(volume)


def test_the_volume_gets_the_servers_label_and_the_claim_nothing_new() -> None:
    deployed = lab(namespace="team")
    assert deployed.one(BOUND_VOLUME).inputs["metadata"] == {"name": PV, "labels": {"role": "nfs-server"}}
    assert deployed.one(BOUND_CLAIM).inputs == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "nfs-pvc", "namespace": "team", "annotations": {"pulumi.com/skipAwait": "true"}},
    }


def test_the_volume_of_an_existing_claim_keeps_its_labels() -> None:
    given = lab(existing_claim="kept").one(BOUND_VOLUME).inputs
    assert given["metadata"] == {"name": PV}, "the label may be of another server, whose it stays"


def test_in_the_first_preview_no_id_is_guessed() -> None:
    deployed = lab(preview=True)
    placeholder = deployed.one(BOUND_VOLUME).inputs["metadata"]["name"]
    assert placeholder == "known-once-the-claim-is-bound", "the provider refuses a patch without a name in previews too"
    server = deployed.result
    for output in (server.pv_name, server.volume_id, server.volume_name):
        assert not deployed.is_known(output)


def test_another_claim_of_the_same_name_has_another_volume() -> None:
    deployed = lab()
    for type_ in (BOUND_CLAIM, BOUND_VOLUME):
        assert deployed.one(type_).options.replacement_trigger.string_value == "claim-uid"


@pytest.mark.parametrize(("source", "warns"), [("monday", False), ("sunday", True), (None, True)])
def test_a_claim_with_other_data_than_the_snapshots_is_warned_of(
    source: str | None, warns: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))
    reference = {"dataSource": {"kind": "VolumeSnapshot", "name": source}} if source else {}
    found = {**CLOUD, BOUND_CLAIM: {"spec": {"volumeName": PV, **reference}}}
    deploy(lambda: NfsServer("files", {"from_snapshot": "monday"}), outputs=found)
    expected = "NfsServer files: the claim existed already, so it has its own data and nothing of the snapshot monday"
    assert said == ([expected] if warns else []), "the program would look for bytes that are not there"


def test_a_volume_of_another_driver_has_its_own_handle() -> None:
    other = {**CLOUD, BOUND_VOLUME: {"spec": {"csi": {"volumeHandle": "disk-7", "driver": "disk.example.com"}}}}
    deployed = deploy(lambda: NfsServer("files", {}), outputs=other)
    assert deployed.value(deployed.result.volume_id) == "disk-7"
    assert deployed.value(deployed.result.volume_name) == "", "the Name tag is EC2's"


def test_a_volume_of_no_csi_driver_has_no_id() -> None:
    plain = {**CLOUD, BOUND_VOLUME: {"spec": {"hostPath": {"path": "/data"}}}}
    deployed = deploy(lambda: NfsServer("files", {}), outputs=plain)
    assert deployed.value(deployed.result.volume_id) == ""
