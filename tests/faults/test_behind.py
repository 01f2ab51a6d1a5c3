"""Things deleted or changed behind Pulumi's back, with kubectl and in EC2."""

from collections.abc import Callable
from typing import Any

import pytest

from checkout.until import until
from tests.faults.scene import Scene, patch, summary

Deed = Callable[[Scene, Any], Any]


def _volume(scene: Scene) -> str:
    return scene.lab.outputs()["volumeId"]


def _delete(*words: str) -> Deed:
    return lambda scene, _ec2: scene.lab.kubectl("delete", *words)


def _delete_claim(scene: Scene, _ec2: Any) -> None:
    scene.lab.kubectl("delete", "deployment", "nfs-server")
    scene.lab.kubectl("delete", "pvc", "nfs-pvc")


def _terminate(scene: Scene, ec2: Any) -> None:
    ec2.terminate_instances(InstanceIds=scene.witness.instances())


def _detach(scene: Scene, ec2: Any) -> None:
    ec2.detach_volume(VolumeId=_volume(scene))


def _second_default_class(scene: Scene, _ec2: Any) -> None:
    """A newer default class of somebody else: new claims would take it."""
    manifest = scene.lab.folder / "class.yaml"
    manifest.write_text(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast, annotations: "
        '{storageclass.kubernetes.io/is-default-class: "true"}}\nprovisioner: example.com/fast\n'
    )
    scene.lab.kubectl("apply", "-f", str(manifest))


NO_DEFAULT = '{"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "false"}}}'
# Each is followed by the first command that the user runs, and then by an up.
DEEDS: dict[str, tuple[Deed, str]] = {
    "claim and Deployment deleted": (_delete_claim, "preview"),
    "Deployment deleted": (_delete("deployment", "nfs-server"), "up"),
    "Service deleted": (_delete("service", "nfs-server"), "refresh"),
    "Deployment scaled to 0": (lambda s, _: s.lab.kubectl("scale", "deployment/nfs-server", "--replicas=0"), "up"),
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


@pytest.mark.parametrize("deed", DEEDS)
def test_what_was_done_behind_pulumis_back_is_put_right(scene: Scene, deed: str) -> None:
    do, command = DEEDS[deed]
    with scene.fault(deed, f"then {command}") as saw:
        do(scene, scene.lab.ec2())
        first = getattr(scene.lab, command)()
        saw(summary(first.stdout))
        if command != "up":
            scene.lab.up()
        _until_running(scene)
        scene.check_standing()
        scene.lab.preview("--expect-no-changes")


def _until_running(scene: Scene) -> None:
    def runs() -> bool:
        pods = scene.lab.get("pods")["items"]
        return any(
            pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"] for pod in pods
        )

    until(runs, "the server runs again")


def test_a_volume_removed_by_force_does_not_hold_up_the_destroy(scene: Scene) -> None:
    ec2, volume = scene.lab.ec2(), _volume(scene)
    with scene.fault("volume removed in EC2", "then destroy") as saw:
        ec2.detach_volume(VolumeId=volume, Force=True)
        ec2.delete_volume(VolumeId=volume)
        scene.lab.preview()
        saw(summary(scene.lab.destroy().stdout))
        scene.check_gone()
