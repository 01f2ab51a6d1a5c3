"""Names of Kubernetes, AWS and container registries, at their limits."""

from collections.abc import Callable

import pytest

from components.settings.names import (
    check_claim_name,
    check_image,
    check_namespace,
    check_region,
    check_service_name,
    check_zone,
)

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (check_service_name, "a"),
        (check_service_name, "nfs-server-2"),
        (check_service_name, "n" * 63),
        (check_namespace, "1st"),
        (check_namespace, "team-a"),
        (check_namespace, "kubernetes"),
        (check_namespace, "n" * 63),
        (check_claim_name, "nfs-pvc"),
        (check_claim_name, "a.b-c.d"),
        (check_claim_name, "n" * 63 + "-pvc"),
        (check_claim_name, "n" * 253),
        (check_region, "us-east-1"),
        (check_region, "ap-southeast-4"),
        (check_region, "us-gov-west-1"),
        (check_image, "nfs"),
        (check_image, "nfs:1"),
        (check_image, "k8s.gcr.io/volume-nfs:0.8"),
        (check_image, "registry.k8s.io/e2e-test-images/volume/nfs:1.6.0"),
        (check_image, "localhost:5000/a/b_c__d.e--f:Tag_1.x-2"),
        (check_image, f"host/a@{SHA}"),
        (check_image, f"HOST.example/a:1@{SHA}"),
        (check_image, "[::1]:5000/a"),
        (check_image, "a" * 255),
        (check_image, "a:" + "t" * 128),
    ],
)
def test_a_good_name_is_returned_as_it_is(check: Callable[[str], str], name: str) -> None:
    assert check(name) == name


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (check_service_name, ""),
        (check_service_name, "Nfs"),
        (check_service_name, "nfs_server"),
        (check_service_name, "nfs."),
        (check_service_name, "nfs.server"),
        (check_service_name, "-nfs"),
        (check_service_name, "nfs-"),
        (check_service_name, "1nfs"),
        (check_service_name, "nfs\n"),
        (check_service_name, "nfß"),
        (check_service_name, "n" * 64),
        (check_namespace, ""),
        (check_namespace, "Team"),
        (check_namespace, "team-"),
        (check_namespace, "a.b"),
        (check_namespace, "kube-system"),
        (check_namespace, "kube-anything"),
        (check_namespace, "n" * 64),
        (check_claim_name, ""),
        (check_claim_name, "."),
        (check_claim_name, "a..b"),
        (check_claim_name, "pvc."),
        (check_claim_name, "a.-b"),
        (check_claim_name, "PVC"),
        (check_claim_name, "n." * 127),
        (check_claim_name, "n" * 254),
        (check_region, ""),
        (check_region, "us-east"),
        (check_region, "us-east-1a"),
        (check_region, "US-EAST-1"),
        (check_region, "us east 1"),
        (check_image, ""),
        (check_image, "Nfs"),
        (check_image, "a b"),
        (check_image, "a:"),
        (check_image, "a:b:c"),
        (check_image, "a@sha256:abc"),
        (check_image, "http://host/a"),
        (check_image, "host/"),
        (check_image, "/a"),
        (check_image, "a//b"),
        (check_image, "a:-tag"),
        (check_image, "a:" + "t" * 129),
        (check_image, "a" * 256),
        (check_image, "nfs:1\n"),
    ],
)
def test_a_bad_name_is_refused_with_what_is_accepted(check: Callable[[str], str], name: str) -> None:
    with pytest.raises(ValueError, match=r"accepted (is|are) |belong to Kubernetes"):
        check(name)


@pytest.mark.parametrize("zone", ["", "us-east-1", "us-east-1ab", "us-east-1A", "us-west-2a", "a", "us-east-1-bos-1a"])
def test_a_zone_outside_the_region_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="accepted is the region and a letter, such as us-east-1a"):
        check_zone(zone, "us-east-1")


def test_a_zone_of_the_region_is_accepted() -> None:
    assert check_zone("us-east-1c", "us-east-1") == "us-east-1c"
