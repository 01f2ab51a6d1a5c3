"""The record of a cloud: written whole, read back, and readable when older code wrote it."""

import json
from pathlib import Path

import pytest

from localcloud.errors import LocalCloudError
from localcloud.record import record as record_file
from tests.unit.localcloud.records import make_record


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = make_record(tmp_path)
    record_file.write(tmp_path, record)
    assert record_file.read(tmp_path) == record
    assert [path.name for path in tmp_path.iterdir()] == [record_file.FILE], "no temporary file stays"


def test_the_record_of_older_code_can_be_read(tmp_path: Path) -> None:
    older = {
        "name": "local", "folder": "/lab", "region": "us-east-1", "tools": "/tools", "ports": {"etcd": 20003},
        "socket": "/lab/csi.sock", "cluster_id": "uid", "ca_data": "Q0E=",
    }  # fmt: skip
    (tmp_path / record_file.FILE).write_text(json.dumps(older))
    record = record_file.read(tmp_path)
    assert record is not None
    assert (record.cluster_id, record.commands) == ("uid", ""), "a lab of yesterday could not be destroyed any more"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"name": "x"}', "\xff"])
def test_a_damaged_record_is_an_error_with_its_file(tmp_path: Path, damage: str) -> None:
    (tmp_path / record_file.FILE).write_bytes(damage.encode("latin-1"))
    with pytest.raises(LocalCloudError, match=r"cloud\.json"):
        record_file.read(tmp_path)
