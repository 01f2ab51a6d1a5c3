"""The steps about the PersistentVolume, its EBS volume, and the stack's outputs about both."""

from collections.abc import Sequence
from math import ceil

from components.settings.conventions import EBS_DRIVER, ebs_volume_name
from components.settings.quantity import GIB, parse_quantity
from lab.reading.objects import at, instance_id_of, name_of, tags_of
from lab.reading.snapshot import Snapshot
from lab.steps import Finding, Step, judged, missing

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
ZONE = "topology.kubernetes.io/zone"
NO_VOLUME = (
    "EC2 has no volume {}",
    "somebody deleted it in EC2, and the data with it: delete the claim and the Deployment, then run pulumi up",
)


def persistent_volume(seen: Snapshot) -> Finding:
    """Judge whether the driver created the PersistentVolume for the claim."""
    if seen.pv is None:
        return missing(
            "there is no PersistentVolume for the claim",
            "it is created when a Pod wants the claim; see the claim's steps",
        )
    spec = seen.pv["spec"]
    by = at(seen.pv, "metadata", "annotations", PROVISIONED_BY)
    phase = at(seen.pv, "status", "phase")
    policy, handle = spec.get("persistentVolumeReclaimPolicy"), at(spec, "csi", "volumeHandle")
    same = at(spec, "claimRef", "uid") == at(seen.claim, "metadata", "uid")
    return judged(
        f"{name_of(seen.pv)}: made by {by or 'hand'}, {phase}, {policy}, {handle or 'no EBS handle'}",
        (
            by == EBS_DRIVER,
            f"the annotation {PROVISIONED_BY} does not say {EBS_DRIVER}: somebody made it by hand",
        ),
        (phase == "Bound" and same, f"it is not bound to this claim: kubectl describe pv {name_of(seen.pv)}"),
        (policy == "Delete", f"with {policy} the EBS volume stays, and costs, after the claim was deleted"),
        (str(handle).startswith("vol-"), "its spec.csi.volumeHandle has to be the id of an EBS volume"),
    )


def ebs_name(seen: Snapshot) -> Finding:
    """Judge the volume's Name tag."""
    if seen.volume is None:
        return _no_volume(seen)
    name = tags_of(seen.volume).get("Name")
    wanted = ebs_volume_name(name_of(seen.pv) or "pvc-")
    return judged(
        f"{seen.volume['VolumeId']} is called {name}" if name else f"{seen.volume['VolumeId']} has no Name",
        (
            (name or "").startswith(wanted),
            f"its tag Name has to be {wanted}, or nobody finds it in the console: the driver sets it from the class's "
            "parameter tagSpecification_1, and only when it creates the volume",
        ),
    )


def ebs_kind(seen: Snapshot) -> Finding:
    """Judge the volume's size, type and encryption."""
    if seen.volume is None:
        return _no_volume(seen)
    size, kind, encrypted = seen.volume["Size"], seen.volume["VolumeType"], seen.volume["Encrypted"]
    asked: str = at(seen.claim, "spec", "resources", "requests", "storage") or seen.expected_storage
    wanted = ceil(parse_quantity(asked) / GIB)
    return judged(
        f"{size} GiB, {kind}, {'encrypted' if encrypted else 'not encrypted'}",
        (size == wanted, f"the claim asks for {asked}, which is {wanted} GiB; kubectl describe pvc says what is wrong"),
        (kind == "gp3", "the class's parameter type says gp3: somebody changed the volume in EC2"),
        (
            encrypted is True,
            "a volume is encrypted at its creation or never: look at the class's parameter encrypted",
        ),
    )


def ebs_zone(seen: Snapshot) -> Finding:
    """Judge whether the volume is in its node's zone."""
    if seen.volume is None:
        return _no_volume(seen)
    if seen.node is None:
        return missing("the Pod is on no node", "see the Pod's step")
    there, here = seen.volume["AvailabilityZone"], at(seen.node, "metadata", "labels", ZONE)
    return judged(
        f"volume in {there}, {name_of(seen.node)} in {here}",
        (there == here, "an EBS volume can be attached in its own zone only: the Pod has to run on a node there"),
    )


def attached(seen: Snapshot) -> Finding:
    """Judge whether EC2 and Kubernetes both have the volume attached to the Pod's node."""
    if seen.volume is None:
        return _no_volume(seen)
    if seen.node is None:
        return missing("the Pod is on no node", "see the Pod's step")
    instance = instance_id_of(seen.node)
    at_instances = {one["InstanceId"]: one["State"] for one in seen.volume.get("Attachments") or ()}
    on_nodes = {at(one, "spec", "nodeName"): at(one, "status", "attached") is True for one in seen.attachments}
    node = name_of(seen.node)
    described = " and ".join(f"{state} to {id_}" for id_, state in at_instances.items()) or "attached to nothing"
    return judged(
        f"{described}; VolumeAttachment for {' and '.join(map(str, on_nodes)) or 'no node'}",
        (
            at_instances == {instance: "attached"},
            f"EC2 has to have it attached to {instance}, the instance of {node}: {_why_elsewhere(seen)}",
        ),
        (
            on_nodes == {node: True},
            f"Kubernetes has to hold it attached to {node}: kubectl describe volumeattachment tells what fails",
        ),
        (
            at(seen.instance, "State", "Name") == "running",
            f"EC2 has the instance {instance} as {at(seen.instance, 'State', 'Name') or 'deleted'}",
        ),
    )


def _why_elsewhere(seen: Snapshot) -> str:
    if seen.foreign_pods:
        return "the other Pod on the claim keeps it on its node, see the Pod's step"
    stale = " ".join(str(name_of(one)) for one in seen.attachments)
    first = f"kubectl delete volumeattachment {stale}, then " if stale else ""
    return (
        f"somebody detached it, or it is still on another instance. {first}kubectl delete pod {name_of(seen.pod)}"
        f"{seen.in_namespace}: the driver attaches it again for the next Pod"
    )


def outputs(seen: Snapshot) -> Finding:
    """Judge whether the stack's outputs name what exists: the server's, and for the first server those at the top."""
    if not seen.outputs:
        return missing(
            f"the stack has no outputs about {seen.server.label}",
            f"it was never up: run pulumi up --stack {seen.stack}",
        )
    really = {
        "claimName": name_of(seen.claim),
        "pvName": name_of(seen.pv),
        "volumeId": at(seen.pv, "spec", "csi", "volumeHandle"),
        "volumeName": ebs_volume_name(str(name_of(seen.pv))) if seen.pv else None,
        "nfsServerIp": at(seen.service, "spec", "clusterIP"),
    }
    told = [seen.outputs] if seen.top_outputs is None else [seen.outputs, seen.top_outputs]
    wrong = {key: out.get(key) for key in really for out in told if out.get(key) != really[key]}
    hint = ", ".join(f"{key} says {value}, and there is {really[key] or 'none'}" for key, value in wrong.items())
    return judged(
        f"{seen.outputs.get('claimName')}, {seen.outputs.get('pvName')}, {seen.outputs.get('volumeId')}",
        (not wrong, f"{hint}: run pulumi up --stack {seen.stack}, which looks again"),
    )


def _no_volume(seen: Snapshot) -> Finding:
    if seen.claim is not None and not at(seen.claim, "spec", "volumeName"):
        return missing("the claim has no volume yet", "see the claim's steps")
    id_ = at(seen.pv, "spec", "csi", "volumeHandle") or seen.outputs.get("volumeId")
    if id_ is None:
        return missing("no EBS volume is named anywhere", "see the PersistentVolume's step")
    return missing(NO_VOLUME[0].format(id_), NO_VOLUME[1])


_DESCRIBE = "aws ec2 describe-volumes --volume-ids {volume}"
STEPS: Sequence[Step[Snapshot]] = (
    Step(
        "persistent-volume",
        "The PersistentVolume was made for the claim",
        "kubectl describe pv {pv}",
        persistent_volume,
    ),
    Step(
        "ebs-name",
        "EC2 shows the volume by the PersistentVolume's name",
        _DESCRIBE + " --query 'Volumes[].Tags'",
        ebs_name,
    ),
    Step("ebs-kind", "It has the size, is gp3 and encrypted", _DESCRIBE, ebs_kind),
    Step(
        "ebs-zone",
        "It is in the zone of the Pod's node",
        "kubectl get node {node} -L topology.kubernetes.io/zone",
        ebs_zone,
    ),
    Step(
        "attached",
        "It is attached to the instance of the Pod's node",
        _DESCRIBE + " --query 'Volumes[].Attachments'",
        attached,
    ),
    Step("outputs", "The stack's outputs agree with all of it", "pulumi stack output --stack {stack}", outputs),
)
