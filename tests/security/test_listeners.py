"""Each listener of a cloud and each attacker: refused, and nothing changed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from checkout import ROOT
from checkout.until import until
from localcloud import ec2_key, sigv4
from localcloud.control_plane import ControlPlane
from localcloud.ec2_key import Ec2Key
from localcloud.health import Api
from localcloud.machine import processes
from localcloud.record.layout import Layout
from tests.local.clouds import ec2_of, record_of, volume_ids
from tests.security import attacks
from tests.security.attacks import REFUSED, ask
from tests.security.conftest import Credential
from tests.security.listeners import CREATE_VOLUME, LISTENERS, Listener

# What a web page may send to any port of the machine without asking it first.
SIMPLE_TYPES = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
ORIGIN = {"Origin": "https://evil.example"}
HOST = {"Host": "evil.example"}

each_listener = pytest.mark.parametrize("listener", LISTENERS, ids=lambda listener: listener.port)


@pytest.fixture(scope="module")
def content(cloud: ControlPlane) -> Iterator[Callable[[], Any]]:
    """Tells what is in the cluster and in EC2."""
    api, client = Api(record_of(cloud), Layout(cloud.folder)), ec2_of(cloud)

    def names(kind: str) -> list[str]:
        return sorted(f"{kind} {one['metadata']['name']}" for one in api.find(f"/api/v1/{kind}")["items"])

    def tell() -> Any:
        return names("configmaps"), names("secrets"), names("namespaces"), volume_ids(client)

    # The controllers of a new cloud write one into each of the four namespaces.
    until(lambda: names("configmaps").count("configmaps kube-root-ca.crt") == 4, "the cloud is at rest")
    yield tell
    assert cloud.health() == [], "the attacks did harm to a process"


@pytest.fixture(autouse=True)
def unchanged(content: Callable[[], Any]) -> Iterator[None]:
    """What is there before an attack is there after it."""
    before = content()
    yield
    assert content() == before, "the attack changed something, whatever the answer said"


def _served(listener: Listener, attack: Callable[[str, str | None], str]) -> dict[str, str]:
    """Return what the listener served of all that it was asked, without what it serves everybody."""
    said = {one.path: attack(one.path, None if one.body is None else one.body.decode()) for one in listener.asks}
    return {path: answer for path, answer in said.items() if answer != REFUSED and path not in listener.open}


def test_every_listener_of_a_cloud_is_in_the_table(cloud: ControlPlane) -> None:
    found = {
        (one.component, connection.laddr[1])
        for one in processes.find(cloud.folder)
        for connection in one.process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN or connection.type.name == "SOCK_DGRAM"
    }
    ports = record_of(cloud).ports
    assert found == {(one.component, ports[one.port]) for one in LISTENERS}, "docs/security.md and this tier miss one"
    sockets = {
        connection.laddr
        for one in processes.find(cloud.folder)
        for connection in one.process.net_connections("unix")
        if connection.laddr and not connection.raddr
    }
    assert sockets == {record_of(cloud).socket}, "a unix socket that nobody listed"


@each_listener
@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "plain"])
def test_without_a_credential_nobody_is_served(listener: Listener, ports: dict[str, int], tls: bool) -> None:
    assert _served(listener, lambda path, body: ask(ports[listener.port], path, body, tls=tls)) == {}


@each_listener
@pytest.mark.parametrize("content_type", SIMPLE_TYPES)
def test_a_web_page_is_not_served(listener: Listener, ports: dict[str, int], content_type: str) -> None:
    headers = ORIGIN | {"Content-Type": content_type}
    for tls in (True, False):
        attack = lambda path, body, tls=tls: ask(ports[listener.port], path, body, tls=tls, headers=headers)  # noqa: E731
        assert _served(listener, attack) == {}, "every page that is open on the machine can send this"


@each_listener
def test_a_foreign_host_name_is_not_served(listener: Listener, ports: dict[str, int]) -> None:
    attack = lambda path, body: ask(ports[listener.port], path, body, tls=listener.tls, headers=HOST)  # noqa: E731
    assert _served(listener, attack) == {}, "DNS rebinding makes a web page the same origin as this port"


@each_listener
@pytest.mark.parametrize("whose", ["other_credential", "expired_credential"])
def test_a_wrong_credential_is_not_served(
    listener: Listener, ports: dict[str, int], whose: str, request: pytest.FixtureRequest
) -> None:
    credential: Credential = request.getfixturevalue(whose)
    headers = {"Authorization": f"Bearer {credential.token}"}
    for given in ({}, headers):
        attack = lambda path, body, given=given: ask(  # noqa: E731
            ports[listener.port], path, body, tls=listener.tls, headers=given, certificate=credential.certificate
        )
        assert _served(listener, attack) == {}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@each_listener
def test_another_user_of_the_machine_is_not_served(listener: Listener, ports: dict[str, int], tmp_path: Path) -> None:
    asks = [[one.path, None if one.body is None else one.body.decode()] for one in listener.asks]
    given = {"port": ports[listener.port], "tls": listener.tls, "asks": asks}
    said = _as_nobody(Path(attacks.__file__).read_text(), json.dumps(given))
    assert _served(listener, lambda path, _body: said[[one[0] for one in asks].index(path)]) == {}


def _as_nobody(program: str, given: str) -> Any:
    """Run a program of the standard library as the user nobody; returns what it prints, as JSON."""
    words = [os.path.realpath(sys.executable), "-I", "-c", program]
    run: Any = subprocess.run
    done = run(
        words, input=given, user="nobody", group="nogroup", extra_groups=[], cwd="/", env={}, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# The counterpart: without it a listener that refuses everybody would pass.


@pytest.mark.parametrize(
    ("port", "path"), [("etcd", "/version"), ("etcd-peer", "/version"), ("kube-apiserver", "/api/v1/secrets")]
)
def test_the_clouds_own_credential_is_served(
    ports: dict[str, int], own_credential: Credential, port: str, path: str
) -> None:
    said = ask(ports[port], path, None, tls=True, certificate=own_credential.certificate)
    assert said.startswith("200"), f"nothing that runs could use {port}: {said}"


@pytest.mark.parametrize("port", ["kube-controller-manager", "kube-scheduler"])
def test_a_controller_tells_everybody_its_health_only(ports: dict[str, int], port: str) -> None:
    assert ask(ports[port], "/healthz", None, tls=True) == "200 b'ok'"


def _signed(cloud: ControlPlane, key: Ec2Key, at: datetime, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what became of a CreateVolume that is signed with that key at that time."""
    clock = type("Clock", (), {"now": lambda _zone: at})
    monkeypatch.setattr(sigv4, "datetime", clock)
    port = record_of(cloud).ec2_port
    headers = sigv4.signed_headers(key, "us-east-1", f"127.0.0.1:{port}", CREATE_VOLUME)
    headers = {name.title(): value for name, value in headers.items()}
    return ask(port, "/", CREATE_VOLUME.decode(), tls=False, headers=headers)


@pytest.mark.parametrize("who", ["another cloud", "an hour ago", "in an hour", "a guess"])
def test_a_wrong_signature_makes_no_volume(
    cloud: ControlPlane, other: ControlPlane, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ec2_key.read(Layout(cloud.folder).ec2_key)
    foreign = ec2_key.read(Layout(other.folder).ec2_key)
    now = datetime.now(UTC)
    key, at = {
        "another cloud": (foreign, now),
        "an hour ago": (own, now - timedelta(hours=1)),
        "in an hour": (own, now + timedelta(hours=1)),
        "a guess": (Ec2Key(own.access_key_id, foreign.secret_access_key), now),
    }[who]
    assert _signed(cloud, key, at, monkeypatch) == REFUSED


def test_the_clouds_own_signature_makes_a_volume(cloud: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    before = volume_ids(ec2_of(cloud))
    said = _signed(cloud, ec2_key.read(Layout(cloud.folder).ec2_key), datetime.now(UTC), monkeypatch)
    assert said.startswith("200"), said
    for volume in volume_ids(ec2_of(cloud)) - before:
        ec2_of(cloud).delete_volume(VolumeId=volume)


def test_the_page_about_security_names_every_listener() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| `")]
    missing = [one.port for one in LISTENERS if f"`{one.port}`" not in rows]
    assert missing == [], "a reader of docs/security.md would not know who may use it"
