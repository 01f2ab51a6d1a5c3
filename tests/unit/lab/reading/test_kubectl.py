"""kubectl runs with the stack's kubeconfig, and a cluster that does not answer is one sentence."""

from pathlib import Path

import pytest

from lab.errors import LabError
from lab.reading import kubectl as kubectls
from lab.reading.commands import CommandFailed, run
from lab.reading.kubectl import Kubectl, kubectl_of
from tests.unit.lab.fake_lab import FakeLab


def test_kubeconfig_is_the_owners_alone_and_is_deleted() -> None:
    with kubectl_of(FakeLab().stack) as kubectl:
        file = kubectl.kubeconfig
        assert file.read_text() == "a kubeconfig"
        assert file.stat().st_mode & 0o077 == 0
    assert not file.exists(), "credentials are left in the temporary folder"


def answers(monkeypatch: pytest.MonkeyPatch, error: CommandFailed) -> None:
    def fail(*_words: str, given: str, timeout: float) -> str:
        raise error

    monkeypatch.setattr(kubectls, "run", fail)


def kubectl_that_fails(monkeypatch: pytest.MonkeyPatch, error: CommandFailed) -> str:
    """Return the sentence about a cluster for which kubectl fails so."""

    answers(monkeypatch, error)
    with pytest.raises(LabError) as raised:
        Kubectl(Path("a.kubeconfig"), "dev").list("pods")
    return str(raised.value)


def test_cluster_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    said = kubectl_that_fails(monkeypatch, CommandFailed("The connection to the server was refused", ["E1125 noise"]))
    assert said == "the cluster of the stack dev does not answer: The connection to the server was refused"


def test_expired_credentials_are_told_by_their_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    last = "Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255"
    noise = 'E1125 memcache.go:265] "getting credentials: exec: executable aws failed with exit code 255"'
    why = "Error when retrieving token from sso: Token has expired"
    said = kubectl_that_fails(monkeypatch, CommandFailed(last, ["a warning", why, noise]))
    assert said.endswith("does not answer: Error when retrieving token from sso: Token has expired")


def test_optional_kinds_that_are_not_served_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, CommandFailed('the server doesn\'t have a resource type "volumesnapshots"'))
    kubectl = Kubectl(Path("a.kubeconfig"), "dev")
    assert kubectl.list("volumesnapshots", optional=True) == [], "most labs have no snapshots"
    with pytest.raises(LabError):
        kubectl.list("volumesnapshots")
    answers(monkeypatch, CommandFailed("The connection to the server was refused"))
    with pytest.raises(LabError):
        kubectl.list("volumesnapshots", optional=True)


def test_manifest_is_given_to_kubectl() -> None:
    assert run("cat", given="kind: VolumeSnapshot") == "kind: VolumeSnapshot"
