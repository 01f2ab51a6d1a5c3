"""A class and a server that uses it, in the cluster of the kubeconfig.

A destroy comes after `pulumi state unprotect --all`.
"""

import pulumi
import pulumi_kubernetes as kubernetes
from storage_lab.nfs_server import NfsServer
from storage_lab.storage_class import EbsStorageClass

cluster = kubernetes.Provider("cluster", kubeconfig=pulumi.Config().require("kubeconfig"))
storage = EbsStorageClass("shared", {}, opts=pulumi.ResourceOptions(provider=cluster))
server = NfsServer(
    "files",
    {"storage": "5Gi", "storage_class": storage.class_name},
    opts=pulumi.ResourceOptions(provider=cluster, depends_on=[storage]),
)
pulumi.export("volumeId", server.volume_id)
