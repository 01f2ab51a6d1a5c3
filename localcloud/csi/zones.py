"""The zone of a new volume: CSI topology requirements over EC2 availability zones."""

from collections.abc import Collection, Mapping, Sequence

from .errors import CsiError
from .names import DRIVER

ZONE_KEY = "topology.kubernetes.io/zone"
DRIVER_ZONE_KEY = f"topology.{DRIVER}/zone"

Segments = Mapping[str, str]
"""One CSI Topology: key to value."""


def zone_of(segments: Segments) -> str:
    """Return the zone that one topology names. Raises INVALID_ARGUMENT when it does not name exactly one."""
    unknown = sorted(set(segments) - {ZONE_KEY, DRIVER_ZONE_KEY})
    zones = {zone for key in (ZONE_KEY, DRIVER_ZONE_KEY) if (zone := segments.get(key))}
    if unknown or len(zones) != 1:
        raise CsiError(
            "INVALID_ARGUMENT",
            f"topology {dict(segments)} is not one zone; accepted keys are {ZONE_KEY} and {DRIVER_ZONE_KEY}",
        )
    return zones.pop()


def wanted_zones(preferred: Sequence[Segments], requisite: Sequence[Segments]) -> list[str]:
    """Return the zones in which the volume may be, best first; empty when any zone will do."""
    first = [zone_of(segments) for segments in preferred]
    allowed = [zone_of(segments) for segments in requisite]
    if allowed:
        first = [zone for zone in first if zone in allowed]
    return list(dict.fromkeys(first + allowed))


def choose_zone(wanted: Sequence[str], available: Collection[str], region: str) -> str:
    """Return the zone for the volume: the best wanted zone that the region has, or the region's first.

    Raises RESOURCE_EXHAUSTED, CSI's code for "not in these topologies", when the region has none of the wanted zones.
    """
    if not wanted and available:
        return min(available)
    for zone in wanted:
        if zone in available:
            return zone
    raise CsiError(
        "RESOURCE_EXHAUSTED",
        f"no volume can be created in {', '.join(wanted) or 'any zone'}: "
        f"region {region} has {', '.join(sorted(available)) or 'no zone'}",
    )
