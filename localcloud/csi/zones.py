"""In which zone a volume may be made: CSI topology requirements over EC2 availability zones."""

from collections.abc import Collection, Mapping, Sequence

from .errors import CsiError

ZONE_KEY = "topology.kubernetes.io/zone"
DRIVER_ZONE_KEY = "topology.ebs.csi.aws.com/zone"

Segments = Mapping[str, str]
"""One CSI Topology: key to value."""


def zone_of(segments: Segments) -> str:
    """The zone that one topology names. Raises INVALID_ARGUMENT when that is not exactly one."""
    unknown = sorted(set(segments) - {ZONE_KEY, DRIVER_ZONE_KEY})
    zones = {zone for key in (ZONE_KEY, DRIVER_ZONE_KEY) if (zone := segments.get(key))}
    if unknown or len(zones) != 1:
        raise CsiError(
            "INVALID_ARGUMENT",
            f"topology {dict(segments)} is not one zone; accepted keys are {ZONE_KEY} and {DRIVER_ZONE_KEY}",
        )
    return zones.pop()


def wanted_zones(preferred: Sequence[Segments], requisite: Sequence[Segments]) -> list[str]:
    """The zones in which the volume may be, best first; empty when any zone will do."""
    first = [zone_of(segments) for segments in preferred]
    allowed = [zone_of(segments) for segments in requisite]
    if allowed:
        first = [zone for zone in first if zone in allowed]
    return list(dict.fromkeys(first + allowed))


def choose_zone(wanted: Sequence[str], available: Collection[str], region: str) -> str:
    """The zone to make the volume in: the best wanted one that the region has, or the region's first.

    Raises RESOURCE_EXHAUSTED, CSI's code for "not in these topologies", when the region has none of them.
    """
    if not wanted and available:
        return min(available)
    for zone in wanted:
        if zone in available:
            return zone
    raise CsiError(
        "RESOURCE_EXHAUSTED",
        f"no volume can be made in {', '.join(wanted) or 'any zone'}: "
        f"region {region} has {', '.join(sorted(available)) or 'no zone'}",
    )
