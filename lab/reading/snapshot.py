"""Reads what Kubernetes and EC2 say about each NFS server, all at once, so that every step judges the same moment.

`lab verify` and `lab status` look once, and ask Kubernetes through kubectl. It is the command that the learner types,
it follows the kubeconfig's credential plugin on both targets, and one call brings all kinds within a tenth of a second.
`lab watch` follows the same kinds (follow.py). The JSON is kept as it is: a typed client would drop fields that a step
wants to show, such as managedFields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from components.settings import ServerSettings
from components.settings.conventions import DEFAULT_SNAPSHOT_CLASS, EBS_DRIVER
from lab.reading.background import start
from lab.reading.ec2 import Ec2Ids, Ec2Reader, Ec2Seen
from lab.reading.kubectl import Kubectl
from lab.reading.objects import Thing, at, instance_id_of, name_of
from lab.reading.stack import Stack
from lab.reading.things import KINDS, SNAPSHOT_KINDS, Things, for_kubectl


@dataclass(frozen=True)
class CopyOfClaim:
    """A VolumeSnapshot of the server's claim; what stands for it in Kubernetes, and the EBS snapshot in EC2.

    `lost` says that EC2 was asked for the EBS snapshot and does not have it.
    """

    wish: Thing
    content: Thing | None
    ebs: Thing | None
    lost: bool

    @property
    def handle(self) -> str:
        return at(self.content, "status", "snapshotHandle") or ""


@dataclass(frozen=True)
class Snapshot:
    """Everything about one server. What does not exist is None, or an empty list.

    `foreign_pods` are other Pods that use the server's claim. `endpoints` are where the Service leads, as its
    EndpointSlices have them. `expected_storage` is the configured size, a Kubernetes quantity. `outputs` are the
    server's own, `top_outputs` those of the stack where this is its first server, else None. `copies` are the
    snapshots of its claim.
    """

    stack: str
    target: str
    server: ServerSettings
    expected_storage: str
    outputs: Mapping[str, Any]
    top_outputs: Mapping[str, Any] | None = None
    claim: Thing | None = None
    classes: Sequence[Thing] = ()
    deployment: Thing | None = None
    pods: Sequence[Thing] = ()
    foreign_pods: Sequence[Thing] = ()
    service: Thing | None = None
    endpoints: Sequence[Thing] = ()
    pv: Thing | None = None
    attachments: Sequence[Thing] = ()
    node: Thing | None = None
    volume: Thing | None = None
    copies: Sequence[CopyOfClaim] = ()
    snapshot_classes: Sequence[Thing] = ()
    instance: Thing | None = None
    events: Sequence[Thing] = ()

    @property
    def pod(self) -> Thing | None:
        """The Pod that counts: one that is not being deleted, if there is one."""
        staying = [pod for pod in self.pods if not at(pod, "metadata", "deletionTimestamp")]
        return next(iter([*staying, *self.pods]), None)

    @property
    def in_namespace(self) -> str:
        """The end of a kubectl command about something in the server's namespace."""
        return "" if self.server.namespace == "default" else f" -n {self.server.namespace}"

    @property
    def names(self) -> Mapping[str, str]:
        """The names for a step's command. A name that is not known yet stays in angle brackets."""
        return {
            "stack": self.stack,
            "n": self.in_namespace,
            "server": self.server.name,
            "claim": self.server.claim_name,
            "pv": name_of(self.pv) or "<pv>",
            "node": name_of(self.node) or "<node>",
            "volume": at(self.pv, "spec", "csi", "volumeHandle") or self.outputs.get("volumeId") or "<volume>",
        }

    def events_of(self, thing: Thing | None) -> list[Thing]:
        """Return the events about this very object, not those about an earlier one of its name."""
        uid = at(thing, "metadata", "uid")
        return [event for event in self.events if uid and at(event, "involvedObject", "uid") == uid]

    def last_warning(self, *things: Thing | None) -> str:
        """Return the latest warning of Kubernetes about these objects, as the end of a sentence; empty if none."""
        warnings = [event for thing in things for event in self.events_of(thing) if event.get("type") == "Warning"]
        if not warnings:
            return ""
        latest = max(warnings, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
        return f" (Kubernetes: {latest.get('reason')}: {latest.get('message')})"


def take_snapshots(stack: Stack, kubectl: Kubectl, ec2: Ec2Reader) -> list[Snapshot]:
    """Return a snapshot for every server of the configuration, in its order.

    Raises LabError where Kubernetes or EC2 does not answer.
    """
    # The two questions at once take as long as the first.
    asks_for_snapshots = partial(kubectl.list, for_kubectl(SNAPSHOT_KINDS), optional=True)
    optional = start(asks_for_snapshots) if stack.settings.snapshots else None
    things = Things([*kubectl.list(for_kubectl(KINDS)), *(optional.result() if optional else ())])
    return snapshots(stack, things, ec2.see(ec2_ids(stack, things)))


def ec2_ids(stack: Stack, things: Things) -> Ec2Ids:
    """Return the ids of the servers' volumes, of the instances that are nodes, and of the snapshots."""
    volumes = {_volume_id(_pv(stack, server, things), _outputs(stack, server)) for server in stack.settings.servers}
    instances = {instance_id_of(node) for node in things.of("Node")}
    snapshots = {at(one, "status", "snapshotHandle") for one in things.of("VolumeSnapshotContent")}
    return Ec2Ids(*({id_ for id_ in ids if id_} for ids in (volumes, instances, snapshots)))


def snapshots(stack: Stack, things: Things, ec2: Ec2Seen) -> list[Snapshot]:
    """Return a snapshot for every server, from objects that were read already."""
    return [
        _snapshot(stack, server, things, ec2, first=index == 0) for index, server in enumerate(stack.settings.servers)
    ]


def _snapshot(stack: Stack, server: ServerSettings, things: Things, ec2: Ec2Seen, *, first: bool) -> Snapshot:
    outputs = _outputs(stack, server)
    deployment = things.named("Deployment", server.name, server.namespace)
    claim = things.named("PersistentVolumeClaim", server.claim_name, server.namespace)
    pods = things.pods_made_by(server.namespace, server.name)
    pv = _pv(stack, server, things)
    attachments = things.attachments_of(name_of(pv))
    placed = [at(pod, "spec", "nodeName") for pod in pods if at(pod, "spec", "nodeName")]
    node = things.named("Node", placed[0]) if placed else None
    volume = ec2.volumes.get(_volume_id(pv, outputs) or "")
    # Between two Pods the volume is still attached to the instance of the last one.
    attached = [] if placed else [one["InstanceId"] for one in at(volume, "Attachments") or ()]
    service = things.named("Service", server.name, server.namespace)
    return Snapshot(
        stack=stack.name,
        target=stack.settings.target,
        server=server,
        expected_storage=stack.settings.storage,
        outputs=outputs,
        top_outputs=stack.outputs if first else None,
        claim=claim,
        classes=things.of("StorageClass"),
        deployment=deployment,
        pods=pods,
        foreign_pods=[pod for pod in things.pods_on(server.namespace, server.claim_name) if pod not in pods],
        service=service,
        endpoints=[
            endpoint
            for one in things.slices_of(server.namespace, server.name)
            for endpoint in one.get("endpoints") or ()
        ],
        pv=pv,
        attachments=attachments,
        node=node,
        volume=volume,
        copies=[_copy(one, things, ec2) for one in things.snapshots_of(server.namespace, server.claim_name)],
        snapshot_classes=things.of("VolumeSnapshotClass"),
        instance=ec2.instances.get(next(iter(attached), None) or instance_id_of(node) or ""),
        events=things.events_of(deployment, *pods, claim, pv, *attachments, node, service),
    )


def _copy(wish: Thing, things: Things, ec2: Ec2Seen) -> CopyOfClaim:
    content = things.named("VolumeSnapshotContent", at(wish, "status", "boundVolumeSnapshotContentName"))
    handle: str = at(content, "status", "snapshotHandle") or ""
    ebs = ec2.snapshots.get(handle)
    return CopyOfClaim(wish, content, ebs, lost=handle in ec2.snapshots and ebs is None)


def snapshot_class(classes: Sequence[Thing]) -> str | None:
    """Return the VolumeSnapshotClass for EBS volumes: the default one, if there is one; None where there is none."""
    ours = [one for one in classes if one.get("driver") == EBS_DRIVER]
    default = [one for one in ours if at(one, "metadata", "annotations", DEFAULT_SNAPSHOT_CLASS) == "true"]
    return next((name_of(one) for one in [*default, *ours]), None)


def _outputs(stack: Stack, server: ServerSettings) -> Mapping[str, Any]:
    return at(stack.outputs, "servers", server.label) or {}


def _pv(stack: Stack, server: ServerSettings, things: Things) -> Thing | None:
    claim = things.named("PersistentVolumeClaim", server.claim_name, server.namespace)
    name = at(claim, "spec", "volumeName") or _outputs(stack, server).get("pvName")
    return things.named("PersistentVolume", name)


def _volume_id(pv: Thing | None, outputs: Mapping[str, Any]) -> str | None:
    return at(pv, "spec", "csi", "volumeHandle") or outputs.get("volumeId")
