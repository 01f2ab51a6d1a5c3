"""A healthy cloud: its processes, its listeners, its files, and what its users get."""

import json
from pathlib import Path

from lightkube import Client, KubeConfig
from lightkube.resources.core_v1 import Namespace

from localcloud.components import components_of
from localcloud.control_plane import ControlPlane
from localcloud.machine import processes
from localcloud.machine.ports import LOOPBACK
from localcloud.record.layout import Layout
from tests.local.clouds import credential, kubectl, listening, pids, record_of
from tests.local.conftest import AMBIENT, REGION


def test_a_created_cloud_runs_each_component_once(cloud: ControlPlane) -> None:
    assert cloud.health() == []
    assert set(pids(cloud)) == {component.name for component in components_of(record_of(cloud))}, (
        "kwokctl itself must have ended"
    )


def test_creating_a_cloud_again_changes_nothing(cloud: ControlPlane) -> None:
    before = record_of(cloud), pids(cloud)
    assert cloud.create(REGION) == before[0], "a repeated create would give the stack another cluster"
    assert pids(cloud) == before[1], "a repeated create must not restart what runs"


def test_the_cluster_id_is_the_uid_of_kube_system(cloud: ControlPlane) -> None:
    uid = kubectl(cloud, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}").stdout
    assert record_of(cloud).cluster_id == uid, "the id tells one cluster from another after its data was lost"


def test_a_cloud_listens_on_its_own_ports_of_loopback_only(cloud: ControlPlane) -> None:
    listeners = listening(cloud)
    assert {address for address, _ in listeners} == {LOOPBACK}, "the lab would be open to the network"
    promised = set(record_of(cloud).ports.values())
    assert {port for _, port in listeners} <= promised, "a port that was not reserved can collide with anybody's"


def test_the_users_environment_reaches_no_process(cloud: ControlPlane, home: Path) -> None:
    for one in processes.find(cloud.folder):
        shared = AMBIENT.keys() & one.process.environ().keys()
        assert not shared, f"{one.component} sees {shared} of its creator's environment"
    assert list(home.iterdir()) == [], "the user's home must not be written to"


def test_the_kubeconfig_holds_no_secret(cloud: ControlPlane) -> None:
    layout = Layout(cloud.folder)
    text = layout.kubeconfig.read_text()
    token = layout.token.read_text().split(",", 1)[0]
    assert token not in text, "the kubeconfig goes into Pulumi's state: its token would be there for good"
    assert "client-key" not in text, "no key belongs in the kubeconfig"
    assert layout.token.stat().st_mode & 0o077 == 0, "others on this machine could read the administrator's token"


def test_the_credential_comes_fast_and_fits_all_clients(cloud: ControlPlane) -> None:
    plugin = credential(cloud, "-X", "importtime")
    out, err = plugin.communicate(timeout=30)
    status = json.loads(out)["status"]
    assert {"clientCertificateData", "clientKeyData", "token"} <= status.keys(), "some clients read only one of them"
    assert "psutil" not in err, "the path that every client waits for must not load what only a revival needs"


def test_a_client_that_reads_only_the_token_gets_in(cloud: ControlPlane) -> None:
    with Client(config=KubeConfig.from_file(Layout(cloud.folder).kubeconfig), trust_env=False) as client:
        names = {namespace.metadata.name for namespace in client.list(Namespace) if namespace.metadata}
    assert "kube-system" in names, "lightkube takes the token and nothing else of the credential"


def test_the_users_settings_do_not_mislead_kubectl(cloud: ControlPlane, home: Path) -> None:
    said = kubectl(cloud, "get", "namespaces", "-o", "name", env=AMBIENT | {"HOME": str(home)})
    assert "namespace/default" in said.stdout, f"proxies and kubeconfigs of the user must not matter: {said.stderr}"
