"""Where the EC2 API of a cluster is, and a client for it."""

from collections.abc import Mapping
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
        from localcloud.csi.ec2 import ec2_client as local_client

        return local_client(access["endpoint_url"], access["region"])
    import boto3

    session: Any = boto3.Session(profile_name=access.get("profile"), region_name=access["region"])
    return session.client("ec2")
