"""The stand-ins by themselves, held against what is known of the plugins: docs/eks.md and the sources named there."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
import yaml
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2

from checkout.until import until
from localcloud.components import NODE
from localcloud.machine.ports import answers
from tests.rehearsal import aws_provider, eks_plugin
from tests.rehearsal.aws_behaviour import AwsBehaviour, Refused
from tests.rehearsal.aws_rehearsal import TOOLS
from tests.rehearsal.kubernetes import Kubernetes

CIDRS = ["203.0.113.7/32"]
# A cluster in a state: what the program said, and what AWS added.
NETWORK = {"subnetIds": ["subnet-a"], "endpointPublicAccess": True, "endpointPrivateAccess": True}
STATE = {"name": "lab", "version": "1.36", "vpcConfig": NETWORK | {"publicAccessCidrs": CIDRS}}
ADDON = {"clusterName": "lab", "addonName": "vpc-cni", "addonVersion": "v1"}


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(values, struct_pb2.Struct())


def changes(kind: str, state: dict[str, Any], said: dict[str, Any], news: dict[str, Any]) -> list[str]:
    """Return which inputs the provider finds changed, `said` being the inputs of the last up."""
    request = provider_pb2.DiffRequest(
        urn=f"urn:pulumi:dev::storage-lab::aws:eks/{kind}::lab",
        olds=struct(state),
        old_inputs=struct(said),
        news=struct(news),
    )
    return list(aws_provider.AwsProvider().Diff(request, None).diffs)


def test_blocks_left_out_keep_their_value() -> None:
    assert changes("cluster:Cluster", STATE, said=STATE, news=STATE | {"vpcConfig": NETWORK}) == [], (
        "publicAccessCidrs is optional and computed: leaving it out does not open the endpoint"
    )


def test_blocks_that_are_said_replace_the_old_ones() -> None:
    everybody = STATE | {"vpcConfig": NETWORK | {"publicAccessCidrs": ["0.0.0.0/0"]}}
    assert changes("cluster:Cluster", STATE, said=STATE, news=everybody) == ["vpcConfig"]


def test_blocks_said_as_aws_has_them_are_no_change() -> None:
    assert changes("cluster:Cluster", STATE, said=STATE | {"vpcConfig": NETWORK}, news=STATE) == [], (
        "EKS refuses an update that changes nothing"
    )


def test_settings_of_an_add_on_left_out_keep_their_value() -> None:
    configured = ADDON | {"configurationValues": "{}"}
    assert changes("addon:Addon", configured, said=configured, news=ADDON) == []


def test_input_that_is_not_computed_is_taken_away() -> None:
    preserved = ADDON | {"preserve": True}
    assert changes("addon:Addon", preserved, said=preserved, news=ADDON) == ["preserve"]


def test_preview_of_an_update_keeps_what_aws_computed() -> None:
    request = provider_pb2.UpdateRequest(
        urn="urn:pulumi:dev::storage-lab::aws:eks/cluster:Cluster::lab",
        olds=struct(STATE | {"endpoint": "https://lab.example.com"}),
        news=struct(STATE | {"version": "1.37"}),
        preview=True,
    )
    planned = json_format.MessageToDict(aws_provider.AwsProvider().Update(request, None).properties)
    assert (planned["version"], planned["endpoint"]) == ("1.37", "https://lab.example.com")


class Eks:
    """What AwsBehaviour reads of the emulator."""

    _clusters = {"lab": {"resourcesVpcConfig": {"publicAccessCidrs": CIDRS}}}  # noqa: RUF012


def test_update_that_changes_nothing_is_refused() -> None:
    aws = AwsBehaviour.__new__(AwsBehaviour)
    aws._eks = Eks
    words = ["clusters", "lab", "update-config"]
    aws.before("eks:UpdateClusterConfig", words, {"resourcesVpcConfig": {"publicAccessCidrs": ["0.0.0.0/0"]}})
    with pytest.raises(Refused, match="already at the desired configuration"):
        aws.before("eks:UpdateClusterConfig", words, {"resourcesVpcConfig": {"publicAccessCidrs": CIDRS}})


# The wait for the API server.


@contextmanager
def api_server(*statuses: int) -> Iterator[str]:
    """Serve /healthz on the loopback interface: each status once, the last one from then on."""
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(left.pop(0) if len(left) > 1 else left[0] if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the stand-in tells the person who waits."""
    lines: list[str] = []
    monkeypatch.setattr(eks_plugin.pulumi.log, "info", lines.append)
    return lines


def test_wait_ends_when_the_api_server_is_healthy(said: list[str]) -> None:
    with api_server(503, 500, 200) as endpoint:
        assert asyncio.run(eks_plugin.wait_until_healthy(endpoint, looks=9, pause=0)) == endpoint
    assert len(said) == 2, "one line for each look that found it unhealthy"


def test_unreachable_api_server_is_given_up_without_an_error(said: list[str]) -> None:
    with api_server(200) as endpoint:
        pass
    assert asyncio.run(eks_plugin.wait_until_healthy(endpoint, looks=3, pause=0)) == endpoint
    assert len(said) == 3


def test_wait_for_the_api_server_is_five_minutes_at_most(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(eks_plugin, "_is_healthy", lambda _: False)
    monkeypatch.setattr(eks_plugin.asyncio, "sleep", sleep)
    asyncio.run(eks_plugin.wait_until_healthy("https://nowhere.example"))
    assert sum(pauses) == 300, "docs/eks.md says so"
    assert said[0] == "Waiting up to (300) more seconds for cluster readiness..."


@pytest.mark.parametrize(("profile", "words"), [(None, []), ("team", ["--profile", "team"])])
def test_profile_of_the_shell_is_written_into_the_kubeconfig(profile: str | None, words: list[str]) -> None:
    (user,) = eks_plugin.kubeconfig("lab", "https://a", "Y2E=", "us-east-1", profile=profile)["users"]
    assert user["user"]["exec"]["args"][8:] == words
    assert json.loads(user["user"]["exec"]["env"][0]["value"])["apiVersion"].startswith("client.authentication")


# The control plane.


def test_component_that_gave_up_is_started_again(tmp_path: Path) -> None:
    kubernetes = Kubernetes(tmp_path / "kubernetes", TOOLS)
    kubernetes.start()
    try:
        written = yaml.safe_load((kubernetes.folder / "kwokctl.yaml").read_text())
        [port] = [word for word in written["components"][0]["args"] if word.startswith("--port=")]
        names = {"kube-scheduler": written["options"]["kubeSchedulerPort"], NODE: int(port.removeprefix("--port="))}
        (scheduler,) = kubernetes.folder.rglob("kube-scheduler.pid")
        psutil.Process(int(scheduler.read_text())).kill()
        until(lambda: not answers(names["kube-scheduler"]), "the scheduler ends")
        until(lambda: kubernetes.works(names), "the scheduler runs again: without it no Pod would get a node", 120)
    finally:
        kubernetes.stop()
