"""Things deleted or changed behind Pulumi's back, with kubectl and in EC2."""

from collections.abc import Callable
from typing import Any

import pytest

from checkout.until import until
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, patch, summary
from tests.faults.selection import cases

Deed = Callable[[FaultLab, Any], Any]


def _volume(fault_lab: FaultLab) -> str:
    return fault_lab.checkout.outputs()["volumeId"]


def _delete(*words: str) -> Deed:
    return lambda fault_lab, _ec2: fault_lab.checkout.kubectl("delete", *words)


def _delete_claim(fault_lab: FaultLab, _ec2: Any) -> None:
    fault_lab.checkout.kubectl("delete", "deployment", "nfs-server")
    fault_lab.checkout.kubectl("delete", "pvc", "nfs-pvc")


def _terminate(fault_lab: FaultLab, ec2: Any) -> None:
    ec2.terminate_instances(InstanceIds=fault_lab.ec2_state.instances())


def _detach(fault_lab: FaultLab, ec2: Any) -> None:
    ec2.detach_volume(VolumeId=_volume(fault_lab))


def _second_default_class(fault_lab: FaultLab, _ec2: Any) -> None:
    """A newer default class of somebody else: new claims would take it."""
    manifest = fault_lab.checkout.folder / "class.yaml"
    manifest.write_text(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast, annotations: "
        '{storageclass.kubernetes.io/is-default-class: "true"}}\nprovisioner: example.com/fast\n'
    )
    fault_lab.checkout.kubectl("apply", "-f", str(manifest))


NO_DEFAULT = '{"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "false"}}}'
# Each is followed by the first command that the user runs, and then by an up.
DEEDS: dict[str, tuple[Deed, str]] = {
    "claim and Deployment deleted": (_delete_claim, "preview"),
    "Deployment deleted": (_delete("deployment", "nfs-server"), "up"),
    "Service deleted": (_delete("service", "nfs-server"), "refresh"),
    "Deployment scaled to 0": (lambda s, _: s.checkout.kubectl("scale", "deployment/nfs-server", "--replicas=0"), "up"),
    "StorageClass deleted": (_delete("storageclass", "ebs"), "up"),
    "no default class": (lambda s, _: patch(s, "storageclass", "ebs", NO_DEFAULT), "up"),
    "a newer default class": (_second_default_class, "up"),
    "CSINode deleted": (_delete("csinode", "node-1"), "up"),
    "node deleted": (_delete("node", "node-1"), "up"),
    "CSIDriver deleted": (_delete("csidriver", "ebs.csi.aws.com"), "up"),
    "pod deleted": (_delete("pod", "--all"), "preview"),
    "VolumeAttachment deleted": (_delete("volumeattachments", "--all", "--wait=false"), "up"),
    "volume detached in EC2": (_detach, "refresh"),
    "instance terminated": (_terminate, "up"),
    "PersistentVolume deleted": (_delete("pv", "--all", "--wait=false"), "up"),
}


@pytest.mark.parametrize("deed", cases(DEEDS, telling=["claim and Deployment deleted"]))
def test_up_repairs_what_others_changed(fault_lab: FaultLab, deed: str) -> None:
    do, command = DEEDS[deed]
    with fault_lab.fault(deed, f"then {command}") as saw:
        do(fault_lab, fault_lab.checkout.ec2())
        first = getattr(fault_lab.checkout, command)()
        saw(summary(first.stdout))
        if command != "up":
            fault_lab.checkout.up()
        _until_running(fault_lab)
        fault_lab.check_standing()
        fault_lab.checkout.preview("--expect-no-changes")


def _until_running(fault_lab: FaultLab) -> None:
    def runs() -> bool:
        pods = fault_lab.checkout.get("pods")["items"]
        return any(
            pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"] for pod in pods
        )

    until(runs, "the server runs again")


def test_destroy_passes_a_volume_that_ec2_lost(fault_lab: FaultLab) -> None:
    ec2, volume = fault_lab.checkout.ec2(), _volume(fault_lab)
    with fault_lab.fault("volume removed in EC2", "then destroy") as saw:
        ec2.detach_volume(VolumeId=volume, Force=True)
        ec2.delete_volume(VolumeId=volume)
        fault_lab.checkout.preview()
        saw(summary(fault_lab.checkout.destroy().stdout))
        fault_lab.check_gone()


def test_clients_and_tour_follow_a_server_to_its_new_address(new_fault_lab: NewFaultLab) -> None:
    fault_lab = new_fault_lab(config={"nfsClients": 1, "tour": True})
    checkout = fault_lab.checkout
    checkout.up()
    before = checkout.outputs()

    def shares() -> dict[str, Any]:
        volumes = checkout.get("pv")["items"]
        return {one["metadata"]["name"]: one["spec"]["nfs"]["server"] for one in volumes if "nfs" in one["spec"]}

    with fault_lab.fault("Service deleted under clients and tour", "up") as saw:
        checkout.kubectl("delete", "service", "nfs-server")
        saw(summary(checkout.up().stdout))
        after = checkout.outputs()
        assert after["nfsServerIp"] != before["nfsServerIp"], "nothing had to follow"
        assert shares() == dict.fromkeys(("default.nfs-server-share", "tour-static"), after["nfsServerIp"])
        assert after["volumeId"] == before["volumeId"], "the server's data is lost"
        phases = {one["status"]["phase"] for one in checkout.get("pvc", "--all-namespaces")["items"]}
        assert phases == {"Bound"}
        ready = {one["status"].get("readyReplicas") for one in checkout.get("deployments", "-A")["items"]}
        assert ready == {1}, "a Pod has no place to mount from"
        checkout.preview("--expect-no-changes")
        checkout.destroy()
        fault_lab.check_gone()
