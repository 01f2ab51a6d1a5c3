"""Settings: every key of the configuration with its default, and what the keys demand of each other."""

from dataclasses import dataclass
from math import ceil

from .conventions import DEFAULT_IMAGE, DEFAULT_NAMESPACE, DEFAULT_STORAGE, VOLUMES_PER_NODE
from .eks import DEFAULT_NODE_TYPE, EksSettings, read_eks
from .names import check_image, check_region, check_zone
from .quantity import check_storage
from .reader import Reader
from .servers import OwnedClaim, ServerSettings, read_servers
from .tour_plan import OWNED_CLAIMS, TOUR_NAMESPACE
from .tour_plan import VOLUMES as TOUR_VOLUMES

TARGETS = ("local", "eks")
# The image of the lab's text, by every name that it was published under: a Docker schema 1 image.
UNPULLABLE_IMAGES = tuple(
    f"{registry}/volume-nfs"
    for registry in (
        "k8s.gcr.io",
        "registry.k8s.io",
        "gcr.io/google_containers",
        "gcr.io/google-containers",
        "gcr.io/google_samples",
        "gcr.io/google-samples",
    )
)
MOST_NODES = 100
# Of each server's writers, and as many readers: enough to see how they spread.
MOST_NFS_CLIENTS = 50
# A t3.medium holds 17 Pods, less kube-proxy, aws-node, ebs-csi-node and the Pod Identity agent on each.
PODS_PER_NODE = 13
# CoreDNS and the driver's controller, two each, on any of the nodes; with snapshots their controller, two as well.
SYSTEM_PODS, SNAPSHOT_PODS = 4, 2
# Nodes for the tour or for clients.
NODES_TO_COMPARE = 2
# The zones in which the EC2 emulator has a subnet.
LOCAL_ZONES = "abc"


@dataclass(frozen=True)
class Settings:
    """A stack's configuration, complete with defaults.

    `zone` is None where the target chooses. `eks` is None on the local target.
    """

    target: str
    region: str
    zone: str | None
    servers: tuple[ServerSettings, ...]
    storage: str
    image: str
    nodes: int
    tour: bool
    nfs_clients: int
    snapshots: bool
    reclaim_timeout_seconds: int
    eks: EksSettings | None

    @property
    def namespaces(self) -> list[str]:
        """The namespaces that the program creates."""
        of_the_tour = {TOUR_NAMESPACE} if self.tour else set[str]()
        return sorted({server.namespace for server in self.servers} - {DEFAULT_NAMESPACE} | of_the_tour)

    @property
    def owned_claims(self) -> list[OwnedClaim]:
        """All claims of the lab. A destroy takes any other claim in its StorageClass for somebody else's."""
        return [*(server.owned_claim for server in self.servers), *(OWNED_CLAIMS if self.tour else ())]

    @property
    def restored(self) -> dict[str, str]:
        """The VolumeSnapshots that claims are restored from, by "namespace/name" of the claim."""
        return {f"{one.namespace}/{one.claim_name}": one.from_snapshot for one in self.servers if one.from_snapshot}


def read_settings(read: Reader) -> Settings:
    """Return the settings that `read` has the texts of, and note in it what is wrong with them."""
    target = read.choice("target", TARGETS)
    region = read.text("region", check_region, default="us-east-1")
    settings = Settings(
        target=target,
        region=region,
        zone=read.optional_text("zone", lambda zone: check_zone(zone, region)),
        servers=(servers := read_servers(read)),
        storage=read.text("storage", check_storage, default=DEFAULT_STORAGE),
        image=read.optional_text("image", check_image) or DEFAULT_IMAGE,
        tour=(tour := read.boolean("tour", default=False)),
        nfs_clients=(nfs_clients := read.integer("nfsClients", 0, MOST_NFS_CLIENTS, default=0)),
        snapshots=(snapshots := read.boolean("snapshots", default=False)),
        eks=(eks := read_eks(read, target)),
        nodes=read.integer("nodes", 0, MOST_NODES, default=0)
        or max(_fewest_nodes(len(servers), tour, nfs_clients), _nodes_for_pods(len(servers), snapshots, eks)),
        reclaim_timeout_seconds=read.integer("reclaimTimeoutSeconds", 1, 86400, default=300),
    )
    _check_together(read, settings)
    return settings


def _check_together(read: Reader, settings: Settings) -> None:
    if settings.target == "eks" and _repository(settings.image) in UNPULLABLE_IMAGES:
        read.refuse(
            "image",
            "is a Docker schema 1 image, which no current EKS node can pull; "
            "leave the key out for its maintained successor, or name an image of your own",
        )
    if settings.target == "local" and settings.zone and settings.zone[-1] not in LOCAL_ZONES:
        read.refuse("zone", f"is not on this machine; accepted are the zones a, b and c of {settings.region}")
    if not settings.snapshots and (restored := [each.label for each in settings.servers if each.from_snapshot]):
        read.refuse(
            "servers",
            f"restores {' and '.join(restored)} from a snapshot, which needs snapshots: set that to true; or leave "
            "fromSnapshot out, a claim that exists keeps its data",
        )
    if settings.tour and any(server.namespace == TOUR_NAMESPACE for server in settings.servers):
        read.refuse("servers", f"has one in the namespace {TOUR_NAMESPACE}, which is the tour's; take another")
    if settings.nodes < NODES_TO_COMPARE and (settings.tour or settings.nfs_clients):
        read.refuse(
            "nodes",
            f"is too few for tour and nfsClients, which show what differs from node to node; accepted is "
            f"{NODES_TO_COMPARE} or more, or 0 to have enough",
        )
    elif settings.target == "local" and settings.nodes < _fewest_nodes(len(settings.servers), settings.tour, 0):
        read.refuse(
            "nodes",
            f"is too few for {len(settings.servers)} servers{' and the tour' if settings.tour else ''}, because a node "
            f"attaches {VOLUMES_PER_NODE} volumes at most; set more nodes, or 0 to have enough",
        )


def _fewest_nodes(servers: int, tour: bool, nfs_clients: int) -> int:
    volumes = servers + (TOUR_VOLUMES if tour else 0)
    return max(ceil(volumes / VOLUMES_PER_NODE), NODES_TO_COMPARE if tour or nfs_clients else 1)


def _nodes_for_pods(servers: int, snapshots: bool, eks: EksSettings | None) -> int:
    """Return how many EKS nodes the servers' Pods need; 1 for an instance type whose capacity is not known here."""
    if eks is None or eks.node_type != DEFAULT_NODE_TYPE:
        return 1
    return ceil((servers + SYSTEM_PODS + (SNAPSHOT_PODS if snapshots else 0)) / PODS_PER_NODE)


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]
