"""VolumeSize: a size that existing volumes cannot change to is refused in preview, with the reason."""

import pytest

from components.guards.volume_size import VolumeSizeProvider, refusals


@pytest.mark.parametrize(
    ("before", "after", "can_grow"),
    [("1Gi", "1Gi", False), ("1Gi", "1024Mi", False), ("1Gi", "2Gi", True), ("2G", "2Gi", True)],
)
def test_the_same_amount_and_a_possible_growth_are_fine(before: str, after: str, can_grow: bool) -> None:
    assert refusals({"storage": before}, {"storage": after, "can_grow": can_grow}) == []


@pytest.mark.parametrize("can_grow", [True, False])
def test_a_volume_never_shrinks(can_grow: bool) -> None:
    [failure] = refusals({"storage": "2Gi"}, {"storage": "2G", "can_grow": can_grow})
    assert failure.property == "storage"
    assert "storage-lab:storage is 2Gi since the volumes were made and cannot become 2G" in failure.reason
    assert "an EBS volume never shrinks: set it back, or run pulumi destroy first" in failure.reason


def test_where_nothing_grows_volumes_a_larger_size_is_refused() -> None:
    [failure] = refusals({"storage": "1Gi"}, {"storage": "2Gi", "can_grow": False})
    assert "nothing grows volumes on the target local" in failure.reason


def test_the_first_size_is_compared_with_nothing() -> None:
    assert VolumeSizeProvider().check({}, {"storage": "1Gi", "can_grow": False}).failures == []


def test_a_growth_is_remembered() -> None:
    before, after = {"storage": "1Gi", "can_grow": True}, {"storage": "2Gi", "can_grow": True}
    provider = VolumeSizeProvider()
    assert provider.diff("volume-size", before, before).changes is False
    assert provider.diff("volume-size", before, after).changes is True
    assert provider.update("volume-size", before, after).outs == after
