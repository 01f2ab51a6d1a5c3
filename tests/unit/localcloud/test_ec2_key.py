"""The EC2 key: random, private, readable by a shell, and found by its endpoint."""

import stat
import subprocess
from pathlib import Path

import pytest

from localcloud import ec2_key
from localcloud.errors import LocalCloudError
from localcloud.record import record as record_file
from localcloud.record.layout import Layout
from tests.unit.localcloud.records import make_record


def _cloud(folder: Path) -> Layout:
    folder.mkdir(parents=True)
    record_file.write(folder, make_record(folder))
    return Layout(folder)


def test_two_keys_differ_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    one, other = _cloud(tmp_path / "one"), _cloud(tmp_path / "other")
    for layout in (one, other):
        ec2_key.create(layout, "us-east-1")
    assert ec2_key.read(one.ec2_key) != ec2_key.read(other.ec2_key)
    assert stat.S_IMODE(one.ec2_key.stat().st_mode) == 0o600


def test_a_key_stays_when_it_is_created_again(tmp_path: Path) -> None:
    layout = _cloud(tmp_path / "one")
    ec2_key.create(layout, "us-east-1")
    before = ec2_key.read(layout.ec2_key)
    ec2_key.create(layout, "us-east-1")
    assert ec2_key.read(layout.ec2_key) == before, "shells and processes hold the first"


def test_a_shell_gets_key_and_region_from_the_file(tmp_path: Path) -> None:
    layout = _cloud(tmp_path / "one")
    ec2_key.create(layout, "eu-west-1")
    key = ec2_key.read(layout.ec2_key)
    script = f'. {layout.ec2_key}; echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_DEFAULT_REGION$AWS_PROFILE"'
    said = subprocess.run(["sh", "-ec", script], env={"AWS_PROFILE": "production"}, capture_output=True, text=True)
    assert said.stdout.split() == [key.access_key_id, key.secret_access_key, "eu-west-1"]


def test_a_key_is_found_by_the_endpoint_of_its_cloud(tmp_path: Path) -> None:
    layout = _cloud(tmp_path / "clouds" / "local")
    endpoint = make_record(layout.folder).ec2_endpoint
    assert ec2_key.key_of(endpoint, tmp_path / "clouds") == ec2_key.NONE, "a cloud of older code asks for no key"
    ec2_key.create(layout, "us-east-1")
    (tmp_path / "clouds" / "damaged").mkdir()
    (tmp_path / "clouds" / "damaged" / record_file.FILE).write_text("{")
    assert ec2_key.key_of(endpoint, tmp_path / "clouds") == ec2_key.read(layout.ec2_key)
    assert ec2_key.key_of("http://127.0.0.1:1", tmp_path / "clouds") == ec2_key.NONE


def test_a_secret_shows_in_no_text_of_its_key(tmp_path: Path) -> None:
    layout = _cloud(tmp_path / "one")
    ec2_key.create(layout, "us-east-1")
    key = ec2_key.read(layout.ec2_key)
    assert key.secret_access_key not in f"{key} {key!r}", "a log or a traceback would tell it"


@pytest.mark.parametrize("text", ["", "export AWS_ACCESS_KEY_ID=x\n"])
def test_a_file_without_a_key_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "aws.env").write_text(text)
    with pytest.raises(LocalCloudError, match=r"aws\.env"):
        ec2_key.read(tmp_path / "aws.env")
