"""A record of a cloud, for tests that start nothing."""

from pathlib import Path

from localcloud.components import PORTS
from localcloud.record.record import CloudRecord


def make_record(folder: Path) -> CloudRecord:
    """Return the record of a cloud in `folder`, whose ports begin at 20000 with the guard."""
    numbers = dict(zip(("guard", *PORTS), range(20000, 20100), strict=False))
    return CloudRecord(folder.name, str(folder), "us-east-1", "/tools", numbers, "/short/csi.sock", "uid", "Q0E=")
