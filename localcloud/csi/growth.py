"""Growth of a volume: EC2's ModifyVolume, asked for once and waited for until EC2 shows the new size.

How often EC2 lets a volume be modified (four times in 24 hours, each after the one before is completed) is EC2's rule,
and it refuses what breaks it. The real driver does not count either: it passes the refusal on.
"""

from .deadline import Deadline
from .ec2 import Ec2, Volume
from .errors import CsiError
from .stubs import csi
from .volume_types import GIB, size_in_gib


def wanted_gib(capacity: csi.CapacityRange, volume_type: str) -> int:
    """Return the size, in whole GiB, that the request asks for.

    Raises OUT_OF_RANGE for a size that a volume of that type cannot have.
    """
    return size_in_gib(capacity.required_bytes, capacity.limit_bytes, volume_type)


def grow(ec2: Ec2, volume_id: str, capacity: csi.CapacityRange, deadline: Deadline) -> int:
    """Return the size in GiB of the volume, at least what `capacity` asks for. A larger volume stays as it is.

    Raises NOT_FOUND, OUT_OF_RANGE, and what EC2 refuses.
    """
    volume = ec2.volume(volume_id, deadline)
    gib = wanted_gib(capacity, volume.volume_type)
    if volume.size_gib >= gib:
        if capacity.limit_bytes and volume.size_gib * GIB > capacity.limit_bytes:
            raise CsiError(
                "OUT_OF_RANGE",
                f"volume {volume_id} has {volume.size_gib} GiB, more than the limit of {capacity.limit_bytes} bytes, "
                "and an EBS volume never shrinks",
            )
        return volume.size_gib
    begun = ec2.modification(volume_id, deadline)
    # An earlier call may have begun it, and its answer may be lost: EC2 shows the new size only when it is there.
    if begun is None or begun.state != "modifying" or begun.target_gib < gib:
        ec2.modify_volume(volume_id, gib, deadline)
    return _wait_until_grown(ec2, volume_id, gib, deadline).size_gib


def _wait_until_grown(ec2: Ec2, volume_id: str, gib: int, deadline: Deadline) -> Volume:
    """Return the volume once it has that size: EC2 may go on optimizing it, while it is in use."""

    def look() -> Volume | None:
        seen = ec2.volume(volume_id, deadline)
        if seen.size_gib >= gib:
            return seen
        modification = ec2.modification(volume_id, deadline)
        if modification is not None and modification.state == "failed":
            raise CsiError("INTERNAL", f"EC2 could not modify volume {volume_id}: {modification.message}")
        return None

    return deadline.wait_until(look, f"volume {volume_id} has {gib} GiB")
