"""The configuration of kwokctl: what follows from the table of components."""

from pathlib import Path
from typing import Any

from localcloud.components import COMPONENTS
from localcloud.kwok import kwokctl
from localcloud.record.layout import Layout
from tests.unit.localcloud.records import make_record


def configured(tmp_path: Path) -> dict[str, Any]:
    return kwokctl.configuration(make_record(tmp_path), Layout(tmp_path))


def test_the_control_plane_listens_on_loopback_only(tmp_path: Path) -> None:
    assert configured(tmp_path)["options"]["bindAddress"] == "127.0.0.1", "kwokctl's default is every interface"


def test_kwokctl_gets_binary_and_port_of_its_components(tmp_path: Path) -> None:
    options, ports = configured(tmp_path)["options"], make_record(tmp_path).ports
    assert options["kubeApiserverBinary"] == "/tools/kube-apiserver", "kwokctl would download a program"
    assert options["etcdPeerPort"] == ports["etcd-peer"], "kwokctl would choose a port that nobody reserved"


def test_every_process_carries_the_name_of_its_component(tmp_path: Path) -> None:
    asked = configured(tmp_path)
    marked = {
        entry["name"]: entry.get("extraEnvs", entry.get("envs"))
        for entry in asked["componentsPatches"] + asked["components"]
    }
    assert set(marked) == {component.name for component in COMPONENTS}
    for name, variables in marked.items():
        assert {"name": "LOCALCLOUD_COMPONENT", "value": name} in variables, f"{name} could never be ended again"
