"""`. .lab/activate` sets a shell up, whatever was set in it before."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.pulumi_cli import activation


def activated(*roots: Path, home: str | None = None, **ambient: str) -> dict[str, str]:
    """Return the environment of a shell that activates the checkouts in turn; the first one has a `home`."""
    homes = [roots[0] / home if home else None, *(None for _ in roots[1:])]
    lines = "\n".join(activation(root, one) for root, one in zip(roots, homes, strict=True))
    words = ["sh", "-euc", f"{lines}\nenv -0"]
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


def test_activation_of_a_second_checkout_takes_the_place_of_the_first(tmp_path: Path) -> None:
    first, second = tmp_path / "a first", tmp_path / "second"
    env = activated(first, second, home="pulumi")
    alone = activated(second)
    differing = {name for name in env if name not in ("no_proxy", "NO_PROXY") and env[name] != alone.get(name)}
    assert not differing, f"a command in the second checkout would work on the first: {differing}"


def test_activation_keeps_what_the_user_set_between_two_checkouts(tmp_path: Path) -> None:
    lines = f"{activation(tmp_path / 'a', None)}\nexport PULUMI_BACKEND_URL=s3://mine PATH=/mine:$PATH\n"
    words = ["sh", "-euc", f"{lines}{activation(tmp_path / 'b', None)}\nenv -0"]
    said = subprocess.run(words, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True).stdout
    env = dict(entry.split("=", 1) for entry in said.split("\0") if entry)
    assert env["PULUMI_BACKEND_URL"] == "s3://mine"
    b = tmp_path / "b"
    assert env["PATH"] == f"{b}/.lab/bin:{b}/.venv/bin:/mine:/usr/bin:/bin", "a tool of the first would come first"


@pytest.mark.parametrize("passphrase", [None, "", "of another project"])
def test_activation_mentions_a_passphrase_that_it_finds(tmp_path: Path, passphrase: str | None) -> None:
    ambient = {} if passphrase is None else {"PULUMI_CONFIG_PASSPHRASE": passphrase}
    words = ["sh", "-euc", activation(tmp_path, None)]
    done = subprocess.run(words, env={"PATH": "/usr/bin:/bin", **ambient}, capture_output=True, text=True, check=True)
    assert ("unset PULUMI_CONFIG_PASSPHRASE" in done.stderr) == bool(passphrase)
    assert not passphrase or passphrase not in done.stderr, "a secret belongs on no screen"


def test_activation_hides_the_modules_of_other_pythons(tmp_path: Path) -> None:
    env = activated(tmp_path, PYTHONPATH="/elsewhere", PYTHONHOME="/elsewhere")
    assert not {"PYTHONPATH", "PYTHONHOME"} & set(env)


@pytest.mark.parametrize("how", [Path.rename, shutil.copytree])
def test_activation_of_a_moved_or_copied_checkout_asks_for_setup(
    tmp_path: Path, how: Callable[[Path, Path], object]
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    (before / ".lab").mkdir(parents=True)
    (before / ".lab" / "activate").write_text(activation(before, None))

    def said(checkout: Path) -> str:
        words = ["sh", "-euc", ". .lab/activate"]
        return subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=True).stderr

    assert "make setup" not in said(before)
    how(before, after)
    assert f"activate of {before}" in said(after), "commands in this checkout would work on the other one"
    assert "make setup" in said(after)
