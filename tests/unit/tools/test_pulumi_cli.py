"""`. .lab/activate` sets a shell up, whatever was set in it before."""

import subprocess
from pathlib import Path

import pytest

from tools.pulumi_cli import activation


def activated(root: Path, **ambient: str) -> dict[str, str]:
    words = ["sh", "-euc", f"{activation(root, None)}\nenv -0"]
    done = subprocess.run(words, env={"PATH": "/usr/bin:/bin", **ambient}, capture_output=True, text=True, check=True)
    return dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)


@pytest.mark.parametrize(
    ("ambient", "expected"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "corp.example"}, "127.0.0.1,localhost,corp.example"),
        ({"no_proxy": "a.example", "NO_PROXY": "b.example"}, "127.0.0.1,localhost,a.example"),
    ],
)
def test_activation_takes_no_proxy_to_this_machine(tmp_path: Path, ambient: dict[str, str], expected: str) -> None:
    env = activated(tmp_path, **ambient)
    assert env["no_proxy"] == env["NO_PROXY"] == expected, "the parts of Pulumi would not find each other"


def test_activation_quotes_odd_characters_in_the_state_url(tmp_path: Path) -> None:
    env = activated(tmp_path / "a b%ü#?")
    assert env["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/a%20b%25%C3%BC%23%3F/.lab/state?metadata=skip"


def test_activation_keeps_a_backend_that_the_user_has_set(tmp_path: Path) -> None:
    assert activated(tmp_path, PULUMI_BACKEND_URL="s3://mine")["PULUMI_BACKEND_URL"] == "s3://mine"
