"""PersistenceTour: the ways of keeping data, side by side in one namespace, each in a Deployment of one Pod.

Every Pod writes its name into a journal when it starts. The next Pod finds there the names that survived.
"""

from typing import TypedDict

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment, StatefulSet
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    NFSVolumeSourceArgsDict,
    PersistentVolume,
    PersistentVolumeClaim,
    PodSpecArgsDict,
    VolumeArgsDict,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from .settings.arguments import check_arguments
from .settings.conventions import SHELL_IMAGE
from .settings.tour_plan import (
    CLAIM_TEMPLATE,
    CRASH,
    DATA,
    GROWTH,
    SIGNED,
    STATEFUL_SET,
    TOUR_NAMESPACE,
    WAYS,
    Way,
    journal,
)
from .workload import OVERRIDE, owner_reference, workload_options

HOST_FOLDER = "/var/lib/storage-lab-tour"
SIZE = "1Gi"


class PersistenceTourArgs(TypedDict):
    """`nfs_address` is the cluster IP of the NFS server that two of the ways mount from."""

    nfs_address: pulumi.Input[str]


class PersistenceTour(pulumi.ComponentResource):
    """The ways of `tour_plan`, and a StatefulSet that asks for a volume for each Pod that it grows by.

    Depends on the namespace `tour`, a default StorageClass, and the NFS server. A Pod cannot end while it mounts from a
    server that was deleted, so the tour is deleted before the server.

    The static PersistentVolume is a share of the NFS server, not an EBS volume. Somebody would have to create that
    volume outside of Kubernetes, in one way on AWS and in another on a laptop, and delete it afterwards. The share is
    the same object on both.

    Attribute: `holders`, as KeptClaims takes them.
    """

    holders: dict[str, list[pulumi.Output[str]]]

    def __init__(self, name: str, args: PersistenceTourArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("PersistenceTour", name, args, PersistenceTourArgs)
        super().__init__("storage-lab:index:PersistenceTour", name, None, opts)
        self._share: NFSVolumeSourceArgsDict = {"server": args["nfs_address"], "path": "/"}
        static = self._create_static_claim(self._create_static_volume())
        dynamic = self._create_dynamic_claim()
        # By the name of the way.
        claims = {"static": static, "dynamic": dynamic}
        for way in WAYS:
            self._create_deployment(way, claims.get(way.claim))
        growing = self._create_stateful_set(dynamic)
        self.holders = {f"{TOUR_NAMESPACE}/dynamic": [dynamic.id], f"{TOUR_NAMESPACE}/{CLAIM_TEMPLATE}-*": [growing.id]}
        self.register_outputs({"namespace": TOUR_NAMESPACE})

    def _create_static_volume(self) -> PersistentVolume:
        return PersistentVolume(
            f"{self._name}-static",
            metadata={"name": "tour-static"},
            spec={
                # Says nothing about the size of the share; binding compares it with what the claim asks for.
                "capacity": {"storage": SIZE},
                "access_modes": ["ReadWriteMany"],
                # Without a class, so that no class, not even the default one, creates another volume for the claim.
                "storage_class_name": "",
                # The share is not deleted with it, because the data is the server's.
                "persistent_volume_reclaim_policy": "Retain",
                "claim_ref": {"namespace": TOUR_NAMESPACE, "name": "static"},
                "nfs": self._share,
                "mount_options": ["nfsvers=4.1"],
            },
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["spec.nfs"], delete_before_replace=True),
        )

    def _create_static_claim(self, volume: PersistentVolume) -> PersistentVolumeClaim:
        return PersistentVolumeClaim(
            f"{self._name}-static",
            metadata={"name": "static", "namespace": TOUR_NAMESPACE},
            spec={
                "access_modes": ["ReadWriteMany"],
                "storage_class_name": "",
                "volume_name": volume.metadata.name,
                "resources": {"requests": {"storage": SIZE}},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[volume], delete_before_replace=True),
        )

    def _create_dynamic_claim(self) -> PersistentVolumeClaim:
        return PersistentVolumeClaim(
            f"{self._name}-dynamic",
            metadata={"name": "dynamic", "namespace": TOUR_NAMESPACE},
            spec={"access_modes": ["ReadWriteOnce"], "resources": {"requests": {"storage": SIZE}}},
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _create_deployment(self, way: Way, claim: PersistentVolumeClaim | None) -> Deployment:
        labels = {"role": way.name}
        metadata: ObjectMetaArgsDict = {"name": way.name, "namespace": TOUR_NAMESPACE, "labels": labels}
        if claim is not None:
            metadata["owner_references"] = [owner_reference(claim)]
        return Deployment(
            f"{self._name}-{way.name}",
            metadata=metadata,
            spec={
                "replicas": 1,
                "selector": {"match_labels": labels},
                "strategy": {"type": "Recreate"},
                "template": {"metadata": {"labels": labels}, "spec": _pod(way.name, self._volume(way))},
            },
            opts=workload_options(self, [claim] if claim else []),
        )

    def _volume(self, way: Way) -> VolumeArgsDict | None:
        """Return the volume in which the Pods of a way keep their data; None for the way without one."""
        if way.claim:
            return {"name": CLAIM_TEMPLATE, "persistent_volume_claim": {"claim_name": way.claim}}
        volumes: dict[str, VolumeArgsDict | None] = {
            "no-volume": None,
            "empty-dir": {"name": CLAIM_TEMPLATE, "empty_dir": {}},
            "host-path": {
                "name": CLAIM_TEMPLATE,
                "host_path": {"path": HOST_FOLDER, "type": "DirectoryOrCreate"},
            },
            "nfs": {"name": CLAIM_TEMPLATE, "nfs": self._share},
        }
        return volumes[way.name]

    def _create_stateful_set(self, dynamic: PersistentVolumeClaim) -> StatefulSet:
        labels = {"role": STATEFUL_SET}
        return StatefulSet(
            f"{self._name}-{STATEFUL_SET}",
            metadata={
                "name": STATEFUL_SET,
                "namespace": TOUR_NAMESPACE,
                "labels": labels,
                "annotations": OVERRIDE,
                # The StatefulSet, and with it the claims that it made, is deleted with this claim.
                "owner_references": [owner_reference(dynamic)],
            },
            spec={
                "replicas": GROWTH[0],
                "selector": {"match_labels": labels},
                "template": {"metadata": {"labels": labels}, "spec": _pod(STATEFUL_SET, None, from_template=True)},
                "volume_claim_templates": [
                    {
                        "metadata": {"name": CLAIM_TEMPLATE, "labels": labels},
                        "spec": {"access_modes": ["ReadWriteOnce"], "resources": {"requests": {"storage": SIZE}}},
                    }
                ],
                # A claim outlives its Pod, so growing again finds the old data, but not its StatefulSet: Pulumi knows
                # nothing of these claims, and each that stayed would be an EBS volume that nobody deletes.
                "persistent_volume_claim_retention_policy": {"when_scaled": "Retain", "when_deleted": "Delete"},
            },
            opts=workload_options(self, [dynamic]),
        )


def _pod(way: str, volume: VolumeArgsDict | None, from_template: bool = False) -> PodSpecArgsDict:
    """Return a Pod that signs the journal and waits for its crash. A StatefulSet gives its Pods their volume."""
    book = journal(way)
    sign = f"mkdir -p {DATA} && hostname >> {book} && sync && touch {SIGNED}"
    script = f"{sign} && until [ -e {CRASH} ]; do sleep 1; done; exit 1"
    container: ContainerArgsDict = {
        "name": "writer",
        "image": SHELL_IMAGE,
        "command": ["sh", "-c", script],
        # Ready when it has signed: a journal that is read before lacks this Pod.
        "readiness_probe": {"exec_": {"command": ["test", "-e", SIGNED]}, "period_seconds": 2},
    }
    if volume or from_template:
        container["volume_mounts"] = [{"name": CLAIM_TEMPLATE, "mount_path": DATA}]
    # A Pod that only waits has nothing to finish.
    pod: PodSpecArgsDict = {"containers": [container], "termination_grace_period_seconds": 1}
    if volume:
        pod["volumes"] = [volume]
    return pod
