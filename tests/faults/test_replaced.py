"""`pulumi up --replace`: what can be made anew is there afterwards, and data is never lost for it."""

from typing import Any

import pytest

from tests.faults.fault_lab import FaultLab, errors, summary
from tests.faults.selection import cases

SERVER = "storage-lab:index:NfsServer$"
LOCAL = "storage-lab:index:LocalCluster$"
CLASS = "storage-lab:index:EbsStorageClass$"
DYNAMIC = "pulumi-python:dynamic/storage-lab:"
CAN = {
    "the Deployment": f"{SERVER}kubernetes:apps/v1:Deployment::nfs-server",
    "the Service": f"{SERVER}kubernetes:core/v1:Service::nfs-server",
    "the StorageClass": f"{CLASS}kubernetes:storage.k8s.io/v1:StorageClass::ebs",
    "the CSIDriver": f"{LOCAL}kubernetes:storage.k8s.io/v1:CSIDriver::ebs.csi.aws.com",
    "the Kubernetes provider": f"{LOCAL}pulumi:providers:kubernetes::lab",
    "the node's instance": f"{LOCAL}{DYNAMIC}Ec2Instance::node-1",
}
CANNOT = {
    "the claim": f"{SERVER}kubernetes:core/v1:PersistentVolumeClaim::nfs-server",
    "the barrier": f"{CLASS}{DYNAMIC}ReclaimBarrier::ebs",
    "the control plane": f"{LOCAL}{DYNAMIC}ControlPlane::lab",
    "the cloud's folder": f"{LOCAL}{DYNAMIC}CloudFolder::lab",
}


def _replace(fault_lab: FaultLab, what: str, **how: Any) -> Any:
    urn = f"urn:pulumi:local::storage-lab::{what}"
    return fault_lab.checkout.up("--replace", urn, **how)


@pytest.mark.parametrize("what", cases(CAN, telling=[]))
def test_what_is_replaced_is_there_afterwards(fault_lab: FaultLab, what: str) -> None:
    volume = fault_lab.checkout.outputs()["volumeId"]
    with fault_lab.fault(f"--replace of {what}", "up") as saw:
        saw(summary(_replace(fault_lab, CAN[what]).stdout))
        fault_lab.check_standing()
        assert fault_lab.checkout.outputs()["volumeId"] == volume
        fault_lab.checkout.preview("--expect-no-changes")


@pytest.mark.parametrize("what", cases(CANNOT, telling=["the claim"]))
def test_what_holds_data_is_not_replaced(fault_lab: FaultLab, what: str) -> None:
    volume = fault_lab.checkout.outputs()["volumeId"]
    with fault_lab.fault(f"--replace of {what}", "preview, up") as saw:
        for command in (fault_lab.checkout.preview, fault_lab.checkout.up):
            refused = command("--replace", f"urn:pulumi:local::storage-lab::{CANNOT[what]}", expect=None)
            assert refused.returncode != 0
            assert "default/nfs-pvc. Nothing was deleted" in refused.stdout, refused.stdout + refused.stderr
        saw(errors(refused.stdout))
        fault_lab.check_standing()
        fault_lab.checkout.up()
        assert fault_lab.checkout.outputs()["volumeId"] == volume, "the data is lost"
