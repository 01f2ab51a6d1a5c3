"""The answers of a healthy local cloud, shared by the tests that run whole components."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

PV = "pvc-0b7d2c1e-5a37-4a2f-9c0e-3f1d6a8b9c10"
VOLUME = "vol-0a1b2c3d4e5f60718"


def _claim(args: Any) -> dict[str, Any]:
    return {"metadata": {**args.inputs["metadata"], "uid": "claim-uid"}}


@pytest.fixture(autouse=True)
def tracebacks() -> Iterator[None]:
    """A provider that fails plainly turns tracebacks off in its process, which here is everybody's."""
    yield
    vars(sys).pop("tracebacklimit", None)


# What each type of resource knows once it is made, for `mocks.deploy(outputs=...)`.
CLOUD: Mapping[str, Any] = {
    "pulumi-python:dynamic/storage-lab:ControlPlane": {
        "cluster_id": "a-cluster",
        "kubeconfig": "a kubeconfig",
        "api_endpoint": "https://127.0.0.1:6443",
        "ec2_endpoint": "http://127.0.0.1:4566",
    },
    "kubernetes:core/v1:PersistentVolumeClaim": _claim,
    "kubernetes:core/v1:PersistentVolumeClaimPatch": {
        "spec": {"volumeName": PV},
        "status": {"capacity": {"storage": "1Gi"}},
    },
    "kubernetes:core/v1:PersistentVolumePatch": {
        "spec": {"csi": {"volumeHandle": VOLUME, "driver": "ebs.csi.aws.com"}}
    },
    "kubernetes:core/v1:Service": {"spec": {"clusterIP": "10.0.0.17"}},
}
