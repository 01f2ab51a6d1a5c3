"""What Kubernetes and EC2 say about one NFS server, gathered once, so that every step judges the same moment.

Kubernetes is asked through kubectl, and its JSON kept as it is: it is the command that the learner types, it follows
the kubeconfig's credential plugin on both targets, one call brings all kinds within a tenth of a second, and no typed
client in between drops a field that a step wants to show (managedFields, for one).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.settings import ServerSettings
from lab.errors import CannotLook
from lab.reading.kubectl import Kubectl
from lab.reading.objects import at
from lab.reading.stack import Stack

KINDS = "pvc,deployments,pods,services,endpointslices,pv,volumeattachments,storageclasses,nodes,events"
SERVICE_OF = "kubernetes.io/service-name"
ENDED = ("Succeeded", "Failed")

Thing = dict[str, Any]
"""A Kubernetes object as kubectl prints it in JSON, or an EC2 one as boto3 parses it."""


@dataclass(frozen=True)
class Snapshot:
    """Everything about one server. What is not there is None, or an empty list.

    `pod` is the one of `pods` that counts: one that is not on its way out, if there is one. `strangers` are Pods of
    somebody else on the server's claim. `endpoints` are where the Service leads, as its EndpointSlices have them.
    `expected_storage` is the configured size, a Kubernetes quantity. `outputs` are the server's own, `top_outputs`
    those of the stack where this is its first server, else None.
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
    strangers: Sequence[Thing] = ()
    service: Thing | None = None
    endpoints: Sequence[Thing] = ()
    pv: Thing | None = None
    attachments: Sequence[Thing] = ()
    node: Thing | None = None
    volume: Thing | None = None
    instance: Thing | None = None
    events: Sequence[Thing] = field(default=())

    @property
    def pod(self) -> Thing | None:
        staying = [pod for pod in self.pods if not at(pod, "metadata", "deletionTimestamp")]
        return next(iter([*staying, *self.pods]), None)

    @property
    def n(self) -> str:
        """The end of a kubectl command about something in the server's namespace."""
        return "" if self.server.namespace == "default" else f" -n {self.server.namespace}"

    def events_of(self, thing: Thing | None) -> list[Thing]:
        """What was reported about this very object, not about an earlier one of its name."""
        uid = at(thing, "metadata", "uid")
        return [event for event in self.events if uid and at(event, "involvedObject", "uid") == uid]


def gather(stack: Stack, kubectl: Kubectl, in_ec2: "InEc2") -> list[Snapshot]:
    """A snapshot for every server of the configuration, in its order.

    Raises CannotLook where Kubernetes or EC2 does not answer.
    """
    things = kubectl.list(KINDS)
    return [
        _snapshot(stack, server, things, in_ec2, first=index == 0)
        for index, server in enumerate(stack.settings.servers)
    ]


class InEc2:
    """Looks up what Kubernetes names: one client for all servers."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def of(cls, stack: Stack) -> "InEc2":
        """On AWS with the credentials of the shell; the local EC2 API knows no users."""
        if endpoint := stack.outputs.get("ec2Endpoint"):
            return cls.at_endpoint(endpoint, stack.settings.region)
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            session: Any = boto3.Session(region_name=stack.settings.region)
            return cls(session.client("ec2"))
        except BotoCoreError as error:  # a profile of the shell's that does not exist, for one
            raise CannotLook(f"the EC2 API cannot be asked: {error}") from None

    @classmethod
    def at_endpoint(cls, endpoint: str, region: str) -> "InEc2":
        """The EC2 API of a local cloud. Nothing of the shell's takes part."""
        from localcloud.csi.ec2 import ec2_client

        return cls(ec2_client(endpoint, region))

    def volume(self, id_: str | None) -> Thing | None:
        return next(iter(self._volumes("volume-id", id_)), None) if id_ else None

    def tagged(self, key: str, value: str) -> list[Thing]:
        """The volumes that carry the tag, those excepted that are gone."""
        return [volume for volume in self._volumes(f"tag:{key}", value) if volume["State"] != "deleted"]

    def instance(self, id_: str | None) -> Thing | None:
        if not id_:
            return None
        pages = self._pages("describe_instances", "instance-id", id_)
        found = [one for page in pages for reservation in page["Reservations"] for one in reservation["Instances"]]
        return next((one for one in found if one["InstanceId"] == id_), None)

    def _volumes(self, name: str, value: str) -> list[Thing]:
        return [volume for page in self._pages("describe_volumes", name, value) for volume in page["Volumes"]]

    def _pages(self, operation: str, name: str, value: str) -> list[Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return list(self._client.get_paginator(operation).paginate(Filters=[{"Name": name, "Values": [value]}]))
        except (BotoCoreError, ClientError) as error:
            raise CannotLook(f"the EC2 API does not answer: {str(error).strip()}") from None


def _snapshot(stack: Stack, server: ServerSettings, things: Sequence[Thing], in_ec2: InEc2, *, first: bool) -> Snapshot:
    def those(kind: str) -> list[Thing]:
        return [thing for thing in things if thing["kind"] == kind]

    def named(kind: str, name: str | None, namespace: str | None = None) -> Thing | None:
        return next((one for one in those(kind) if _is(one, name, namespace)), None) if name else None

    outputs: Mapping[str, Any] = stack.outputs["servers"].get(server.label) or {}
    deployment = named("Deployment", server.name, server.namespace)
    claim = named("PersistentVolumeClaim", server.claim_name, server.namespace)
    pods = [pod for pod in those("Pod") if _belongs(pod, server)]
    pv = named("PersistentVolume", at(claim, "spec", "volumeName") or outputs.get("pvName"))
    attachments = [
        one for one in those("VolumeAttachment")
        if pv and at(one, "spec", "source", "persistentVolumeName") == at(pv, "metadata", "name")
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
        deployment=deployment,
        pods=pods,
        strangers=[pod for pod in those("Pod") if pod not in pods and _uses(pod, server)],
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
        volume=in_ec2.volume(at(pv, "spec", "csi", "volumeHandle") or outputs.get("volumeId")),
        instance=in_ec2.instance(instance_id_of(node)),
        events=those("Event"),
    )


def instance_id_of(node: Thing | None) -> str | None:
    """The EC2 instance that a Node says it is."""
    provider_id: str = at(node, "spec", "providerID") or ""
    return provider_id.rpartition("/")[2] or None


def _is(thing: Thing, name: str | None, namespace: str | None) -> bool:
    return at(thing, "metadata", "name") == name and (
        namespace is None or at(thing, "metadata", "namespace") == namespace
    )


def _belongs(pod: Thing, server: ServerSettings) -> bool:
    """Whether the server's Deployment made the pod: by the ReplicaSet's name, for the label is what is judged."""
    owners: list[Thing] = at(pod, "metadata", "ownerReferences") or []
    return at(pod, "metadata", "namespace") == server.namespace and any(
        owner["kind"] == "ReplicaSet" and owner["name"].rpartition("-")[0] == server.name for owner in owners
    )


def _uses(pod: Thing, server: ServerSettings) -> bool:
    """Whether the pod holds the server's claim: one that has ended holds nothing any more."""
    volumes: list[Thing] = at(pod, "spec", "volumes") or []
    return (
        at(pod, "metadata", "namespace") == server.namespace
        and at(pod, "status", "phase") not in ENDED
        and any(at(volume, "persistentVolumeClaim", "claimName") == server.claim_name for volume in volumes)
    )
