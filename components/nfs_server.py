"""NfsServer: an NFS server on a dynamically provisioned volume: claim, Deployment, Service.

The module keeps to what Pulumi's component provider host can describe to other languages: plain annotations that
exist at run time, arguments named `args`, no unions.
"""

from collections.abc import Callable, Sequence
from typing import TypedDict

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    PersistentVolumeClaim,
    PersistentVolumeClaimPatch,
    PersistentVolumePatch,
    PodSpecArgsDict,
    Service,
)

from .settings.arguments import check_arguments
from .settings.conventions import (
    DEFAULT_IMAGE,
    DEFAULT_NAMESPACE,
    DEFAULT_STORAGE,
    EXPORTS,
    default_claim_name,
    ebs_volume_name,
)
from .settings.names import check_claim_name, check_image, check_namespace, check_service_name
from .settings.quantity import check_storage
from .workload import OVERRIDE, owner_reference, workload_options

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
# What a client of NFS version 3 or 4 needs to reach.
PORTS = {"nfs": 2049, "mountd": 20048, "rpcbind": 111}
# Kubernetes deletes a claim after the last Pod that uses it. `kubectl describe pvc` names that Pod, Pulumi does not.
FREE_TIMEOUT = "5m"


class NfsServerArgs(TypedDict, total=False):
    """The arguments of an NFS server. Each has a default."""

    server_name: pulumi.Input[str]
    """What the Deployment and the Service are called. Default: the component's own name."""
    namespace: pulumi.Input[str]
    """The namespace, which must exist. Default: default."""
    storage: pulumi.Input[str]
    """Size of the volume, a Kubernetes quantity from 1Gi to 16Ti. Default: 1Gi."""
    image: pulumi.Input[str]
    """The server's container image. Default: registry.k8s.io/e2e-test-images/volume/nfs:1.6.0."""
    claim_name: pulumi.Input[str]
    """What the claim is called. Default: the server's name without -server, then -pvc."""


class NfsServer(pulumi.ComponentResource):
    """An NFS server whose data outlives its pod.

    The claim names no class, so the cluster's default StorageClass makes the volume: depend on that class. The server
    is reached at `service_ip`, because nodes, which do the mounting, do not resolve the names of Services.

    Raises pulumi.RunError for a name, a quantity or an image that the cluster would refuse.
    """

    claim_name: pulumi.Output[str]
    """The PersistentVolumeClaim that holds the data."""
    pv_name: pulumi.Output[str]
    """The PersistentVolume that the claim is bound to; empty, as the next two, for a claim that no Pod uses yet."""
    volume_id: pulumi.Output[str]
    """The EBS volume behind it: vol-..."""
    volume_name: pulumi.Output[str]
    """The Name tag that the EC2 console shows for it."""
    service_ip: pulumi.Output[str]
    """The cluster IP that NFS clients mount from."""

    def __init__(self, name: str, args: NfsServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._read_args(name, args)
        super().__init__("storage-lab:index:NfsServer", name, None, opts)
        self.claim = self._create_claim()
        deployment = self._create_deployment(self.claim)
        service = self._create_service(deployment)
        self._label_volume(self.claim, deployment)
        self.service_ip = service.spec.cluster_ip
        self.register_outputs(
            {
                "claimName": self.claim_name,
                "pvName": self.pv_name,
                "volumeId": self.volume_id,
                "volumeName": self.volume_name,
                "serviceIp": self.service_ip,
            }
        )

    def stack_outputs(self) -> dict[str, pulumi.Output[str]]:
        """Return what a stack shows of the server, by the name of the output."""
        return {
            "pvName": self.pv_name,
            "volumeId": self.volume_id,
            "volumeName": self.volume_name,
            "claimName": self.claim_name,
            "nfsServerIp": self.service_ip,
        }

    def _read_args(self, name: str, args: NfsServerArgs) -> None:
        check_arguments("NfsServer", name, args, NfsServerArgs)

        def checked(what: str, value: pulumi.Input[str], check: Callable[[str], str]) -> pulumi.Input[str]:
            """Check a known value now, before anything is registered, and an output as soon as it is known."""

            def checked_text(text: object) -> str:
                try:
                    if not isinstance(text, str):  # the value of an output
                        raise ValueError("is not a text")
                    return check(text)
                except ValueError as error:
                    raise pulumi.RunError(f"NfsServer {name}: the {what} {text!r} {error}") from None

            return _applied(value, checked_text)

        self._server = checked("name", args.get("server_name", name), check_service_name)
        self._namespace = checked("namespace", args.get("namespace", DEFAULT_NAMESPACE), check_namespace)
        self._storage = checked("storage", args.get("storage", DEFAULT_STORAGE), check_storage)
        self._image = checked("image", args.get("image", DEFAULT_IMAGE), check_image)
        default_claim = _applied(self._server, default_claim_name)
        self._claim = checked("claim name", args.get("claim_name", default_claim), check_claim_name)
        # The pod's only label, the lab's own; the server's name tells two in one namespace apart.
        self._labels = {"role": self._server}

    def _create_claim(self) -> PersistentVolumeClaim:
        return PersistentVolumeClaim(
            self._name,
            metadata={
                "name": self._claim,
                "namespace": self._namespace,
                "labels": self._labels,
                # Of a class that waits for its first consumer, Pulumi waits for a claim to be Pending. One that is
                # bound already, because it grows or its state was lost, never will be again.
                "annotations": SKIP_AWAIT,
            },
            spec={"access_modes": ["ReadWriteOnce"], "resources": {"requests": {"storage": self._storage}}},
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                custom_timeouts=pulumi.CustomTimeouts(delete=FREE_TIMEOUT),
            ),
        )

    def _create_deployment(self, claim: PersistentVolumeClaim) -> Deployment:
        return Deployment(
            self._name,
            metadata={
                "name": self._server,
                "namespace": self._namespace,
                "labels": self._labels,
                "annotations": OVERRIDE,
                "owner_references": [owner_reference(claim)],
            },
            spec={
                "replicas": 1,
                "selector": {"match_labels": self._labels},
                # A rolling update would start the new pod while the old one still has the volume, perhaps elsewhere.
                "strategy": {"type": "Recreate"},
                "template": {"metadata": {"labels": self._labels}, "spec": self._pod()},
            },
            opts=workload_options(self, [claim]),
        )

    def _pod(self) -> PodSpecArgsDict:
        container: ContainerArgsDict = {
            "name": "nfs-server",
            "image": self._image,
            "ports": [{"name": port, "container_port": number} for port, number in PORTS.items()],
            # The server runs in the node's kernel: without this it cannot start it, and still looks like running.
            "security_context": {"privileged": True},
            "readiness_probe": {"tcp_socket": {"port": PORTS["nfs"]}},
            "volume_mounts": [{"name": "data", "mount_path": EXPORTS}],
        }
        return {
            "containers": [container],
            "volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": self._claim}}],
        }

    def _create_service(self, deployment: Deployment) -> Service:
        return Service(
            self._name,
            metadata={
                "name": self._server,
                "namespace": self._namespace,
                "labels": self._labels,
                # Pulumi watches the endpoints of a Service for ten quiet seconds. The Deployment has said already that
                # its pod is ready, and the address is there when the Service is.
                "annotations": SKIP_AWAIT,
            },
            spec={
                "selector": self._labels,
                "ports": [{"name": port, "port": number} for port, number in PORTS.items()],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment], delete_before_replace=True),
        )

    def _label_volume(self, claim: PersistentVolumeClaim, deployment: Deployment) -> None:
        """Put the server's label on the volume that was created for the claim, and so learn the volume's name.

        Pulumi records a claim as it is at its creation: before its Pod, so without a volume. A patch, made when the Pod
        runs, answers with the object as it is then. A read would answer the same, but Pulumi repeats it in every later
        update, and writes the whole state before and after it. A patch that changes nothing costs nothing.
        """
        # Another claim of the same name has another volume, and the first Pod gives a claim its first one.
        made = pulumi.Output.all(claim.metadata.uid, deployment.spec.replicas).apply(_maker_of_volume)
        when = pulumi.ResourceOptions(parent=self, depends_on=[deployment], replacement_trigger=made)
        bound = PersistentVolumeClaimPatch(
            self._name,
            metadata={"name": self._claim, "namespace": self._namespace, "annotations": SKIP_AWAIT},
            opts=when,
        )

        def volume_id(pv_name: object) -> pulumi.Input[str]:
            if not pv_name:
                return ""
            # The provider refuses a patch of an unknown name, also in a preview, where it patches nothing.
            known = pv_name if isinstance(pv_name, str) else "known-once-the-claim-is-bound"
            volume = PersistentVolumePatch(self._name, metadata={"name": known, "labels": self._labels}, opts=when)
            return volume.spec.csi.volume_handle

        self.claim_name = bound.metadata.name
        self.pv_name = bound.spec.volume_name.apply(lambda name: name or "")
        # Registered in an apply, because there is nothing to patch where the claim has no volume.
        self.volume_id = bound.spec.volume_name.apply(volume_id, run_with_unknowns=True)
        self.volume_name = self.pv_name.apply(lambda name: ebs_volume_name(name) if name else "")


def _maker_of_volume(of: Sequence[object]) -> str:
    claim_uid, replicas = of
    return f"{claim_uid}" if replicas else f"{claim_uid}, without a Pod"


def _applied(value: pulumi.Input[str], function: Callable[[str], str]) -> pulumi.Input[str]:
    return function(value) if isinstance(value, str) else pulumi.Output.from_input(value).apply(function)
