"""Parameters of a StorageClass, and the sizes and performance that EBS gives."""

import pytest

from localcloud.csi.errors import CsiError
from localcloud.csi.parameters import parse_parameters
from localcloud.csi.tags import Claimant
from localcloud.csi.volume_types import GIB, VOLUME_TYPES, check_performance, size_in_gib


def test_the_class_of_the_lab_is_understood() -> None:
    parameters = parse_parameters(
        {
            "type": "gp3",
            "encrypted": "true",
            "csi.storage.k8s.io/fstype": "ext4",
            "tagSpecification_1": "Name=kubernetes-dynamic-{{ .PVName }}",
            "csi.storage.k8s.io/pv/name": "pvc-1",
            "csi.storage.k8s.io/pvc/name": "nfs-pvc",
            "csi.storage.k8s.io/pvc/namespace": "default",
        }
    )
    assert (parameters.volume_type, parameters.encrypted) == ("gp3", True)
    assert parameters.claimant == Claimant("pvc-1", "nfs-pvc", "default"), "tags would name another claim"
    assert parameters.tag_specifications == {"tagSpecification_1": "Name=kubernetes-dynamic-{{ .PVName }}"}


def test_the_default_is_an_unencrypted_gp3_volume() -> None:
    parameters = parse_parameters({})
    assert (parameters.volume_type, parameters.encrypted, parameters.kms_key_id) == ("gp3", False, None)
    assert (parameters.iops, parameters.throughput) == (None, None), "EBS knows its own defaults"


def test_names_are_taken_in_any_case_as_the_real_driver_does() -> None:
    assert parse_parameters({"Type": "IO2", "KMSKEYID": "alias/lab", "Encrypted": "TRUE"}).volume_type == "io2"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"colour": "red"}, ["colour", "type, iops, throughput, encrypted, kmsKeyId, tagSpecification_N"]),
        ({"tagSpecification": "a=b"}, ["tagSpecification", "tagSpecification_N"]),
        ({"type": "gp9"}, ["type", "'gp9'", "gp3, gp2, io1, io2, st1, sc1, standard"]),
        ({"type": "gp3", "Type": "gp2"}, ["twice"]),
        ({"iops": "many"}, ["iops", "'many'", "whole number"]),
        ({"throughput": "-1"}, ["throughput", "'-1'"]),
        ({"encrypted": "yes"}, ["encrypted", "'yes'", '"true"']),
        ({"kmsKeyId": "alias/lab"}, ["kmsKeyId", 'encrypted: "true"']),
        ({"csi.storage.k8s.io/fstype": "zfs"}, ["zfs", "ext3, ext4, xfs"]),
    ],
)
def test_a_parameter_that_is_wrong_is_named_with_what_is_accepted(given: dict[str, str], said: list[str]) -> None:
    with pytest.raises(CsiError) as refused:
        parse_parameters(given)
    assert refused.value.code == "INVALID_ARGUMENT", "asking again does not help"
    for words in said:
        assert words in refused.value.message, "the event of the claim is all that the user sees"


@pytest.mark.parametrize(
    ("required", "limit", "gib"),
    [(1, 0, 1), (GIB, 0, 1), (GIB + 1, 0, 2), (GIB, GIB, 1), (1, 2 * GIB, 1), (0, 0, 100), (0, 5 * GIB + 1, 5)],
)
def test_a_size_becomes_the_least_whole_gib(required: int, limit: int, gib: int) -> None:
    assert size_in_gib(required, limit, "gp3") == gib, "less than the claim asks, or more than its limit"


@pytest.mark.parametrize(
    ("required", "limit", "volume_type"),
    [
        (GIB + 1, GIB + 2, "gp3"),
        (2 * GIB, GIB, "gp3"),
        (0, GIB - 1, "gp3"),
        (-1, 0, "gp3"),
        (65537 * GIB, 0, "gp3"),
        (GIB, 0, "io2"),
        (GIB, 0, "st1"),
        (1025 * GIB, 0, "standard"),
    ],
)
def test_a_size_that_ebs_cannot_make_is_out_of_range(required: int, limit: int, volume_type: str) -> None:
    with pytest.raises(CsiError) as refused:
        size_in_gib(required, limit, volume_type)
    assert refused.value.code == "OUT_OF_RANGE", "CSI's code for a capacity that cannot be had"


@pytest.mark.parametrize(
    ("volume_type", "gib", "iops", "throughput", "said"),
    [
        ("gp3", 1, 3001, None, "3000"),
        ("gp3", 1, 2999, None, "3000 to 80000"),
        ("gp3", 100, None, 124, "125 to 2000"),
        ("gp2", 100, 3000, None, "not for volumes of type gp2"),
        ("io2", 4, None, None, "needs it"),
        ("io1", 4, 201, None, "200"),
        ("io2", 4, 500, 125, "throughput is not for volumes of type io2"),
    ],
)
def test_performance_that_ebs_does_not_give_is_refused(
    volume_type: str, gib: int, iops: int | None, throughput: int | None, said: str
) -> None:
    with pytest.raises(CsiError) as refused:
        check_performance(volume_type, gib, iops, throughput)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert said in refused.value.message, "the user has to read what would be possible"


def test_the_defaults_of_every_type_that_has_some_are_possible() -> None:
    for name, limits in VOLUME_TYPES.items():
        if not limits.iops_required:
            check_performance(name, limits.gib[0], None, None)
    check_performance("gp3", 10, 5000, 125)
    check_performance("io2", 4, 4000, None)
