"""Reads what Kubernetes and EC2 say about each NFS server, all at once, so that every step judges the same moment.

Kubernetes is asked through kubectl. It is the command that the learner types, it follows the kubeconfig's credential
plugin on both targets, and one call brings all kinds within a tenth of a second. Its JSON is kept as it is: a typed
client would drop fields that a step wants to show, such as managedFields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.access.lookups import claims_used_by
from components.settings import ServerSettings
from components.settings.conventions import SNAPSHOT_GROUP
from lab.reading.ec2 import Ec2Reader
from lab.reading.kubectl import Kubectl
from lab.reading.objects import Thing, at, instance_id_of, name_of
from lab.reading.stack import Stack

KINDS = "pvc,deployments,pods,services,endpointslices,pv,volumeattachments,storageclasses,nodes,events"
OF_SNAPSHOTS = "volumesnapshots,volumesnapshotcontents"
SERVICE_OF = "kubernetes.io/service-name"


@dataclass(frozen=True)
class CopyOfClaim:
    """A VolumeSnapshot of the server's claim; what stands for it in Kubernetes, and the EBS snapshot in EC2."""

    wish: Thing
    content: Thing | None
    ebs: Thing | None

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
    instance: Thing | None = None
    events: Sequence[Thing] = ()
    copies: Sequence[CopyOfClaim] = ()

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
    of_snapshots = stack.settings.snapshots and kubectl.knows(SNAPSHOT_GROUP)
    things = kubectl.list(f"{KINDS},{OF_SNAPSHOTS}" if of_snapshots else KINDS)
    return [
        _snapshot(stack, server, things, ec2, first=index == 0) for index, server in enumerate(stack.settings.servers)
    ]


def _snapshot(
    stack: Stack, server: ServerSettings, things: Sequence[Thing], ec2: Ec2Reader, *, first: bool
) -> Snapshot:
    def those(kind: str) -> list[Thing]:
        return [thing for thing in things if thing["kind"] == kind]

    def named(kind: str, name: str | None, namespace: str | None = None) -> Thing | None:
        return next((one for one in those(kind) if _is(one, name, namespace)), None) if name else None

    outputs: Mapping[str, Any] = stack.outputs["servers"].get(server.label) or {}
    claim = named("PersistentVolumeClaim", server.claim_name, server.namespace)
    pods = [pod for pod in those("Pod") if _belongs(pod, server)]
    pv = named("PersistentVolume", at(claim, "spec", "volumeName") or outputs.get("pvName"))
    attachments = [
        one for one in those("VolumeAttachment")
        if pv and at(one, "spec", "source", "persistentVolumeName") == name_of(pv)
    ]  # fmt: skip
    node = named("Node", next((at(pod, "spec", "nodeName") for pod in pods if at(pod, "spec", "nodeName")), None))
    return Snapshot(
        stack=stack.name,
        target=stack.settings.target,
        server=server,
        expected_storage=stack.settings.storage,
        outputs=outputs,
        top_outputs=stack.outputs if first else None,
        claim=claim,
        classes=those("StorageClass"),
        deployment=named("Deployment", server.name, server.namespace),
        pods=pods,
        foreign_pods=[pod for pod in those("Pod") if pod not in pods and _uses_claim(pod, server)],
        service=named("Service", server.name, server.namespace),
        endpoints=[
            endpoint
            for one in those("EndpointSlice")
            if at(one, "metadata", "namespace") == server.namespace
            and at(one, "metadata", "labels", SERVICE_OF) == server.name
            for endpoint in one.get("endpoints") or ()
        ],
        pv=pv,
        attachments=attachments,
        node=node,
        volume=ec2.volume(at(pv, "spec", "csi", "volumeHandle") or outputs.get("volumeId")),
        instance=ec2.instance(instance_id_of(node)),
        events=those("Event"),
        copies=[
            CopyOfClaim(
                wish,
                content := named("VolumeSnapshotContent", at(wish, "status", "boundVolumeSnapshotContentName")),
                ec2.snapshot(at(content, "status", "snapshotHandle")),
            )
            for wish in those("VolumeSnapshot")
            if at(wish, "metadata", "namespace") == server.namespace
            and at(wish, "spec", "source", "persistentVolumeClaimName") == server.claim_name
        ],
    )


def _is(thing: Thing, name: str | None, namespace: str | None) -> bool:
    return name_of(thing) == name and (namespace is None or at(thing, "metadata", "namespace") == namespace)


def _belongs(pod: Thing, server: ServerSettings) -> bool:
    """Return whether the server's Deployment made the Pod: by the ReplicaSet's name, because the label is judged."""
    owners: list[Thing] = at(pod, "metadata", "ownerReferences") or []
    return at(pod, "metadata", "namespace") == server.namespace and any(
        owner["kind"] == "ReplicaSet" and owner["name"].rpartition("-")[0] == server.name for owner in owners
    )


def _uses_claim(pod: Thing, server: ServerSettings) -> bool:
    return at(pod, "metadata", "namespace") == server.namespace and server.claim_name in claims_used_by(pod)
