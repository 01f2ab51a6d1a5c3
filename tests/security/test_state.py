"""The key of a lab's EC2 API: no state, no output, no preview and no log shows it, and one line sets it."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkout import ROOT, Checkout
from localcloud import ec2_key
from localcloud.record.layout import Layout
from tests.docs.guide import Block, Shell, read

# The aws command as far as the README needs it, with the SDK's own search for a key.
AWS = """
import boto3, json, sys
arguments = dict(zip(sys.argv[3::2], sys.argv[4::2]))
client = boto3.client("ec2", endpoint_url=arguments["--endpoint-url"])
try:
    print(json.dumps(client.describe_volumes()["Volumes"], default=str))
except Exception as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A lab that is up."""
    checkout = Checkout(tmp_path_factory.mktemp("state"))
    checkout.up()
    yield checkout
    checkout.destroy()
    checkout.clear()


@pytest.fixture(scope="module")
def secrets(checkout: Checkout) -> list[str]:
    layout = Layout(checkout.cloud)
    return [ec2_key.read(layout.ec2_key).secret_access_key, layout.token.read_text().split(",", 1)[0]]


@pytest.mark.parametrize(
    "words",
    [
        ("stack", "export"),
        ("stack", "output"),
        ("stack", "output", "--json"),
        ("preview", "--diff", "--json"),
        ("up", "--yes", "--diff", "--logtostderr", "-v=9"),
    ],
    ids=" ".join,
)
def test_no_command_of_pulumi_shows_a_key(checkout: Checkout, secrets: list[str], words: tuple[str, ...]) -> None:
    said = checkout.run("pulumi", *words, "--non-interactive", "--stack", checkout.stack)
    shown = [secret for secret in secrets if secret in said.stdout + said.stderr]
    assert shown == [], "whoever sees the terminal, or gets the state, could use the cloud"


def test_no_file_of_the_state_holds_a_key(checkout: Checkout, secrets: list[str]) -> None:
    files = [path for path in (checkout.folder / ".lab" / "state").rglob("*") if path.is_file()]
    assert any(path.name == f"{checkout.stack}.json" for path in files), "the state is elsewhere by now"
    assert not [path for path in files for secret in secrets if secret.encode() in path.read_bytes()]


def test_the_secret_output_is_the_key(checkout: Checkout, secrets: list[str]) -> None:
    assert checkout.outputs()["ec2Key"]["secretAccessKey"] == secrets[0]
    hidden = checkout.run("pulumi", "stack", "output", "ec2Key", "--stack", checkout.stack).stdout
    assert hidden.strip() == "[secret]"


def _shell(checkout: Checkout, tmp_path: Path) -> Shell:
    """A learner's shell, with a login of AWS in it."""
    aws = tmp_path / "aws"
    aws.write_text(f"#!{sys.executable}\n{AWS}")
    aws.chmod(0o755)
    own = {"AWS_ACCESS_KEY_ID": "of the user", "AWS_SECRET_ACCESS_KEY": "too", "AWS_SESSION_TOKEN": "and this"}
    path = f"{tmp_path}{os.pathsep}{checkout.env['PATH']}"
    return Shell(checkout.folder, {**checkout.env, **own, "PATH": path, "AWS_DEFAULT_REGION": "us-east-1"})


def test_the_lines_of_the_readme_reach_ec2(checkout: Checkout, tmp_path: Path) -> None:
    [block] = [block for block in read(ROOT / "README.md").blocks if "aws ec2" in block.text]
    said = _shell(checkout, tmp_path).run(block, 60)
    assert checkout.outputs()["volumeId"] in [volume["VolumeId"] for volume in json.loads(said)]


def test_without_the_line_for_the_key_ec2_names_it(checkout: Checkout, tmp_path: Path) -> None:
    [block] = [block for block in read(ROOT / "README.md").blocks if "aws ec2" in block.text]
    [key, command] = block.text.splitlines()
    with pytest.raises(AssertionError) as failed:
        _shell(checkout, tmp_path).run(Block(block.info, command, block.line, block.title), 60)
    assert "AuthFailure" in str(failed.value), "the SDK must get the error that it knows"
    hint = re.search(r"This line sets the key in your shell: (\. .*aws\.env)", str(failed.value))
    assert hint, f"the error does not say what to type: {failed.value}"
    assert hint[1].endswith(key.removeprefix(". ")), "the error and the README name two files"
