"""Which inputs a living lab may change, and what is said about the others."""

from typing import Any

import pytest

from components.guards.frozen_inputs import refusals

INPUTS: dict[str, Any] = {
    "clusterName": "storage-lab-dev",
    "region": "us-east-1",
    "zones": ["us-east-1a", "us-east-1b"],
    "vpcId": "",
    "subnetIds": [],
    "kubernetesVersion": "1.35",
}


def said(**changes: Any) -> list[str]:
    return [failure.reason for failure in refusals(INPUTS, INPUTS | changes)]


def test_the_first_up_is_free_to_choose():
    assert refusals({}, INPUTS) == []


def test_no_change_is_no_refusal():
    assert said() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("clusterName", "storage-lab-prod"),
        ("region", "eu-west-1"),
        ("zones", ["us-east-1b", "us-east-1a"]),
        ("vpcId", "vpc-1"),
        ("subnetIds", ["subnet-1", "subnet-2"]),
    ],
)
def test_what_would_replace_the_cluster_is_refused_with_the_way_back(key: str, value: object):
    (reason,) = said(**{key: value})
    assert reason.startswith(f"{key} is "), "the learner must see which key to set back"
    assert "volumes lost" in reason, "Pulumi would replace the cluster on a yes to the usual question"
    assert "`pulumi destroy` first" in reason, "there must be a way on"


def test_every_refused_key_is_named_at_once():
    assert len(said(region="eu-west-1", zones=["eu-west-1a", "eu-west-1b"])) == 2


@pytest.mark.parametrize(("version", "refused"), [("1.36", False), ("1.37", True), ("1.34", True), ("2.36", True)])
def test_kubernetes_goes_up_one_minor_version_at_a_time(version: str, refused: bool):
    assert bool(said(kubernetesVersion=version)) is refused, "EKS would refuse it ten resources into the update"
