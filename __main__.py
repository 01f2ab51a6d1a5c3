"""The lab: a cluster, a StorageClass that makes EBS volumes, and NFS servers that keep their data on them."""

import pulumi
from pulumi_kubernetes.core.v1 import Namespace

from components import settings as configuration
from components.cluster import create_cluster
from components.guards.foreign_users import ForeignUsers
from components.guards.kept_claims import KeptClaims
from components.guards.volume_growth import VolumeGrowth
from components.lab_storage_class import LabStorageClass
from components.nfs_clients import NfsClients
from components.nfs_server import NfsServer
from components.persistence_tour import PersistenceTour
from components.workload import free_within, size_left_alone

settings = configuration.load()
cluster = create_cluster(settings)


def after(*needed: pulumi.Resource) -> pulumi.ResourceOptions:
    """In the cluster; created after `needed`, deleted before them. A name is free before it is given again."""
    return pulumi.ResourceOptions(
        provider=cluster.provider,
        depends_on=list(needed),
        delete_before_replace=True,
        transformations=[free_within(settings.reclaim_timeout_seconds), size_left_alone],
    )


namespaces = [Namespace(name, metadata={"name": name}, opts=after()) for name in settings.namespaces]
# A namespace is deleted with all that others created in it, so a destroy waits in the storage's barrier before that.
STORAGE_CLASS = "ebs"
storage = LabStorageClass(
    STORAGE_CLASS,
    {
        "cluster": cluster,
        "own_claims": settings.owned_claims,
        "reclaim_timeout_seconds": settings.reclaim_timeout_seconds,
    },
    opts=after(*cluster.ready, *namespaces),
)

servers = {
    each.label: NfsServer(
        each.label,
        {
            "server_name": each.name,
            "namespace": each.namespace,
            "claim_name": each.claim_name,
            "storage": settings.storage,
            "image": settings.image,
            "protect": False,  # KeptClaims refuses what would lose data, and a destroy is a part of the lab
        },
        opts=after(storage.barrier),
    )
    for each in settings.servers
}
VolumeGrowth(
    "ebs",
    {
        "storage": settings.storage,
        "claims": {f"{each.namespace}/{each.claim_name}": servers[each.label].capacity for each in settings.servers},
        "kubeconfig": cluster.access.kubeconfig,
        "ec2": cluster.access.ec2,
    },
    storage,
    opts=pulumi.ResourceOptions(depends_on=[*servers.values()]),
)
first = servers[settings.servers[0].label]
# The claims, by patterns of their names, and what each is lost with.
holders = {
    "*": [*cluster.holders, storage.barrier.id],
    **{f"{name}/*": [each.id] for name, each in zip(settings.namespaces, namespaces, strict=True)},
    **{f"{each.namespace}/{each.claim_name}": [servers[each.label].own_claim.id] for each in settings.servers},
}

# A Pod cannot unmount a share whose server is deleted, so what mounts from a server is deleted before the server.
dependents: list[pulumi.Resource] = [
    NfsClients(
        f"{each.label}-clients",
        {
            "server_name": each.name,
            "namespace": each.namespace,
            "address": servers[each.label].service_ip,
            "storage": settings.storage,
            "count": settings.nfs_clients,
        },
        opts=after(*cluster.ready, servers[each.label]),
    )
    for each in settings.servers
    if settings.nfs_clients
]
if settings.tour:
    needed = (*cluster.ready, storage.barrier, first)
    tour = PersistenceTour("tour", {"nfs_address": first.service_ip}, opts=after(*needed))
    dependents.append(tour)
    holders |= tour.holders
KeptClaims("ebs", {"holders": holders, "kubeconfig": cluster.access.kubeconfig})

# A destroy begins here: nothing is deleted while others use the storage of the servers.
ForeignUsers(
    "ebs",
    {
        "storage_class": STORAGE_CLASS,
        "own": settings.owned_claims,
        "kubeconfig": cluster.access.kubeconfig,
        "timeout_seconds": settings.reclaim_timeout_seconds,
    },
    # The barrier by name: it deletes claims, so it must not act first where a state has lost the servers.
    opts=pulumi.ResourceOptions(depends_on=[storage.barrier, *servers.values(), *dependents]),
)

shown = {label: server.stack_outputs() for label, server in servers.items()}
for key, value in {**shown[settings.servers[0].label], "servers": shown, **cluster.outputs}.items():
    pulumi.export(key, value)
