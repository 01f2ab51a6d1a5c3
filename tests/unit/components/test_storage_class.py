"""EbsStorageClass: the default class, as the lab and the driver want it, and the barrier above it."""

from typing import Any

import pulumi
import pytest

from components.access.cluster_access import ClusterAccess
from components.lab_storage_class import LabStorageClass
from components.settings import OwnedClaim
from components.settings.conventions import ebs_volume_name
from components.storage_class import EbsStorageClass
from tests.unit.mocks import Deployed, deploy

CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
BARRIER = "pulumi-python:dynamic/storage-lab:ReclaimBarrier"
OWN: OwnedClaim = {"namespace": "default", "claim": "nfs-pvc", "server": "nfs-server"}


class ACluster:
    """What a class reads of its cluster."""

    def __init__(self) -> None:
        self.cluster_name = "storage-lab-local"
        self.driver_tags = {"driver": "true"}
        self.access = ClusterAccess(
            pulumi.Output.secret("a kubeconfig"),
            {"region": "us-east-1", "endpoint_url": "http://127.0.0.1:4566"},
        )


@pytest.fixture(scope="module")
def deployed() -> Deployed:
    def program() -> LabStorageClass:
        return LabStorageClass(
            "ebs",
            {
                "cluster": ACluster(),
                "own_claims": [OWN],
                "reclaim_timeout_seconds": 42,
            },
        )

    return deploy(program)


def test_it_is_the_clusters_default_class(deployed: Deployed) -> None:
    annotations = deployed.one(CLASS).inputs["metadata"]["annotations"]
    assert annotations == {"storageclass.kubernetes.io/is-default-class": "true"}, (
        "the lab's claim names no class: without a default one it stays Pending for ever"
    )


def test_volumes_are_made_where_the_pod_is_and_go_with_the_claim(deployed: Deployed) -> None:
    inputs = deployed.one(CLASS).inputs
    assert inputs["provisioner"] == "ebs.csi.aws.com"
    assert inputs["volumeBindingMode"] == "WaitForFirstConsumer", "Immediate may choose a zone without a node"
    assert inputs["reclaimPolicy"] == "Delete", "anything else leaves a volume behind, and its price"
    assert inputs["allowVolumeExpansion"] is True


def test_volumes_are_encrypted_gp3_and_carry_the_two_tags(deployed: Deployed) -> None:
    assert deployed.one(CLASS).inputs["parameters"] == {
        "type": "gp3",
        "encrypted": "true",
        "csi.storage.k8s.io/fstype": "ext4",
        "tagSpecification_1": "Name=kubernetes-dynamic-{{ .PVName }}",
        "tagSpecification_2": "storage-lab=storage-lab-local",
    }


def test_the_name_tag_is_the_one_that_the_output_announces(deployed: Deployed) -> None:
    template = deployed.one(CLASS).inputs["parameters"]["tagSpecification_1"]
    assert template.replace("{{ .PVName }}", "pvc-1") == f"Name={ebs_volume_name('pvc-1')}"


def test_a_class_with_other_parameters_takes_the_old_ones_place(deployed: Deployed) -> None:
    assert deployed.one(CLASS).options.deleteBeforeReplace, "two classes cannot have one name, and both be default"


def test_the_barrier_is_passed_before_the_class_goes(deployed: Deployed) -> None:
    assert deployed.one(CLASS).urn in deployed.one(BARRIER).dependencies


def test_the_barrier_knows_what_to_look_for(deployed: Deployed) -> None:
    inputs = dict(deployed.one(BARRIER).inputs)
    assert inputs.pop("__provider"), "the provider's reference"
    assert inputs.pop("kubeconfig")["value"] == "a kubeconfig", "it is a secret in the state"
    assert inputs == {
        "storage_class": "ebs",
        "own_claims": [OWN],
        "ec2": {"region": "us-east-1", "endpoint_url": "http://127.0.0.1:4566"},
        "volume_tag": {"key": "storage-lab", "value": "storage-lab-local"},
        "driver_tags": {"driver": "true"},
        "timeout_seconds": 42,
    }


def test_replacing_the_class_does_not_touch_the_barrier(deployed: Deployed) -> None:
    by_property = {urn for found in deployed.one(BARRIER).options.propertyDependencies.values() for urn in found.urns}
    assert deployed.one(CLASS).urn not in by_property, "the barrier would be replaced too, and wait for living claims"


def test_class_and_barrier_belong_to_the_component(deployed: Deployed) -> None:
    component = deployed.one("storage-lab:index:EbsStorageClass")
    assert {deployed.one(CLASS).parent, deployed.one(BARRIER).parent} == {component.urn}


def test_in_a_program_of_ones_own_it_is_not_the_default_class() -> None:
    given = {"resize.topolvm.io/enabled": "true", "storageclass.kubernetes.io/is-default-class": "true"}
    deployed = deploy(lambda: EbsStorageClass("shared", {"annotations": given}))
    assert deployed.one(CLASS).inputs["metadata"]["annotations"] == {
        "resize.topolvm.io/enabled": "true",
        "storageclass.kubernetes.io/is-default-class": "false",
    }, "a cluster would get a second default class by accident"


@pytest.mark.parametrize(
    ("late", "said"),
    [
        ({"class_name": "No Class"}, "the class name 'No Class' "),
        ({"tags": {"Name": "mine"}}, "sets the tag Name itself"),
    ],
)
def test_a_value_that_becomes_known_later_is_checked_then(late: dict[str, Any], said: str) -> None:
    def program() -> EbsStorageClass:
        args: Any = {key: pulumi.Output.from_input(value) for key, value in late.items()}
        return EbsStorageClass("shared", args)

    with pytest.raises(pulumi.RunError, match=said):
        deploy(program)
