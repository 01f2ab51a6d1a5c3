"""Where the EC2 API of a cluster is, and a client for it."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NotRequired, TypedDict

import pulumi


class Ec2Access(TypedDict):
    """How to reach EC2: `region`, and `endpoint_url` for the local cloud or `profile` for a named AWS login."""

    region: pulumi.Input[str]
    endpoint_url: NotRequired[pulumi.Input[str]]
    profile: NotRequired[pulumi.Input[str]]


def ec2_client(access: Mapping[str, str]) -> Any:
    """A boto3 client for the EC2 API.

    On AWS it logs in as the shell's user. The local cloud knows no users: there, nothing of the shell's takes part.
    """
    # Imported here: a provider's diff, which runs at every `pulumi up`, must not pay for it.
    if "endpoint_url" in access:
        return _local_client(access["endpoint_url"], access["region"])
    import boto3

    session: Any = boto3.Session(profile_name=access.get("profile"), region_name=access["region"])
    return session.client("ec2")


@cache
def _local_client(endpoint: str, region: str) -> Any:
    """One for all nodes of a stack: making it reads the whole model of EC2, for 0.15 s. Threads may share it."""
    from localcloud.csi.ec2 import ec2_client as make

    return make(endpoint, region)
