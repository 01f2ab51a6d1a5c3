"""The parameters of a StorageClass, as the real driver ebs.csi.aws.com names them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import CsiError
from .tags import Claimant
from .volume_types import DEFAULT_TYPE, VOLUME_TYPES

FILE_SYSTEMS = ("ext3", "ext4", "xfs")
"""What the node half of the real driver can format on Linux."""

# Added to the parameters by csi-provisioner --extra-create-metadata.
_CLAIMANT = {
    "csi.storage.k8s.io/pv/name": "pv_name",
    "csi.storage.k8s.io/pvc/name": "pvc_name",
    "csi.storage.k8s.io/pvc/namespace": "pvc_namespace",
}
_FILE_SYSTEM = "csi.storage.k8s.io/fstype"
_TAG = re.compile(r"tagspecification_\w+")
_ACCEPTED = f"type, iops, throughput, encrypted, kmsKeyId, tagSpecification_N, {_FILE_SYSTEM}"


@dataclass(frozen=True)
class Parameters:
    """What a StorageClass asks of volumes: iops in operations a second, throughput in MiB/s; None lets EBS choose."""

    volume_type: str
    iops: int | None
    throughput: int | None
    encrypted: bool
    kms_key_id: str | None
    claimant: Claimant
    tag_specifications: Mapping[str, str]


def parse_parameters(given: Mapping[str, str]) -> Parameters:
    """Read the parameters of a CreateVolume call; names in any case, as the real driver takes them.

    Raises INVALID_ARGUMENT that names the parameter and what is accepted.
    """
    plain: dict[str, tuple[str, str]] = {}
    tags: dict[str, str] = {}
    claimant: dict[str, str] = {}
    for name, value in given.items():
        lower = name.lower()
        if lower in _CLAIMANT:
            claimant[_CLAIMANT[lower]] = value
        elif _TAG.fullmatch(lower):
            tags[name] = value
        elif lower in ("type", "iops", "throughput", "encrypted", "kmskeyid", _FILE_SYSTEM):
            if lower in plain:
                raise CsiError("INVALID_ARGUMENT", f"parameter {name} is given twice ({plain[lower][0]})")
            plain[lower] = (name, value)
        else:
            raise CsiError("INVALID_ARGUMENT", f"parameter {name} is not known; accepted are {_ACCEPTED}")
    check_file_system(plain.get(_FILE_SYSTEM, ("", ""))[1])
    encrypted, key = _encryption(plain)
    return Parameters(
        volume_type=_volume_type(plain),
        iops=_number(plain, "iops"),
        throughput=_number(plain, "throughput"),
        encrypted=encrypted,
        kms_key_id=key,
        claimant=Claimant(**claimant),
        tag_specifications=tags,
    )


def check_file_system(name: str) -> None:
    """Refuse a file system that no node could make; "" leaves the choice to the driver."""
    if name and name.lower() not in FILE_SYSTEMS:
        raise CsiError("INVALID_ARGUMENT", f"file system {name!r} is not known; accepted are {', '.join(FILE_SYSTEMS)}")


def _volume_type(plain: Mapping[str, tuple[str, str]]) -> str:
    name, value = plain.get("type", ("type", DEFAULT_TYPE))
    if value.lower() not in VOLUME_TYPES:
        raise CsiError(
            "INVALID_ARGUMENT",
            f"parameter {name}: {value!r} is not known; accepted are {', '.join(VOLUME_TYPES)}",
        )
    return value.lower()


def _number(plain: Mapping[str, tuple[str, str]], parameter: str) -> int | None:
    if parameter not in plain:
        return None
    name, value = plain[parameter]
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise CsiError("INVALID_ARGUMENT", f"parameter {name}: {value!r} is not a whole number")
    return int(value)


def _encryption(plain: Mapping[str, tuple[str, str]]) -> tuple[bool, str | None]:
    name, value = plain.get("encrypted", ("encrypted", "false"))
    if value.lower() not in ("true", "false"):
        raise CsiError("INVALID_ARGUMENT", f'parameter {name}: {value!r} is neither "true" nor "false"')
    encrypted = value.lower() == "true"
    key = plain.get("kmskeyid", ("", ""))[1] or None
    if key and not encrypted:
        raise CsiError("INVALID_ARGUMENT", f'parameter {plain["kmskeyid"][0]} needs encrypted: "true"')
    return encrypted, key
