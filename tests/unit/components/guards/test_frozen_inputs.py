"""FrozenInputs: a change that would lose volumes is refused in preview, in one voice and with the way back."""

from typing import Any

import pytest

from components.guards.frozen_inputs import FrozenInputsProvider, Rule, refusals

INPUTS: dict[str, Any] = {"region": "us-east-1", "zones": ["us-east-1a", "us-east-1b"], "vpcId": "", "subnetIds": []}
NEVER: dict[str, Rule] = dict.fromkeys(INPUTS, "never")


def said(**changes: Any) -> list[str]:
    return [failure.reason for failure in refusals(INPUTS, INPUTS | changes, NEVER)]


def is_refused(rule: Rule, before: str, after: str) -> bool:
    return bool(refusals({"key": before}, {"key": after}, {"key": rule}))


def test_the_first_up_is_free_to_choose() -> None:
    assert refusals({}, INPUTS, NEVER) == []


def test_no_change_is_no_refusal() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("region", "eu-west-1"), ("vpcId", "vpc-1"), ("subnetIds", ["subnet-1"])],
)
def test_a_frozen_key_is_refused_with_the_way_back(key: str, value: object) -> None:
    (reason,) = said(**{key: value})
    assert reason.startswith(f"storage-lab:{key} is "), "the learner must see which key to set back"
    assert "lose its volumes" in reason, "Pulumi would replace the cluster on a yes to the usual question"
    assert "Set it back, or run pulumi destroy first." in reason, "there must be a way on"


def test_unset_values_and_lists_are_shown_as_words() -> None:
    assert "storage-lab:vpcId is unset in this lab and cannot become vpc-1," in said(vpcId="vpc-1")[0]
    (reason,) = said(zones=["us-east-1b", "us-east-1a"])
    assert reason.startswith("storage-lab:zone is us-east-1a, us-east-1b in this lab"), (
        "zones is not a key that can be set"
    )


def test_every_refused_key_is_named_at_once() -> None:
    assert len(said(region="eu-west-1", zones=["eu-west-1a", "eu-west-1b"])) == 2


@pytest.mark.parametrize(("version", "refused"), [("1.36", False), ("1.37", True), ("1.34", True), ("2.36", True)])
def test_kubernetes_goes_up_one_minor_version_at_a_time(version: str, refused: bool) -> None:
    assert is_refused("next_minor", "1.35", version) is refused, "EKS would refuse it ten resources into the update"


@pytest.mark.parametrize(("before", "after"), [("1Gi", "1024Mi"), ("1Gi", "2Gi"), ("2G", "2Gi")])
def test_a_volume_may_grow(before: str, after: str) -> None:
    assert not is_refused("only_grows", before, after)


def test_a_volume_never_shrinks() -> None:
    [failure] = refusals({"storage": "2Gi"}, {"storage": "2G"}, {"storage": "only_grows"})
    assert failure.property == "storage"
    assert "storage-lab:storage is 2Gi in this lab and cannot become 2G, because" in failure.reason
    assert "an EBS volume never shrinks. Set it back" in failure.reason


def test_the_provider_goes_by_the_rules_that_it_is_given() -> None:
    provider, before = FrozenInputsProvider(), {"region": "us-east-1", "rules": {"region": "never"}}
    assert provider.check({}, before).failures == []
    assert provider.check(before, {**before, "region": "eu-west-1"}).failures
