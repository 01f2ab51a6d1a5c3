"""NfsClients: many Pods on several nodes that read and write the same files of an NFS server at once."""

from typing import TypedDict

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import PersistentVolume, PersistentVolumeClaim, PodSpecArgsDict

from .settings.arguments import check_arguments
from .settings.conventions import SHELL_IMAGE
from .workload import OVERRIDE, owner_reference, workload_options

SHARE = "/share"
MOUNT_OPTIONS = (
    # One connection to port 2049 carries all of version 4; before, rpcbind and mountd on other ports have a say.
    "nfsvers=4.1",
    # The default, hard, waits for ever for a server that does not answer, and so does all that uses the mount: the
    # Pod cannot end, its node cannot be drained, a destroy hangs. Soft gives the program an error after
    # 5 + 10 + 15 seconds (timeo in tenths of a second, twice retransmitted). The price is a write that fails while the
    # server is away: good for the lines of a lesson, not for a database.
    "soft",
    "timeo=50",
    "retrans=2",
)
_WRITE = f'while :; do echo "$(date -u +%FT%TZ) $(hostname)" >> {SHARE}/$(hostname).log; sleep 5; done'
_READ = f"while :; do cat {SHARE}/*.log | wc -l; sleep 5; done"


class NfsClientsArgs(TypedDict):
    """Whose clients they are: the server's name, namespace, cluster IP and size; `count` writers, as many readers."""

    server_name: str
    namespace: str
    address: pulumi.Input[str]
    storage: pulumi.Input[str]
    count: int


class NfsClients(pulumi.ComponentResource):
    """A ReadWriteMany PersistentVolume over an NFS server, its claim, and Pods on several nodes that use it.

    Depends on the server, so a destroy deletes the clients, which unmount, before the server. The address is a cluster
    IP: a node does the mounting, and a node does not know the names of Services. So it works from every namespace.
    """

    claim_name: str

    def __init__(self, name: str, args: NfsClientsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("NfsClients", name, args, NfsClientsArgs)
        super().__init__("storage-lab:index:NfsClients", name, None, opts)
        self._args = args
        self.claim_name = f"{args['server_name']}-share"
        claim = self._create_claim(self._create_volume())
        self._create_clients("writer", _WRITE, claim)
        self._create_clients("reader", _READ, claim)
        self.register_outputs({"claimName": self.claim_name})

    def _create_volume(self) -> PersistentVolume:
        namespace = self._args["namespace"]
        return PersistentVolume(
            self._name,
            # Volumes have no namespace. A dot, which is in none of the two names, keeps the pairs apart.
            metadata={"name": f"{namespace}.{self.claim_name}"},
            spec={
                "capacity": {"storage": self._args["storage"]},
                "access_modes": ["ReadWriteMany"],
                # Empty on both sides: for a claim without this key the default class would create an EBS volume.
                "storage_class_name": "",
                "persistent_volume_reclaim_policy": "Retain",
                "claim_ref": {"namespace": namespace, "name": self.claim_name},
                # The server exports /exports as the root of its version 4 tree.
                "nfs": {"server": self._args["address"], "path": "/"},
                "mount_options": list(MOUNT_OPTIONS),
            },
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["spec.nfs"], delete_before_replace=True),
        )

    def _create_claim(self, volume: PersistentVolume) -> PersistentVolumeClaim:
        return PersistentVolumeClaim(
            self._name,
            metadata={"name": self.claim_name, "namespace": self._args["namespace"]},
            spec={
                "access_modes": ["ReadWriteMany"],
                "storage_class_name": "",
                "volume_name": volume.metadata.name,
                "resources": {"requests": {"storage": self._args["storage"]}},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[volume], delete_before_replace=True),
        )

    def _create_clients(self, kind: str, script: str, claim: PersistentVolumeClaim) -> Deployment:
        # Keys of their own: a server selects its Pods by `role`, which may have any value.
        labels = {"nfs-server": self._args["server_name"], "nfs-client": kind}
        return Deployment(
            f"{self._name}-{kind}",
            metadata={
                "name": f"{self._args['server_name']}-{kind}",
                "namespace": self._args["namespace"],
                "labels": labels,
                "annotations": OVERRIDE,
                # When the Service gets another address, volume and claim are replaced, and these Pods use the claim.
                "owner_references": [owner_reference(claim)],
            },
            spec={
                "replicas": self._args["count"],
                "selector": {"match_labels": labels},
                "template": {"metadata": {"labels": labels}, "spec": self._pod(kind, script, labels)},
            },
            opts=workload_options(self, [claim]),
        )

    def _pod(self, kind: str, script: str, labels: dict[str, str]) -> PodSpecArgsDict:
        return {
            "containers": [
                {
                    "name": kind,
                    "image": SHELL_IMAGE,
                    "command": ["sh", "-c", script],
                    "volume_mounts": [{"name": "share", "mount_path": SHARE, "read_only": kind == "reader"}],
                }
            ],
            "volumes": [{"name": "share", "persistent_volume_claim": {"claim_name": self.claim_name}}],
            "termination_grace_period_seconds": 1,
            "topology_spread_constraints": [
                {
                    "max_skew": 1,
                    "topology_key": "kubernetes.io/hostname",
                    # A node that is being drained does not count, or its share of the Pods would find no place.
                    "node_taints_policy": "Honor",
                    "when_unsatisfiable": "DoNotSchedule",
                    "label_selector": {"match_labels": labels},
                    "match_label_keys": ["pod-template-hash"],
                }
            ],
        }
