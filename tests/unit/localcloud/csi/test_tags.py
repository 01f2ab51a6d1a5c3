"""The tags of a volume: what the templates of a StorageClass become, and what EC2 would refuse."""

import pytest

from localcloud.csi.errors import CsiError
from localcloud.csi.tags import Claimant, render, specified_tag, volume_tags

CLAIMANT = Claimant(pv_name="pvc-1", pvc_name="nfs-pvc", pvc_namespace="default")


def refusal(specification: str, claimant: Claimant = CLAIMANT) -> str:
    with pytest.raises(CsiError) as refused:
        specified_tag("tagSpecification_1", specification, claimant)
    assert refused.value.code == "INVALID_ARGUMENT", "the class is wrong, and asking again does not help"
    assert "tagSpecification_1" in refused.value.message, "the user has to find the parameter"
    return refused.value.message


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("kubernetes-dynamic-{{ .PVName }}", "kubernetes-dynamic-pvc-1"),
        ("{{.PVCNamespace}}/{{ .PVCName }}", "default/nfs-pvc"),
        ("{{  .PVName  }}{{ .PVName }}", "pvc-1pvc-1"),
        ("no template }} at all", "no template }} at all"),
        ("", ""),
    ],
)
def test_a_template_is_filled_in_as_the_real_driver_does(template: str, value: str) -> None:
    assert render("tagSpecification_1", template, CLAIMANT) == value, "the lab looks for volumes by this tag"


@pytest.mark.parametrize("template", ["{{ .PVName", "a {{ .PVName }} b {{", "{{"])
def test_a_brace_that_is_not_closed_is_refused(template: str) -> None:
    assert "not closed" in refusal(f"Name={template}"), "the tag would hold the template itself"


@pytest.mark.parametrize("action", ["{{ .PVSize }}", "{{ PVName }}", "{{ }}", "{{ .PVName | toUpper }}"])
def test_what_a_template_cannot_do_is_refused_with_what_it_can(action: str) -> None:
    message = refusal(f"Name={action}")
    assert action in message, "the user has to see which part is wrong"
    assert "{{ .PVName }}, {{ .PVCName }}, {{ .PVCNamespace }}" in message, "and what would be right"


def test_a_field_that_the_provisioner_does_not_tell_is_refused() -> None:
    message = refusal("Name={{ .PVName }}", Claimant())
    assert "--extra-create-metadata" in message, "an empty name would be taken for a name"


def test_only_the_first_equals_sign_divides_key_and_value() -> None:
    assert specified_tag("tagSpecification_1", "query=a=b=c", CLAIMANT) == ("query", "a=b=c")
    assert specified_tag("tagSpecification_1", "empty=", CLAIMANT) == ("empty", ""), "EC2 takes empty values"


@pytest.mark.parametrize("specification", ["", "Name", "=value", "{{ .PVName }}=x"])
def test_what_is_no_key_and_value_is_refused(specification: str) -> None:
    refusal(specification)


@pytest.mark.parametrize(
    "key", ["CSIVolumeName", "ebs.csi.aws.com/cluster", "kubernetes.io/created-for/pv/name", "aws:x", "AWS:x"]
)
def test_tags_of_the_driver_and_of_aws_are_not_for_the_user(key: str) -> None:
    assert key in refusal(f"{key}=x"), "volumes would not be found again by name"


def test_ec2s_limits_are_kept() -> None:
    longest = specified_tag("tagSpecification_1", f"{'k' * 128}={'v' * 256}", CLAIMANT)
    assert len(longest[0]) == 128, "EC2 takes a key of 128 characters"
    assert "too long" in refusal(f"{'k' * 129}=v")
    assert "too long" in refusal(f"k={'v' * 257}")
    many = {f"tagSpecification_{number}": f"key-{number}=v" for number in range(45)}
    assert len(volume_tags("pvc-1", CLAIMANT, many)) == 50, "EC2 takes 50 tags, the driver's own included"
    with pytest.raises(CsiError, match="51 tags"):
        volume_tags("pvc-1", CLAIMANT, {**many, "tagSpecification_45": "key-45=v"})
    with pytest.raises(CsiError, match="257 characters"):
        volume_tags("n" * 257, CLAIMANT, {})


def test_a_key_that_is_specified_twice_is_refused() -> None:
    with pytest.raises(CsiError, match="'Name' is specified twice"):
        volume_tags("pvc-1", CLAIMANT, {"tagSpecification_1": "Name=a", "tagSpecification_2": "Name=b"})


def test_the_driver_tags_are_those_of_the_real_one() -> None:
    assert volume_tags("pvc-1", CLAIMANT, {}) == {
        "CSIVolumeName": "pvc-1",
        "ebs.csi.aws.com/cluster": "true",
        "kubernetes.io/created-for/pv/name": "pvc-1",
        "kubernetes.io/created-for/pvc/name": "nfs-pvc",
        "kubernetes.io/created-for/pvc/namespace": "default",
    }, "tools that look for volumes of the real driver would not find these"
    assert set(volume_tags("pvc-1", Claimant(), {})) == {"CSIVolumeName", "ebs.csi.aws.com/cluster"}, (
        "what the provisioner does not tell must not become an empty tag"
    )
