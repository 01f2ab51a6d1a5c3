"""Lookups that `lab verify` and a destroy share, so that both give the same answer."""

from collections.abc import Mapping
from typing import Any


def claims_used_by(pod: Mapping[str, Any]) -> list[str]:
    """Return the names of the claims that a Pod uses, in its own namespace. `pod` is the object as JSON has it.

    An ended Pod counts: Kubernetes keeps a claim as long as a Pod object exists that names it.
    """
    name: str = pod["metadata"]["name"]
    volumes: list[dict[str, Any]] = pod["spec"].get("volumes") or []
    claims: list[str] = []
    for volume in volumes:
        if source := volume.get("persistentVolumeClaim"):
            claims.append(source["claimName"])
        elif volume.get("ephemeral") is not None:  # Kubernetes makes this claim for the Pod
            claims.append(f"{name}-{volume['name']}")
    return claims


def tagged_volumes(ec2: Any, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the EBS volumes with all of these tags as EC2 describes them, also those that it is deleting.

    Raises what boto3 raises where the API does not answer.
    """
    pages = ec2.get_paginator("describe_volumes").paginate(Filters=_filters(tags))
    return [volume for page in pages for volume in page["Volumes"] if volume["State"] != "deleted"]


def tagged_snapshots(ec2: Any, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return this account's EBS snapshots with all of these tags as EC2 describes them.

    Raises what boto3 raises where the API does not answer.
    """
    pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=_filters(tags))
    return [snapshot for page in pages for snapshot in page["Snapshots"]]


def _filters(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Name": f"tag:{tag}", "Values": [value]} for tag, value in tags.items()]
