"""Runs the program on the target eks on Pulumi's mocks, from this checkout or from a changed copy of it."""

import json
import runpy
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.eks.preflight import Placement
from tests.unit.conftest import PV
from tests.unit.fresh import ROOT, fresh_components
from tests.unit.mocks import Deployed, Registered, deploy

with warnings.catch_warnings():
    # Both packages warn of names of their own while they are loaded, whichever of them is used.
    warnings.simplefilter("ignore", DeprecationWarning)
    import pulumi_aws
    import pulumi_eks

    assert pulumi_aws.ec2.Vpc
    assert pulumi_eks.Cluster

NAME = "storage-lab-dev"
HOME = "203.0.113.7/32"
CLUSTER, NODES, ADDON = "eks:index:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"
ROLE, ATTACHMENT = "aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
NETWORK_ADDONS = ("kube-proxy", "vpc-cni")
CLASS, CLAIM = "kubernetes:storage.k8s.io/v1:StorageClass", "kubernetes:core/v1:PersistentVolumeClaim"
SNAPSHOT_CLASS = "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass"
BARRIER = "pulumi-python:dynamic/storage-lab:ReclaimBarrier"
FIXED = "pulumi-python:dynamic/storage-lab:FrozenInputs"
GROWTH = "pulumi-python:dynamic/storage-lab:VolumeGrowth"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
OUTPUTS: dict[str, Any] = {
    CLUSTER: {"kubeconfigJson": '{"kind": "Config"}'},
    ROLE: lambda args: {"arn": f"arn:aws:iam::123456789012:role/{args.name}", "name": args.name},
    f"{CLAIM}Patch": {"spec": {"volumeName": PV}},
    "kubernetes:core/v1:PersistentVolumePatch": {"spec": {"csi": {"volumeHandle": "vol-1"}}},
    "kubernetes:core/v1:Service": {"spec": {"clusterIP": "10.0.0.17"}},
}
SUBNETS = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
CALLS = {"aws:eks/getAddonVersion:getAddonVersion": {"version": "v1.0.0-eksbuild.1"}}


def program(folder: Path = ROOT, partition: str = "aws", subnets: tuple[str, ...] = (), **config: Any) -> Deployed:
    """Run the program of the checkout in `folder`, on an account that has two zones."""
    values = {"target": "eks", **config}
    texts = {f"storage-lab:{k}": v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}

    def run() -> None:
        from components.eks import cluster

        placement = Placement(partition, ("us-east-1a", "us-east-1b"), subnets)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cluster, "check_aws_cli", lambda: None)
            patch.setattr(cluster, "check_account", lambda *_: placement)
            runpy.run_path(str(folder / "__main__.py"))

    with fresh_components(folder):
        return deploy(run, outputs=OUTPUTS, calls=CALLS, config=texts, stack="dev")


def statement(role: Registered) -> dict[str, Any]:
    (only,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    return only


def addon(lab: Deployed, name: str) -> Registered:
    (found,) = [each for each in lab.all(ADDON) if each.inputs["addonName"] == name]
    return found


def policies(lab: Deployed, role: str) -> list[Registered]:
    return [each for each in lab.all(ATTACHMENT) if each.inputs["role"] == role]


def former_parents(resource: Registered) -> list[str]:
    """Return the URNs of the parents under which the resource may be found in an older state."""
    return [alias.spec.parentUrn for alias in resource.options.aliases]


def paths(inputs: Mapping[str, Any]) -> set[str]:
    """Return the names of the inputs, dotted where one is inside another."""
    inner = {key: value for key, value in inputs.items() if isinstance(value, Mapping)}
    return {*inputs} | {f"{key}.{path}" for key, value in inner.items() for path in paths(value)}
