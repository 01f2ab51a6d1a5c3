"""Zones: which one a volume is made in, out of what the scheduler wants and the region has."""

import pytest

from localcloud.csi.errors import CsiError
from localcloud.csi.zones import DRIVER_ZONE_KEY, ZONE_KEY, choose_zone, wanted_zones, zone_of

REGION = frozenset({"us-east-1a", "us-east-1b", "us-east-1c"})


def at(zone: str) -> dict[str, str]:
    return {ZONE_KEY: zone}


def test_both_keys_name_a_zone() -> None:
    assert zone_of({ZONE_KEY: "us-east-1a"}) == "us-east-1a"
    assert zone_of({DRIVER_ZONE_KEY: "us-east-1a"}) == "us-east-1a", "classes written for the real driver use it"
    assert zone_of({ZONE_KEY: "us-east-1a", DRIVER_ZONE_KEY: "us-east-1a"}) == "us-east-1a"


@pytest.mark.parametrize(
    "segments",
    [
        {},
        {ZONE_KEY: ""},
        {"kubernetes.io/hostname": "node-1"},
        {ZONE_KEY: "us-east-1a", "rack": "1"},
        {ZONE_KEY: "us-east-1a", DRIVER_ZONE_KEY: "us-east-1b"},
    ],
)
def test_a_topology_that_is_not_one_zone_is_refused(segments: dict[str, str]) -> None:
    with pytest.raises(CsiError, match="topology") as refused:
        zone_of(segments)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert ZONE_KEY in refused.value.message, "the message has to say which keys are accepted"


def test_preferred_zones_come_first_where_allowed() -> None:
    wanted = wanted_zones([at("us-east-1c"), at("eu-west-1a")], [at("us-east-1b"), at("us-east-1c")])
    assert wanted == ["us-east-1c", "us-east-1b"], "the first preferred zone is where the pod goes"
    assert wanted_zones([at("us-east-1b")], []) == ["us-east-1b"], "preferred alone is a wish too"
    assert wanted_zones([], []) == []


def test_the_best_zone_that_the_region_has_is_chosen() -> None:
    assert choose_zone(["us-west-2a", "us-east-1b", "us-east-1a"], REGION, "us-east-1") == "us-east-1b"
    assert choose_zone([], REGION, "us-east-1") == "us-east-1a", "any zone will do, and always the same one"


@pytest.mark.parametrize(("wanted", "available"), [(["us-west-2a"], REGION), ([], frozenset[str]())])
def test_no_zone_in_common_is_refused(wanted: list[str], available: frozenset[str]) -> None:
    with pytest.raises(CsiError) as refused:
        choose_zone(wanted, available, "us-east-1")
    assert refused.value.code == "RESOURCE_EXHAUSTED", "the provisioner then tries another node"
    assert "us-east-1" in refused.value.message
