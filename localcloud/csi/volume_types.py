"""EBS volume types and the sizes, IOPS and throughput that each allows.

Source: Amazon EBS user guide, "Amazon EBS volume types" (GiB, I/O operations a second, MiB/s). The emulator
accepts any number, so the limits are kept here: a claim that EBS would refuse is refused here too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import CsiError

GIB = 2**30
DEFAULT_TYPE = "gp3"
DEFAULT_GIB = 100
"""The size of a volume for which nobody asked a size, as the real driver chooses it."""


@dataclass(frozen=True)
class VolumeType:
    """What one EBS volume type allows. `iops` and `throughput` are None where they cannot be chosen."""

    gib: range
    iops: range | None = None
    iops_per_gib: int = 0
    iops_required: bool = False
    throughput: range | None = None


def _from_to(least: int, most: int) -> range:
    return range(least, most + 1)


VOLUME_TYPES: Mapping[str, VolumeType] = {
    "gp3": VolumeType(_from_to(1, 65536), _from_to(3000, 80000), 500, throughput=_from_to(125, 2000)),
    "gp2": VolumeType(_from_to(1, 16384)),
    "io1": VolumeType(_from_to(4, 16384), _from_to(100, 64000), 50, iops_required=True),
    "io2": VolumeType(_from_to(4, 65536), _from_to(100, 256000), 1000, iops_required=True),
    "st1": VolumeType(_from_to(125, 16384)),
    "sc1": VolumeType(_from_to(125, 16384)),
    "standard": VolumeType(_from_to(1, 1024)),
}


def size_in_gib(required_bytes: int, limit_bytes: int, volume_type: str) -> int:
    """Return the size, in whole GiB, of a volume of at least `required_bytes` and at most `limit_bytes`.

    Zero means "not said", as in CSI's CapacityRange. Raises OUT_OF_RANGE when no whole number of GiB lies
    between the two, or when the type does not exist in that size: a disk is never bigger than its limit.
    """
    allowed = VOLUME_TYPES[volume_type].gib
    if required_bytes < 0 or limit_bytes < 0:
        raise CsiError("OUT_OF_RANGE", f"a size below zero: required {required_bytes}, limit {limit_bytes} bytes")
    if required_bytes:
        gib = -(-required_bytes // GIB)
    else:
        gib = min(DEFAULT_GIB, limit_bytes // GIB) if limit_bytes else DEFAULT_GIB
    if limit_bytes and gib * GIB > limit_bytes:
        raise CsiError(
            "OUT_OF_RANGE",
            f"EBS volumes come in whole GiB: {required_bytes} bytes need {gib} GiB, "
            f"which is more than the limit of {limit_bytes} bytes",
        )
    if gib not in allowed:
        raise CsiError(
            "OUT_OF_RANGE",
            f"{gib} GiB: an EBS volume of type {volume_type} has {allowed[0]} to {allowed[-1]} GiB",
        )
    return gib


def check_performance(volume_type: str, gib: int, iops: int | None, throughput: int | None) -> None:
    """Refuse IOPS or MiB/s that EBS does not give to a volume of that type and size (INVALID_ARGUMENT)."""
    limits = VOLUME_TYPES[volume_type]
    if iops is None and limits.iops_required:
        raise CsiError("INVALID_ARGUMENT", f"parameter iops is missing: type {volume_type} needs it")
    _check("iops", iops, limits.iops, volume_type)
    _check("throughput", throughput, limits.throughput, volume_type)
    if iops is not None and limits.iops is not None:
        most = max(limits.iops[0], limits.iops_per_gib * gib)
        if iops > most:
            raise CsiError(
                "INVALID_ARGUMENT",
                f"parameter iops: {iops} is more than {gib} GiB of type {volume_type} can have, {most}",
            )


def _check(parameter: str, value: int | None, allowed: range | None, volume_type: str) -> None:
    if value is None:
        return
    if allowed is None:
        raise CsiError("INVALID_ARGUMENT", f"parameter {parameter} is not for volumes of type {volume_type}")
    if value not in allowed:
        raise CsiError(
            "INVALID_ARGUMENT",
            f"parameter {parameter}: {value} is not in {allowed[0]} to {allowed[-1]} (type {volume_type})",
        )
