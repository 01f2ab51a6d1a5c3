"""The programs of docs/component.md run on mocks; tests/local runs those whose behaviour a cluster decides."""

import json
import runpy
from pathlib import Path

import pytest

from tests.docs.guide import program, read
from tests.unit.conftest import CLOUD, VOLUME
from tests.unit.fresh import ROOT
from tests.unit.mocks import Deployed, deploy

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
BARRIER = "pulumi-python:dynamic/storage-lab:ReclaimBarrier"
CONFIG = {
    "storage-lab:ec2": json.dumps({"region": "eu-west-1"}),
    "storage-lab:driverTags": json.dumps({"KubernetesCluster": "a"}),
}


def run(title: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """Run the only program under that heading, against the folder components/, which pip installs as storage_lab."""
    pasted = folder / "__main__.py"
    pasted.write_text(program(ROOT / "docs" / "component.md", title).replace("from storage_lab.", "from components."))
    (folder / "kubeconfig.yaml").write_text("a kubeconfig")
    monkeypatch.chdir(folder)
    deployed = deploy(lambda: runpy.run_path(str(pasted)), outputs=CLOUD, config=CONFIG)
    provider = deployed.one("pulumi:providers:kubernetes", "cluster").urn
    for claim in deployed.all(CLAIM):
        assert claim.provider.startswith(provider), "it would go to whichever cluster the user's own kubeconfig means"
    return deployed


def test_a_server_in_its_own_namespace_is_deleted_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = run("A server in its own namespace", tmp_path, monkeypatch)
    claim = deployed.one(CLAIM)
    assert claim.inputs["metadata"]["namespace"] == "team-a"
    assert deployed.one("kubernetes:core/v1:Namespace").urn in deployed.needs(claim)


def test_two_servers_in_one_namespace_share_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = run("Two servers in one namespace", tmp_path, monkeypatch)
    names = {
        (claim.inputs["metadata"]["name"], claim.inputs["metadata"]["labels"]["role"]) for claim in deployed.all(CLAIM)
    }
    assert names == {("files-pvc", "files"), ("media-pvc", "media")}


def test_an_existing_cluster_keeps_its_default_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = run("An EKS cluster that exists already", tmp_path, monkeypatch)
    annotations = deployed.one(CLASS).inputs["metadata"]["annotations"]
    assert annotations == {"storageclass.kubernetes.io/is-default-class": "false"}
    assert deployed.one(CLAIM).inputs["spec"]["storageClassName"] == "shared"
    assert deployed.outputs["volumeId"] == VOLUME


def test_a_claim_of_the_default_class_names_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = run("A default class that is not EBS", tmp_path, monkeypatch)
    assert "storageClassName" not in deployed.one(CLAIM).inputs["spec"]


def test_a_server_from_a_snapshot_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = run("From a snapshot", tmp_path, monkeypatch).one(CLAIM)
    assert claim.inputs["spec"]["dataSource"]["name"] == "monday"


def test_a_server_is_deleted_before_the_barrier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = run("With the barrier", tmp_path, monkeypatch)
    barrier = deployed.one(BARRIER)
    assert barrier.urn in deployed.needs(deployed.one(CLAIM)), "the barrier would wait before the claim is deleted"
    assert deployed.one(CLASS).urn in deployed.needs(barrier), "a class that is gone cannot be looked for"


def test_every_example_has_a_test() -> None:
    titles = {block.title for block in read(ROOT / "docs" / "component.md").blocks if block.info == "python"}
    tested = Path(__file__).read_text()
    assert not [title for title in titles if f'run("{title}"' not in tested]


def test_both_readmes_have_the_program_that_the_local_tier_runs() -> None:
    english, japanese = (
        [block.text for block in read(ROOT / name).blocks if block.info == "python"]
        for name in ("README.md", "README.ja.md")
    )
    assert len(english) == 1
    assert english == japanese
