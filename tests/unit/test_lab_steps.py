"""Each step of the exercise: what makes it red, with which hint, while every other one stays as it was."""

from copy import deepcopy
from typing import Any

import pytest

from components import nfs_server, storage_class
from lab import gone, steps_claim, steps_server, steps_volume
from lab.steps import STEPS, look
from tests.unit.lab_world import INSTANCE, POD, PV, VOLUME, Breakage, World, broken

CLAIM, POD_KIND, PV_KIND = "PersistentVolumeClaim", "Pod", "PersistentVolume"


def put(kind: str, *path: Any) -> Breakage:
    """Sets a field of the first object of a kind: keys, then the value."""
    *keys, last, value = path

    def breakage(world: World) -> None:
        place: Any = world.the(kind)
        for key in keys:
            place = place[key]
        place[last] = value

    return breakage


def in_ec2(**fields: Any) -> Breakage:
    return lambda world: world.volumes[0].update(fields)


def told(**values: str) -> Breakage:
    return lambda world: (world.outputs.update(values), world.outputs["servers"]["nfs-server"].update(values))


def warn(kind: str, reason: str, message: str) -> Breakage:
    def breakage(world: World) -> None:
        uid = world.the(kind)["metadata"]["uid"]
        world.things.append(
            {"kind": "Event", "type": "Warning", "reason": reason, "message": message, "involvedObject": {"uid": uid}}
        )

    return breakage


def second_pod(world: World) -> None:
    world.things.append(deepcopy(world.the(POD_KIND)))
    world.things[-1]["metadata"]["name"] = "nfs-server-576868c54d-other"


def authored(world: World) -> None:
    fields = world.the(CLAIM)["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
    world.the(CLAIM)["metadata"]["managedFields"][0]["fieldsV1"] = {"f:spec": {**fields, "f:storageClassName": {}}}


def second_default(world: World) -> None:
    world.things.append(deepcopy(world.the("StorageClass")))
    world.things[-1]["metadata"]["name"] = "gp2"


def forget_events(world: World) -> None:
    world.remove("Event")


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
    "another provisioner": ((put("StorageClass", "provisioner", "nfs.io"),), {"default-class": "no EBS volume"}),
    "two default classes": ((second_default,), {"default-class": "has to be one"}),
    "2Gi in the claim": (
        (put(CLAIM, "spec", "resources", "requests", "storage", "2Gi"),),
        {"claim-size": "says 1Gi, the claim asks for 2Gi"},
    ),
    "2Gi in EC2": ((in_ec2(Size=2),), {"ebs-kind": "1Gi is 1 GiB"}),
    "2Gi in the configuration": (
        (lambda world: world.config.update(storage="2Gi"),),
        {"claim-size": "says 2Gi", "ebs-kind": "2Gi is 2 GiB"},
    ),
    "another access mode": ((put(CLAIM, "spec", "accessModes", ["ReadWriteMany"]),), {"claim-size": "ReadWriteOnce"}),
    "a claim that is leaving": ((put(CLAIM, "metadata", "deletionTimestamp", "now"),), {"claim-exists": "deleted it"}),
    "a claim that lost its volume": ((put(CLAIM, "status", "phase", "Lost"),), {"claim-bound": "was deleted under it"}),
    "a claim that waits": (
        (put(CLAIM, "status", "phase", "Pending"), warn(CLAIM, "ProvisioningFailed", "no such type")),
        {"claim-bound": "ProvisioningFailed: no such type"},
    ),
    "another mount path": ((put("Deployment", *MOUNTS, ELSEWHERE),), {"mount": "has to be mounted at /exports"}),
    "no claim in the Pod": (
        (put("Deployment", "spec", "template", "spec", "volumes", BESIDE),),
        {"mount": "goes with the Pod"},
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
    "two Pods": ((second_pod,), {"pod": "there are 2 Pods"}),
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
    "a volume made by hand": ((put(PV_KIND, "metadata", "annotations", {}),), {"persistent-volume": "no dynamic one"}),
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
    "no VolumeAttachment": ((lambda world: world.remove("VolumeAttachment"),), {"attached": "Kubernetes has to hold"}),
    "an instance that is gone": ((lambda world: world.instances.clear(),), {"attached": "gone"}),
    "a volume that is gone": (
        (lambda world: world.volumes.clear(),),
        dict.fromkeys(("ebs-name", "ebs-kind", "ebs-zone", "attached"), "deleted it in EC2"),
    ),
    "outputs of an earlier volume": ((told(volumeId="vol-0"),), {"outputs": "run pulumi up"}),
    "outputs of an earlier claim": ((told(pvName="pvc-0"),), {"outputs": f"pvName says pvc-0, and there is {PV}"}),
}  # fmt: skip


def test_a_lab_in_which_all_is_well_passes_every_step() -> None:
    findings = look(World().seen())
    assert {key for key, finding in findings.items() if not finding.ok} == set()
    assert {finding.hint for finding in findings.values()} == {""}, "a hint is for a failure"


@pytest.mark.parametrize("what", BREAKAGES)
def test_what_is_broken_turns_its_step_red_and_no_other(what: str) -> None:
    breakages, expected = BREAKAGES[what]
    before, after = look(World().seen()), look(broken(*breakages).seen())
    failed = {key: finding.hint for key, finding in after.items() if finding.ok is not True}
    assert set(failed) == set(expected), f"{what}: {failed}"
    for key, words in expected.items():
        assert words in failed[key], f"the hint of {key} does not help: {failed[key]}"
    assert {key: after[key].ok for key in after if key not in expected} == {
        key: before[key].ok for key in before if key not in expected
    }


def test_every_step_is_made_red_by_something() -> None:
    reddened = {key for _, expected in BREAKAGES.values() for key in expected}
    assert reddened == {step.key for step in STEPS}, "a step that nothing turns red checks nothing"


def test_events_that_expired_are_no_reason_to_doubt_that_the_claim_waited() -> None:
    finding = look(broken(forget_events).seen())["claim-waited"]
    assert finding.ok
    assert "the event is gone" in finding.found, "it must not claim to have seen what it concluded"
    assert "node-1" in finding.found


def test_an_event_of_an_earlier_claim_of_that_name_proves_nothing() -> None:
    earlier = put("Event", "involvedObject", "uid", "uid-of-the-claim-before")
    assert look(broken(earlier, put(CLAIM, "metadata", "annotations", {})).seen())["claim-waited"].ok is False


@pytest.mark.parametrize("kind", [CLAIM, "Deployment", POD_KIND, PV_KIND, "StorageClass", "Node"])
def test_what_is_not_there_is_a_finding_and_no_crash(kind: str) -> None:
    findings = look(broken(lambda world: world.remove(kind)).seen())
    failed = [finding for finding in findings.values() if not finding.ok]
    assert failed, f"nobody misses the {kind}"
    assert all(finding.hint and finding.found for finding in failed)


def test_an_empty_cluster_fails_every_step_without_a_crash() -> None:
    findings = look(broken(lambda world: (world.things.clear(), world.volumes.clear())).seen())
    assert {finding.ok for finding in findings.values()} == {False}


def test_the_pod_on_its_way_out_does_not_stand_for_the_one_that_came_after() -> None:
    def replaced(world: World) -> None:
        second_pod(world)
        world.the(POD_KIND)["metadata"]["deletionTimestamp"] = "now"

    assert "kgg7b" not in look(broken(replaced).seen())["pod"].found


def test_commands_name_what_the_learner_has() -> None:
    seen = World().seen()
    commands = {step.key: step.command(seen) for step in STEPS}
    assert commands["claim-bound"] == "kubectl get pvc nfs-pvc"
    assert VOLUME in commands["attached"]
    assert not [command for command in commands.values() if "<" in command or "{" in command]


def test_commands_say_the_namespace_where_it_is_not_the_default() -> None:
    world = World()
    world.config["servers"] = '["team-a/nfs-server"]'
    world.outputs["servers"] = {"team-a/nfs-server": world.outputs["servers"]["nfs-server"]}
    for thing in world.things:
        if "namespace" in thing["metadata"]:
            thing["metadata"]["namespace"] = "team-a"
    seen = world.seen()
    assert [key for key, finding in look(seen).items() if not finding.ok] == []
    asked = [step.command(seen) for step in STEPS if step.key in ("claim-bound", "pod", "deployment")]
    assert all("-n team-a" in command for command in asked), asked
    assert seen.pod
    assert seen.pod["metadata"]["name"] == POD


def test_each_of_several_servers_is_judged_by_its_own_things() -> None:
    world = World()
    world.config["servers"] = '["nfs-server", "archive-server"]'
    first, second = world.snapshots()
    assert {finding.ok for finding in look(first).values()} == {True}
    verdicts = {key: finding.ok for key, finding in look(second).items()}
    assert verdicts.pop("default-class"), "the class is everybody's"
    assert set(verdicts.values()) == {False}, "the other one's things were taken for its own"


def test_what_the_exercise_says_is_what_the_program_does() -> None:
    assert steps_claim.PROVISIONER == storage_class.EBS_PROVISIONER
    assert steps_volume.NAME_PREFIX == storage_class.NAME_TAG_PREFIX
    assert gone.LAB_TAG == storage_class.LAB_TAG
    assert steps_server.EXPORTS == nfs_server.EXPORTS
