"""The EKS target of the program: looks at the machine and the account, then declares the cluster."""

import pulumi

from ..settings import Settings
from ..settings.conventions import cluster_name
from .cluster import EksCluster
from .ground import survey
from .preflight import PreflightError, check_aws_cli


def create_cluster(settings: Settings) -> EksCluster:
    """The cluster of this stack.

    Raises pulumi.RunError, with one sentence, for what would fail later or late.
    """
    import boto3

    assert settings.eks is not None
    eks = settings.eks
    try:
        check_aws_cli()
        ground = survey(
            boto3.Session(region_name=settings.region), settings.region, settings.zone, eks.vpc_id, eks.subnet_ids
        )
    except PreflightError as error:
        raise pulumi.RunError(str(error)) from None
    return EksCluster(
        "lab",
        {
            "cluster_name": cluster_name(pulumi.get_stack()),
            "region": settings.region,
            "partition": ground.partition,
            "zones": ground.zones,
            "vpc_id": eks.vpc_id,
            "subnet_ids": ground.subnet_ids,
            "kubernetes_version": eks.kubernetes_version,
            "nodes": settings.nodes,
            "node_type": eks.node_type,
            "spot": eks.spot,
            "public_access_cidrs": eks.public_access_cidrs,
        },
    )
