"""ClusterClient: an API that does not answer is an error, unless the user says that it is gone for good."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from lightkube.core.exceptions import ConfigError

from components.access import clients
from components.access.clients import GONE_FOR_GOOD, ClusterClient, Unreachable
from localcloud import kubeconfig
from localcloud.record import record as record_file
from tests.unit.localcloud.records import make_record

LOCAL = {"region": "us-east-1", "endpoint_url": "http://127.0.0.1:1"}
AWS = {"region": "us-east-1"}


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_args: object) -> Any:
        raise error

    return fail


@pytest.fixture(autouse=True)
def nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GONE_FOR_GOOD, raising=False)
    monkeypatch.setattr(clients, "kubernetes_client", raising(ConfigError("the cloud cannot be started")))
    monkeypatch.setattr(clients, "ec2_client", raising(EndpointConnectionError(endpoint_url="there")))


def test_a_cluster_that_does_not_answer_is_an_error_with_the_reason() -> None:
    with pytest.raises(Unreachable, match="the Kubernetes cluster does not answer: the cloud cannot be started"):
        ClusterClient("a kubeconfig").ask_kubernetes(lambda _client: 1, if_gone=2)


def test_an_ec2_api_that_does_not_answer_is_an_error_with_the_reason() -> None:
    with pytest.raises(Unreachable, match="the EC2 API does not answer: Could not connect"):
        ClusterClient("a kubeconfig", LOCAL).ask_ec2(lambda _ec2: 1, if_gone=2)


def test_what_is_gone_for_good_is_answered_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GONE_FOR_GOOD, "true")
    assert ClusterClient("a kubeconfig").ask_kubernetes(lambda _client: 1, if_gone=2) == 2
    assert ClusterClient("a kubeconfig", LOCAL).ask_ec2(lambda _ec2: 1, if_gone=2) == 2


def test_aws_is_never_gone_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GONE_FOR_GOOD, "true")
    with pytest.raises(Unreachable, match="the EC2 API"):
        ClusterClient("a kubeconfig", AWS).ask_ec2(lambda _ec2: 1, if_gone=2)


def test_not_being_let_in_is_not_the_same_as_nothing_being_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "ec2_client", lambda _access: object())
    denied = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "DescribeVolumes")
    with pytest.raises(Unreachable, match="UnauthorizedOperation"):
        ClusterClient("a kubeconfig", AWS).ask_ec2(raising(denied), if_gone=2)


def test_after_a_failure_the_next_question_goes_through_a_new_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(kubeconfig: str) -> str:
        made.append(kubeconfig)
        return f"client {len(made)}"

    monkeypatch.setattr(clients, "kubernetes_client", make)
    asked = ClusterClient("a kubeconfig")
    assert asked.ask_kubernetes(str, "") == "client 1"
    assert asked.ask_kubernetes(str, "") == "client 1", "a new one each time would run the credential plugin each time"
    with pytest.raises(Unreachable):
        asked.ask_kubernetes(raising(OSError("reset")), "")
    assert asked.ask_kubernetes(str, "") == "client 2", "making it is what revives a local cloud"


@pytest.mark.parametrize("now", ["nothing", "another cloud", "the same cloud"])
def test_a_local_cloud_is_gone_when_its_folder_was_deleted(tmp_path: Path, now: str) -> None:
    folder = tmp_path / 'a "b": \\ ü'
    folder.mkdir()
    created = make_record(folder)
    if now != "nothing":
        record_file.write(folder, created if now == "the same cloud" else replace(created, ca_data="T1RIRVI="))
    client = ClusterClient(kubeconfig.text(created), LOCAL)
    if now == "the same cloud":
        with pytest.raises(Unreachable, match="the Kubernetes cluster does not answer"):
            client.ask_kubernetes(lambda _client: 1, if_gone=2)
        with pytest.raises(Unreachable, match="the EC2 API does not answer"):
            client.ask_ec2(lambda _ec2: 1, if_gone=2)
    else:
        assert client.ask_kubernetes(lambda _client: 1, if_gone=2) == 2
        assert client.ask_ec2(lambda _ec2: 1, if_gone=2) == 2


def test_another_ec2_api_is_asked_with_the_shells_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the client of these tests
    monkeypatch.setattr(clients, "find_spec", lambda _name: None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the shell")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = clients.ec2_client(LOCAL)
    assert client.meta.endpoint_url == LOCAL["endpoint_url"]
    assert client._request_signer._credentials.access_key == "of the shell"
    assert clients.shell_for_ec2(LOCAL) == ("", "--region us-east-1 --endpoint-url http://127.0.0.1:1")
