"""The objects that the lab owns, and the ways in which others can delete, edit or hold each while no command runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.fault_lab import FaultLab, patch

Deed = Callable[[FaultLab], Any]

DEFAULT = "storageclass.kubernetes.io/is-default-class"
HOLD = '{"metadata": {"finalizers": ["example.com/hold"]}}'


def kubectl(*words: str) -> Deed:
    return lambda fault_lab: fault_lab.checkout.kubectl(*words)


def edit(kind: str, name: str, change: str) -> Deed:
    return lambda fault_lab: patch(fault_lab, kind, name, change)


def edit_volume(change: str) -> Deed:
    return lambda fault_lab: patch(fault_lab, "pv", fault_lab.checkout.outputs()["pvName"], change)


def hold_attachment(fault_lab: FaultLab) -> None:
    [attachment] = fault_lab.checkout.get("volumeattachments")["items"]
    finalizers = [*attachment["metadata"].get("finalizers", []), "example.com/hold"]
    change = json.dumps({"metadata": {"finalizers": finalizers}})
    patch(fault_lab, "volumeattachment", attachment["metadata"]["name"], change)


def second_default_class(fault_lab: FaultLab) -> None:
    manifest = fault_lab.checkout.folder / "class.yaml"
    manifest.write_text(
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\n"
        f'metadata: {{name: fast, annotations: {{{DEFAULT}: "true"}}}}\nprovisioner: example.com/fast\n'
    )
    fault_lab.checkout.kubectl("apply", "-f", str(manifest))


def cordoned_and_ended(fault_lab: FaultLab) -> None:
    fault_lab.checkout.kubectl("cordon", "node-1")
    fault_lab.checkout.kubectl("delete", "pod", "--all")


def edit_pods(change: str) -> Deed:
    return lambda fault_lab: [
        patch(fault_lab, "pod", pod["metadata"]["name"], change) for pod in fault_lab.checkout.get("pods")["items"]
    ]


def release_attachment(fault_lab: FaultLab) -> None:
    for attachment in fault_lab.checkout.get("volumeattachments")["items"]:
        kept = [one for one in attachment["metadata"]["finalizers"] if one != "example.com/hold"]
        change = json.dumps({"metadata": {"finalizers": kept}})
        patch(fault_lab, "volumeattachment", attachment["metadata"]["name"], change)


@dataclass(frozen=True)
class Case:
    """What is done, and what the table says of it.

    `undo` is what a user types where `up` does not put it right, or where a destroy stops. `verify` is a step that
    finds it wrong; without one, verify has nothing to say. `up_waits`: until the undo no Pod can run, so that `up`
    would wait for it. `stops` is in what a destroy says that does not pass it.
    """

    do: Deed
    undo: Deed | None = None
    verify: str = ""
    up_waits: bool = False
    stops: str = ""


FREE = '{"metadata": {"finalizers": null}}'
CASES: dict[str, Case] = {
    "claim held by a finalizer": Case(
        edit("pvc", "nfs-pvc", '{"metadata": {"finalizers": ["kubernetes.io/pvc-protection", "example.com/hold"]}}'),
        edit("pvc", "nfs-pvc", FREE),
        stops="finalizers might be preventing deletion",
    ),
    "claim's label removed": Case(edit("pvc", "nfs-pvc", '{"metadata": {"labels": {"role": null}}}')),
    "PersistentVolume set to Retain": Case(
        edit_volume('{"spec": {"persistentVolumeReclaimPolicy": "Retain"}}'),
        edit_volume('{"spec": {"persistentVolumeReclaimPolicy": "Delete"}}'),
        verify="persistent-volume",
        stops="its reclaim policy is Retain",
    ),
    "PersistentVolume held by a finalizer": Case(edit_volume(HOLD), edit_volume(FREE), stops="PersistentVolume pvc-"),
    "PersistentVolume's label removed": Case(edit_volume('{"metadata": {"labels": {"role": null}}}')),
    "Deployment scaled to 0": Case(kubectl("scale", "deployment/nfs-server", "--replicas=0"), verify="deployment"),
    "Deployment scaled to 2": Case(kubectl("scale", "deployment/nfs-server", "--replicas=2"), verify="deployment"),
    "Deployment paused": Case(
        edit("deployment", "nfs-server", '{"spec": {"paused": true}}'),
        kubectl("rollout", "resume", "deployment/nfs-server"),
    ),
    "Deployment with another image": Case(kubectl("set", "image", "deployment/nfs-server", "nfs-server=busybox")),
    "Deployment held by a finalizer": Case(
        edit("deployment", "nfs-server", HOLD),
        edit("deployment", "nfs-server", FREE),
        stops="finalizers might be preventing deletion",
    ),
    "Pod held by a finalizer": Case(edit_pods(HOLD), edit_pods(FREE), stops="finalizers might be preventing deletion"),
    "Service of type NodePort": Case(
        edit("service", "nfs-server", '{"spec": {"type": "NodePort"}}'),
        edit("service", "nfs-server", '{"spec": {"type": "ClusterIP"}}'),
    ),
    "Service with another selector": Case(
        edit("service", "nfs-server", '{"spec": {"selector": {"role": "else"}}}'), verify="service"
    ),
    "StorageClass cannot expand": Case(
        edit("storageclass", "ebs", '{"allowVolumeExpansion": false}'), verify="default-class"
    ),
    "StorageClass not the default": Case(
        edit("storageclass", "ebs", json.dumps({"metadata": {"annotations": {DEFAULT: "false"}}})),
        verify="default-class",
    ),
    "a second default StorageClass": Case(
        second_default_class, kubectl("delete", "storageclass", "fast"), verify="default-class"
    ),
    "Node cordoned": Case(kubectl("cordon", "node-1"), kubectl("uncordon", "node-1")),
    "Node cordoned, then the Pod deleted": Case(
        cordoned_and_ended, kubectl("uncordon", "node-1"), verify="pod", up_waits=True
    ),
    "Node tainted NoExecute": Case(
        kubectl("taint", "node", "node-1", "maintenance=now:NoExecute"),
        kubectl("taint", "node", "node-1", "maintenance-"),
        up_waits=True,
    ),
    "Node's zone label removed": Case(
        kubectl("label", "node", "node-1", "topology.kubernetes.io/zone-"), verify="ebs-zone"
    ),
    "CSIDriver annotated": Case(kubectl("annotate", "csidriver", "ebs.csi.aws.com", "note=edited")),
    "VolumeAttachment held by a finalizer": Case(hold_attachment, release_attachment, stops="VolumeAttachment csi-"),
    # The last one, because it costs the volume.
    "claim Terminating": Case(
        kubectl("delete", "pvc", "nfs-pvc", "--wait=false"),
        kubectl("delete", "deployment", "nfs-server"),
        verify="claim-exists",
    ),
}
# Those in which a destroy meets something that is held, leaving or not running.
DESTROYED = [what for what, case in CASES.items() if case.stops or case.up_waits or what == "claim Terminating"]
