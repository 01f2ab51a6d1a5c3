"""Ways to break a lab in which all is well, and the hints of the steps that each turns red."""

from copy import deepcopy
from typing import Any

from tests.unit.lab.fake_lab import INSTANCE, POD, PV, Breakage, FakeLab, endpoint

CLAIM, POD_KIND, PV_KIND = "PersistentVolumeClaim", "Pod", "PersistentVolume"


def put(kind: str, *path: Any) -> Breakage:
    """Set a field of the first object of a kind: keys, then the value."""
    *keys, last, value = path

    def breakage(lab: FakeLab) -> None:
        place: Any = lab.the(kind)
        for key in keys:
            place = place[key]
        place[last] = value

    return breakage


def in_ec2(**fields: Any) -> Breakage:
    return lambda lab: lab.volumes[0].update(fields)


def told(**values: str) -> Breakage:
    return lambda lab: (lab.outputs.update(values), lab.outputs["servers"]["nfs-server"].update(values))


def warn(kind: str, reason: str, message: str) -> Breakage:
    def breakage(lab: FakeLab) -> None:
        uid = lab.the(kind)["metadata"]["uid"]
        lab.things.append(
            {"kind": "Event", "type": "Warning", "reason": reason, "message": message, "involvedObject": {"uid": uid}}
        )

    return breakage


def second_pod(lab: FakeLab) -> None:
    lab.things.append(deepcopy(lab.the(POD_KIND)))
    lab.things[-1]["metadata"]["name"] = "nfs-server-576868c54d-other"


def foreign_pod(node: str, phase: str = "Running") -> Breakage:
    """Add a Pod on the server's claim that no Deployment of the lab created."""

    def breakage(lab: FakeLab) -> None:
        pod = deepcopy(lab.the(POD_KIND))
        pod["metadata"] = {"name": "debug", "namespace": "default", "uid": "uid-of-debug"}
        pod["spec"]["nodeName"], pod["status"]["phase"] = node, phase
        lab.things.append(pod)

    return breakage


def authored(lab: FakeLab) -> None:
    fields = lab.the(CLAIM)["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
    lab.the(CLAIM)["metadata"]["managedFields"][0]["fieldsV1"] = {"f:spec": {**fields, "f:storageClassName": {}}}


def second_default(lab: FakeLab) -> None:
    lab.things.append(deepcopy(lab.the("StorageClass")))
    lab.things[-1]["metadata"]["name"] = "gp2"


def forget_events(lab: FakeLab) -> None:
    lab.remove("Event")


NO_WAIT: tuple[Breakage, ...] = (forget_events, put(CLAIM, "metadata", "annotations", {}))
MOUNTS = ("spec", "template", "spec", "containers")
ELSEWHERE = [{"name": "nfs-server", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]
BESIDE = [{"name": "data", "emptyDir": {}}]

# What is broken, how, and for each step that has to turn red a part of its hint.
BREAKAGES: dict[str, tuple[tuple[Breakage, ...], dict[str, str]]] = {
    "another class": ((put(CLAIM, "spec", "storageClassName", "gp2"),), {"claim-class": "the claim's is gp2"}),
    "a class that the author named": ((authored,), {"claim-class": "leave storageClassName out"}),
    "Immediate binding, set later": (
        (put("StorageClass", "volumeBindingMode", "Immediate"),),
        {"default-class": "has to be WaitForFirstConsumer"},
    ),
    "Immediate binding from the start": (
        (put("StorageClass", "volumeBindingMode", "Immediate"), *NO_WAIT),
        {"default-class": "has to be WaitForFirstConsumer", "claim-waited": "Immediate"},
    ),
    "a class that retains": ((put("StorageClass", "reclaimPolicy", "Retain"),), {"default-class": "costs"}),
    "a class that cannot expand": ((put("StorageClass", "allowVolumeExpansion", False),), {"default-class": "grow"}),
    "another provisioner": ((put("StorageClass", "provisioner", "nfs.io"),), {"default-class": "ebs.csi.aws.com"}),
    "two default classes": ((second_default,), {"default-class": "has to be one"}),
    "a claim that does not grow": (
        (put(CLAIM, "spec", "resources", "requests", "storage", "2Gi"),),
        {"claim-size": "asks for 2Gi and has 1Gi", "ebs-kind": "2Gi, which is 2 GiB"},
    ),
    "2Gi in EC2": ((in_ec2(Size=2),), {"ebs-kind": "1Gi, which is 1 GiB"}),
    "2Gi in the configuration": ((lambda lab: lab.config.update(storage="2Gi"),), {"claim-size": "says 2Gi"}),
    "another access mode": ((put(CLAIM, "spec", "accessModes", ["ReadWriteMany"]),), {"claim-size": "ReadWriteOnce"}),
    "a claim that is leaving": ((put(CLAIM, "metadata", "deletionTimestamp", "now"),), {"claim-exists": "deleted it"}),
    "a claim that lost its volume": ((put(CLAIM, "status", "phase", "Lost"),), {"claim-bound": "out of reach"}),
    "a claim that waits": (
        (put(CLAIM, "status", "phase", "Pending"), warn(CLAIM, "ProvisioningFailed", "no such type")),
        {"claim-bound": "ProvisioningFailed: no such type"},
    ),
    "another mount path": ((put("Deployment", *MOUNTS, ELSEWHERE),), {"mount": "has to be mounted at /exports"}),
    "no claim in the Pod": (
        (put("Deployment", "spec", "template", "spec", "volumes", BESIDE),),
        {"mount": "is lost with the Pod"},
    ),
    "a Pod without its label": (
        (put(POD_KIND, "metadata", "labels", {}),),
        {"pod": "lacks the label role: nfs-server"},
    ),
    "a Deployment that does not label": (
        (put("Deployment", "spec", "template", "metadata", {}),),
        {"deployment": "lacks the label role: nfs-server"},
    ),
    "another selector": (
        (put("Deployment", "spec", "selector", "matchLabels", {"app": "nfs"}),),
        {"deployment": "selector has to be"},
    ),
    "two replicas wanted": ((put("Deployment", "spec", "replicas", 2),), {"deployment": "replicas has to be 1"}),
    "no replica wanted": ((put("Deployment", "spec", "replicas", 0),), {"deployment": "with 0 nobody serves"}),
    "two Pods": ((second_pod,), {"pod": f"there are 2 Pods, {POD} (on node-1) and nfs-server-576868c54d-other"}),
    "somebody else's Pod on the claim": (
        (foreign_pod("node-1"),),
        {"pod": "debug (on node-1) uses the claim nfs-pvc too, and the Deployment did not create it"},
    ),
    "an ended Pod on the claim, at which a destroy would stop": (
        (foreign_pod("node-2", phase="Succeeded"),),
        {"pod": "pulumi destroy stops at it. kubectl delete pod debug"},
    ),
    "somebody else's Pod that keeps the volume on its node": (
        (
            foreign_pod("node-2"),
            in_ec2(Attachments=[{"InstanceId": "i-0", "State": "attached"}]),
            put("VolumeAttachment", "spec", "nodeName", "node-2"),
        ),
        {"pod": "kubectl delete pod debug", "attached": "see the Pod's step"},
    ),
    "a Service that selects nobody": (
        (put("Service", "spec", "selector", {"role": "nobody"}), put("EndpointSlice", "endpoints", [])),
        {"service": "its selector has to be role: nfs-server"},
    ),
    "a Service whose selector was taken off, with endpoints that stayed": (
        (put("Service", "spec", {"clusterIP": "10.0.0.9"}),),
        {"service": "pulumi up --stack local puts it back"},
    ),
    "a Service that leads nowhere": (
        (put("EndpointSlice", "endpoints", None),),
        {"service": "does not lead to the server's Pod"},
    ),
    "a Service that leads to an earlier Pod": (
        (put("EndpointSlice", "endpoints", [endpoint("nfs-server-576868c54d-gone0")]),),
        {"service": "does not lead to the server's Pod"},
    ),
    "a Service that leads to somebody else's Pod as well": (
        (put("EndpointSlice", "endpoints", [endpoint(POD), endpoint("debug")]),),
        {"service": "it leads to debug too"},
    ),
    "a Service that leads to a bare address as well": (
        (put("EndpointSlice", "endpoints", [endpoint(POD), {"addresses": ["192.0.2.1"]}]),),
        {"service": "it leads to 192.0.2.1 too"},
    ),
    "an image that cannot be pulled": (
        (
            put("Deployment", "status", {}),
            put(POD_KIND, "status", "phase", "Pending"),
            put(
                POD_KIND, "status", "containerStatuses",
                [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling"}}}],
            ),
        ),
        {"deployment": "not every replica", "pod": "ImagePullBackOff: Back-off pulling"},
    ),
    "a Pod that is not ready": (
        (put(POD_KIND, "status", "conditions", []), warn(POD_KIND, "Unhealthy", "connection refused")),
        {"pod": "Unhealthy: connection refused"},
    ),
    "a volume made by hand": ((put(PV_KIND, "metadata", "annotations", {}),), {"persistent-volume": "by hand"}),
    "a volume that is retained": (
        (put(PV_KIND, "spec", "persistentVolumeReclaimPolicy", "Retain"),),
        {"persistent-volume": "stays, and costs"},
    ),
    "a volume of an earlier claim": (
        (put(PV_KIND, "spec", "claimRef", "uid", "another"),),
        {"persistent-volume": "not bound to this claim"},
    ),
    "a volume with another name": (
        (in_ec2(Tags=[{"Key": "Name", "Value": "mine"}]),),
        {"ebs-name": f"has to be kubernetes-dynamic-{PV}"},
    ),
    "a volume without a name": ((in_ec2(Tags=[]),), {"ebs-name": "nobody finds it"}),
    "a volume of another type": ((in_ec2(VolumeType="gp2"),), {"ebs-kind": "gp3"}),
    "a volume in clear": ((in_ec2(Encrypted=False),), {"ebs-kind": "encrypted"}),
    "a volume in another zone": ((in_ec2(AvailabilityZone="us-east-1b"),), {"ebs-zone": "in its own zone only"}),
    "a detached volume": ((in_ec2(Attachments=[], State="available"),), {"attached": f"attached to {INSTANCE}"}),
    "a volume on another instance": (
        (in_ec2(Attachments=[{"InstanceId": "i-0", "State": "attached"}]),),
        {"attached": f"attached to {INSTANCE}"},
    ),
    "no VolumeAttachment": ((lambda lab: lab.remove("VolumeAttachment"),), {"attached": "Kubernetes has to hold"}),
    "an instance that was deleted": ((lambda lab: lab.instances.clear(),), {"attached": "deleted"}),
    "a volume that was deleted": (
        (lambda lab: lab.volumes.clear(),),
        dict.fromkeys(("ebs-name", "ebs-kind", "ebs-zone", "attached"), "deleted it in EC2"),
    ),
    "outputs of an earlier volume": ((told(volumeId="vol-0"),), {"outputs": "run pulumi up"}),
    "outputs of an earlier Service": ((told(nfsServerIp="10.0.0.8"),), {"outputs": "nfsServerIp says 10.0.0.8"}),
    "outputs of an earlier claim": ((told(pvName="pvc-0"),), {"outputs": f"pvName says pvc-0, and there is {PV}"}),
}  # fmt: skip
