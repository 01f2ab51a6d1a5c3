"""The kubeconfig: YAML that calls the credential plugin."""

from pathlib import Path

import yaml

from localcloud import kubeconfig
from tests.unit.localcloud.records import make_record


def test_the_kubeconfig_is_yaml_whatever_the_path(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b": \\ ü'
    record = make_record(folder)
    read = yaml.safe_load(kubeconfig.text(record))
    plugin = read["users"][0]["user"]["exec"]
    assert plugin["args"][-1] == str(folder), "the plugin would look elsewhere"
    assert plugin["interactiveMode"] == "Never"
    assert read["clusters"][0]["cluster"]["server"] == f"https://127.0.0.1:{record.ports['kube-apiserver']}"
