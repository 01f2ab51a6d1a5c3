"""What tests and benchmarks drive a checkout with."""

from pathlib import Path

import pytest
import yaml

from checkout import write_config
from checkout.until import until


def test_until_returns_the_first_true_look() -> None:
    looks = iter([None, "", "there"])
    assert until(lambda: next(looks), "it is there", pause=0) == "there"


def test_until_says_what_did_not_happen() -> None:
    with pytest.raises(AssertionError, match=r"^not within 0 s: it is there$"):
        until(lambda: None, "it is there", 0, pause=0)


def test_config_is_written_as_pulumi_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text("encryptionsalt: v1:salt\nconfig:\n  storage-lab:target: local\n  storage-lab:storage: 1Gi\n")
    write_config(file, {"servers": ["a-server", "team/b"], "tour": True, "nodes": 2, "storage": None, "image": None})
    assert yaml.safe_load(file.read_text()) == {
        "encryptionsalt": "v1:salt",
        "config": {
            "storage-lab:target": "local",
            "storage-lab:servers": ["a-server", "team/b"],
            "storage-lab:tour": "true",
            "storage-lab:nodes": "2",
        },
    }


@pytest.mark.parametrize("text", ["", "encryptionsalt: v1:salt\n"])
def test_config_is_written_into_a_file_without_any(tmp_path: Path, text: str) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(text)
    write_config(file, {"target": "local"})
    assert yaml.safe_load(file.read_text())["config"] == {"storage-lab:target": "local"}
