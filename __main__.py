"""The lab: a cluster, a StorageClass that makes EBS volumes, and NFS servers that keep their data on them."""

import pulumi
from pulumi import ResourceOptions, export
from pulumi_kubernetes.core.v1 import Namespace

from components import settings as configuration
from components.guards.foreign_users import ForeignUsers, OwnServer
from components.nfs_clients import NfsClients
from components.nfs_server import NfsServer
from components.persistence_tour import OWN_CLAIMS, OWN_USERS, PersistenceTour
from components.storage_class import EbsStorageClass

settings = configuration.load()

# Each target loads only what it needs: the AWS packages are large.
if settings.target == "local":
    from components.local.cluster import create_cluster
else:
    from components.eks.lab import create_cluster

cluster = create_cluster(settings)

namespaces = [
    Namespace(name, metadata={"name": name}, opts=ResourceOptions(provider=cluster.provider))
    for name in settings.namespaces
]

storage = EbsStorageClass(
    "ebs",
    {
        "cluster_name": cluster.cluster_name,
        "storage": settings.storage,
        "can_grow": cluster.volumes_can_grow,
        "kubeconfig": cluster.kubeconfig,
        "ec2": cluster.ec2,
        "reclaim_timeout_seconds": settings.reclaim_timeout_seconds,
        "own_claims": [
            *({"namespace": server.namespace, "claim": server.claim_name} for server in settings.servers),
            *(OWN_CLAIMS if settings.tour else ()),
        ],
    },
    # After the namespaces, so that on the way down none goes, with what others put in it, before the barrier is passed.
    opts=ResourceOptions(provider=cluster.provider, depends_on=[*cluster.ready, *namespaces]),
)

servers = {
    server.label: NfsServer(
        server.label,
        {
            "server_name": server.name,
            "namespace": server.namespace,
            "storage": settings.storage,
            "image": settings.image,
        },
        opts=ResourceOptions(provider=cluster.provider, depends_on=[storage.barrier]),
    )
    for server in settings.servers
}

first = servers[settings.servers[0].label]
# What is around the servers, and goes before them: a Pod cannot let go of a share whose server is gone.
visitors: list[pulumi.Resource] = []
if settings.tour:
    visitors += [
        PersistenceTour(
            "tour",
            {"nfs_address": first.service_ip},
            opts=ResourceOptions(provider=cluster.provider, depends_on=[*cluster.ready, storage.barrier, first]),
        )
    ]
if settings.nfs_clients:
    visitors += [
        NfsClients(
            f"{server.label}-clients",
            {
                "server_name": server.name,
                "namespace": server.namespace,
                "address": servers[server.label].service_ip,
                "storage": settings.storage,
                "count": settings.nfs_clients,
            },
            opts=ResourceOptions(provider=cluster.provider, depends_on=[*cluster.ready, servers[server.label]]),
        )
        for server in settings.servers
    ]

# The first to go on the way down: nothing is deleted while others use the servers' storage.
ForeignUsers(
    "ebs",
    {
        "storage_class": storage.class_name,
        "own": [
            *(
                OwnServer(namespace=server.namespace, claim=server.claim_name, server=server.name)
                for server in settings.servers
            ),
            *(OWN_USERS if settings.tour else ()),
        ],
        "kubeconfig": cluster.kubeconfig,
        "timeout_seconds": settings.reclaim_timeout_seconds,
    },
    opts=ResourceOptions(depends_on=[*servers.values(), *visitors]),
)


def outputs(server: NfsServer) -> dict[str, pulumi.Output[str]]:
    return {
        "pvName": server.pv_name,
        "volumeId": server.volume_id,
        "volumeName": server.volume_name,
        "claimName": server.claim_name,
        "nfsServerIp": server.service_ip,
    }


for key, value in outputs(first).items():
    export(key, value)
export("servers", {label: outputs(server) for label, server in servers.items()})
export("kubeconfig", pulumi.Output.secret(cluster.kubeconfig))
if "endpoint_url" in cluster.ec2:
    export("ec2Endpoint", cluster.ec2["endpoint_url"])
