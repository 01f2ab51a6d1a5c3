"""NfsServer: an NFS server on a dynamically provisioned volume: claim, Deployment, Service.

The module keeps to what Pulumi's component provider host can describe to other languages: plain annotations that
exist at run time, arguments named `args`, no unions.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    PersistentVolumeClaim,
    PersistentVolumeClaimPatch,
    PersistentVolumeClaimSpecArgsDict,
    PersistentVolumePatch,
    PodSpecArgsDict,
    ResourceRequirementsArgsDict,
    Service,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict, ObjectMetaPatchArgsDict

from .bound_volume import NO_VOLUME, BoundVolume, bound_volume, capacity, maker_of_volume, source, warn_of_other_data
from .nfs_server_args import NfsServerArgs
from .settings.arguments import applied, check_arguments, checked_text, merged
from .settings.conventions import (
    DEFAULT_IMAGE,
    DEFAULT_NAMESPACE,
    DEFAULT_STORAGE,
    EXPORTS,
    SNAPSHOT_GROUP,
    default_claim_name,
)
from .settings.names import check_claim_name, check_image, check_namespace, check_service_name
from .settings.quantity import check_storage
from .workload import OVERRIDE, owner_reference, workload_options

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
# What a client of NFS version 3 or 4 needs to reach.
PORTS = {"nfs": 2049, "mountd": 20048, "rpcbind": 111}
# Kubernetes deletes a claim after the last Pod that uses it. `kubectl describe pvc` names that Pod, Pulumi does not.
FREE_TIMEOUT = "5m"
# The address of the server that created an object. Pulumi creates with server-side apply, which would take over another
# server's object of the same name, and a destroy would delete it. The API server refuses, because the values differ.
OWNER = "storage-lab/owner"
# An object keeps its owner: an alias gives the server another address, and objects of version 0.3 have no owner.
KEEPS_OWNER = [f'metadata.annotations["{OWNER}"]']
# What an existing claim has already.
OF_OWN_CLAIM = ("claim_name", "storage", "storage_class", "from_snapshot")
# A claim gets its data once. It outlives the snapshot, and Kubernetes refuses another source.
KEEPS_SOURCE = ["spec.dataSource"]


class NfsServer(pulumi.ComponentResource):
    """An NFS server whose data outlives its pod: a claim, a Deployment and a Service.

    The class of the claim makes the volume: depend on that class. The server is reached at its service IP, because
    nodes, which do the mounting, do not resolve the names of Services. The claim is protected: Pulumi refuses to delete
    it until `protect` is false.

    A name, a quantity or an image that the cluster would refuse is an error before anything is created.
    """

    claim_name: pulumi.Output[str]
    """The PersistentVolumeClaim that holds the data."""
    pv_name: pulumi.Output[str]
    """The PersistentVolume that the claim is bound to; empty for a claim that no Pod uses yet."""
    volume_id: pulumi.Output[str]
    """The volume behind it, as its driver names it: vol-... on EBS; empty where no CSI driver has made it."""
    volume_name: pulumi.Output[str]
    """The Name tag that EbsStorageClass gives it in EC2; empty where the volume is not on EBS."""
    service_ip: pulumi.Output[str]
    """The cluster IP that NFS clients mount from."""

    def __init__(self, name: str, args: NfsServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.capacity: pulumi.Output[str]  # the size that the claim has; other languages do not see it
        self._read_args(name, args)
        super().__init__("storage-lab:index:NfsServer", name, None, opts)
        self.claim = None if "existing_claim" in args else self._create_claim()
        deployment = self._create_deployment()
        service = self._create_service(deployment)
        self._label_volume(deployment)
        # Known once the Service is. A preview knows no address where the Service's namespace does not exist yet, and
        # says None for it, which what mounts from the server would be refused for.
        self.service_ip = pulumi.Output.all(service.id, service.spec.cluster_ip).apply(lambda known: known[1])
        self.register_outputs(
            {
                "claimName": self.claim_name,
                "pvName": self.pv_name,
                "volumeId": self.volume_id,
                "volumeName": self.volume_name,
                "serviceIp": self.service_ip,
            }
        )

    @property
    def own_claim(self) -> PersistentVolumeClaim:
        """Return the claim that the server created.

        Raises pulumi.RunError where it uses an existing one.
        """
        if self.claim is None:
            raise pulumi.RunError(f"NfsServer {self._name} uses an existing claim, so it has none of its own")
        return self.claim

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
        if "existing_claim" in args and (own := [key for key in OF_OWN_CLAIM if key in args]):
            raise pulumi.RunError(f"NfsServer {name}: {', '.join(own)} and existing_claim exclude each other; give one")

        checked = partial(checked_text, "NfsServer", name)
        self._server = checked("name", args.get("server_name", name), check_service_name)
        self._namespace = checked("namespace", args.get("namespace", DEFAULT_NAMESPACE), check_namespace)
        self._storage = checked("storage", args.get("storage", DEFAULT_STORAGE), check_storage)
        self._image = checked("image", args.get("image", DEFAULT_IMAGE), check_image)
        default_claim = args.get("existing_claim", applied(self._server, default_claim_name))
        self._claim = checked("claim name", args.get("claim_name", default_claim), check_claim_name)
        self._class = (
            checked("storage class", args["storage_class"], check_claim_name) if "storage_class" in args else None
        )
        self._snapshot = (
            checked("snapshot", args["from_snapshot"], check_claim_name) if "from_snapshot" in args else None
        )
        self._protects_claim = args.get("protect", True)
        self._given = args
        # The pod's only label in the lab; the server's name tells two in one namespace apart.
        self._labels = {"role": self._server}

    def _metadata(
        self, name: pulumi.Input[str] | None = None, annotations: Mapping[str, pulumi.Input[str]] | None = None
    ) -> ObjectMetaArgsDict:
        """Return the metadata of an object, or of the Pod without a name: the user's, and what the component needs."""
        metadata: ObjectMetaArgsDict = {"labels": merged(self._given.get("labels"), self._labels)}
        if name is not None:
            metadata["name"], metadata["namespace"] = name, self._namespace
        if annotations or "annotations" in self._given:
            metadata["annotations"] = merged(self._given.get("annotations"), annotations or {})
        return metadata

    def _owner(self) -> pulumi.Output[str]:
        """Return the server's address in the state, without what `urn` depends on: the children that it is for."""
        return pulumi.Output.from_input(self.urn.future()).apply(str)

    def _create_claim(self) -> PersistentVolumeClaim:
        spec: PersistentVolumeClaimSpecArgsDict = {
            "access_modes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": self._storage}},
        }
        if self._class is not None:  # even an empty name would keep the default class from being used
            spec["storage_class_name"] = self._class
        if self._snapshot is not None:
            spec["data_source"] = {"api_group": SNAPSHOT_GROUP, "kind": "VolumeSnapshot", "name": self._snapshot}
        return PersistentVolumeClaim(
            self._name,
            # Of a class that waits for its first consumer, Pulumi waits for a claim to be Pending. One that is bound
            # already, because it grows or its state was lost, never will be again.
            metadata=self._metadata(self._claim, {**SKIP_AWAIT, OWNER: self._owner()}),
            spec=spec,
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=[*KEEPS_OWNER, *KEEPS_SOURCE],
                # In a program that is merely reorganised, a claim without its alias would be deleted.
                protect=self._protects_claim,
                delete_before_replace=True,
                custom_timeouts=pulumi.CustomTimeouts(delete=FREE_TIMEOUT),
            ),
        )

    def _create_deployment(self) -> Deployment:
        metadata = self._metadata(self._server, OVERRIDE)
        if self.claim:
            metadata["owner_references"] = [owner_reference(self.claim)]
        return Deployment(
            self._name,
            metadata=metadata,
            spec={
                "replicas": 1,
                "selector": {"match_labels": self._labels},
                # A rolling update would start the new pod while the old one still has the volume, perhaps elsewhere.
                "strategy": {"type": "Recreate"},
                "template": {"metadata": self._metadata(), "spec": self._pod()},
            },
            opts=workload_options(self, [self.claim] if self.claim else []),
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
        given: Any = self._given  # outputs are accepted at every depth
        if resources := {key: given[key] for key in ("requests", "limits") if key in given}:
            container["resources"] = cast(ResourceRequirementsArgsDict, resources)
        pod: PodSpecArgsDict = {
            "containers": [container],
            "volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": self._claim}}],
        }
        if "node_selector" in given:
            pod["node_selector"] = given["node_selector"]
        if "tolerations" in given:
            pod["tolerations"] = given["tolerations"]
        return pod

    def _create_service(self, deployment: Deployment) -> Service:
        return Service(
            self._name,
            # Pulumi watches the endpoints of a Service for ten quiet seconds. The Deployment has said already that its
            # pod is ready, and the address is there when the Service is.
            metadata=self._metadata(self._server, {**SKIP_AWAIT, OWNER: self._owner()}),
            spec={
                "selector": self._labels,
                "ports": [{"name": port, "port": number} for port, number in PORTS.items()],
            },
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[deployment], delete_before_replace=True, ignore_changes=KEEPS_OWNER
            ),
        )

    def _label_volume(self, deployment: Deployment) -> None:
        """Put the server's label on the volume that was created for the claim, and so learn the volume's name.

        Pulumi records a claim as it is at its creation: before its Pod, so without a volume. A patch, made when the Pod
        runs, answers with the object as it is then. A read would answer the same, but Pulumi repeats it in every later
        update, and writes the whole state before and after it. A patch that changes nothing costs nothing.
        """
        # Another claim of the same name has another volume, and the first Pod gives a claim its first one.
        claim = self.claim.metadata.uid if self.claim else self._claim
        made = pulumi.Output.all(claim, deployment.spec.replicas).apply(maker_of_volume)
        when = pulumi.ResourceOptions(parent=self, depends_on=[deployment], replacement_trigger=made)
        bound = PersistentVolumeClaimPatch(
            self._name,
            metadata={"name": self._claim, "namespace": self._namespace, "annotations": SKIP_AWAIT},
            opts=when,
        )

        def volume(pv_name: object) -> pulumi.Input[BoundVolume]:
            if not pv_name:
                return NO_VOLUME
            # The provider refuses a patch of an unknown name, also in a preview, where it patches nothing.
            known = pv_name if isinstance(pv_name, str) else "known-once-the-claim-is-bound"
            metadata: ObjectMetaPatchArgsDict = {"name": known}
            if self.claim:  # an existing claim's volume may have the label of another server
                metadata["labels"] = self._labels
            labelled = PersistentVolumePatch(self._name, metadata=metadata, opts=when)
            return labelled.spec.apply(partial(bound_volume, self, self._name, known))

        if self._snapshot is not None:
            sources = pulumi.Output.all(self._snapshot, bound.spec.apply(source))
            sources.apply(partial(warn_of_other_data, self, self._name))
        self.capacity = bound.status.apply(capacity)
        self.claim_name = bound.metadata.name
        self.pv_name = bound.spec.volume_name.apply(lambda name: name or "")
        # Registered in an apply, because there is nothing to patch where the claim has no volume.
        found: pulumi.Output[BoundVolume] = bound.spec.volume_name.apply(volume, run_with_unknowns=True)
        self.volume_id = found.apply(lambda volume: volume["handle"])
        self.volume_name = found.apply(lambda volume: volume["name_tag"])
