"""A stack is read through the pulumi command."""

import pytest

from lab.reading.stack import read_stack
from tests.unit.lab.fake_pulumi import pulumi


def test_stack_is_read_with_settings_and_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {
        "storage-lab:target": {"value": "local"},
        "storage-lab:servers": {"value": '["a-server"]', "objectValue": ["a-server"]},
        "aws:region": {"value": "eu-west-1"},
    }
    asked = pulumi(monkeypatch, config=config, outputs={"kubeconfig": "k", "servers": {"a-server": {}}})
    stack = read_stack("org/storage-lab/local")
    assert (stack.name, stack.cluster_name, stack.kubeconfig) == ("local", "storage-lab-local", "k")
    assert [server.claim_name for server in stack.settings.servers] == ["a-pvc"]
    assert all("--stack org/storage-lab/local" in words for words in asked), "another stack was asked"


def test_selected_stack_is_read_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pulumi(monkeypatch)
    assert read_stack().name == "local"
    assert not [words for words in asked if "--stack" in words]
