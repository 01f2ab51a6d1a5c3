"""The key of a cloud's EC2 API: made at random when the cloud is created, in a file that only its owner reads.

The file is a script for the learner's shell: `. .lab/clouds/local/aws.env`.
"""

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from .errors import LocalCloudError
from .record import record as record_file
from .record.layout import CLOUDS, Layout
from .record.record import write_atomically

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Ec2Key:
    """An access key. Its secret shows in no log and no traceback."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


NONE = Ec2Key("none", "none")
"""For an EC2 API that older code started, which asks for no key, and for one that does not exist any more."""


def create(layout: Layout, region: str) -> None:
    """Write a new key, unless the cloud has one. 20 and 40 characters, as the keys of AWS have."""
    if layout.ec2_key.exists():
        return
    access_key_id = "LOCAL" + "".join(secrets.choice(_LETTERS) for _ in range(15))
    text = f"""# The key of this local cloud's EC2 API, for a shell: . {layout.ec2_key.name}
export AWS_ACCESS_KEY_ID={access_key_id}
export AWS_SECRET_ACCESS_KEY={secrets.token_hex(20)}
export AWS_DEFAULT_REGION={region}
unset AWS_PROFILE AWS_SESSION_TOKEN
"""
    write_atomically(layout.ec2_key, text)


def read(file: Path) -> Ec2Key:
    """Return the key in the file. Raises LocalCloudError where it holds none."""
    try:
        exported = dict(re.findall(r"^export (\w+)=(\w+)$", file.read_text(), re.MULTILINE))
        return Ec2Key(exported["AWS_ACCESS_KEY_ID"], exported["AWS_SECRET_ACCESS_KEY"])
    except (OSError, ValueError, KeyError) as error:
        raise LocalCloudError(f"no EC2 key can be read from {file} ({error}): `pulumi up` writes a new one") from error


def file_of(endpoint: str, clouds: Path = CLOUDS) -> Path | None:
    """Return the file with the key of the EC2 API at that URL, whose cloud is one of the folders in `clouds`.

    A resource knows its endpoint and nothing else of the cloud, so that no state holds a key.
    """
    for file in clouds.glob(f"*/{record_file.FILE}"):
        try:
            record = record_file.read(file.parent)
        except LocalCloudError:  # a damaged cloud beside the one that is meant
            continue
        if record is not None and record.ec2_endpoint == endpoint:
            key = Layout(file.parent).ec2_key
            return key if key.exists() else None
    return None


def key_of(endpoint: str, clouds: Path = CLOUDS) -> Ec2Key:
    """Return the key of the EC2 API at that URL; NONE where no file holds it."""
    file = file_of(endpoint, clouds)
    try:
        return read(file) if file else NONE
    except LocalCloudError:
        return NONE
