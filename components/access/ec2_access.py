"""How the EC2 API of a cluster is reached."""

from typing import NotRequired, TypedDict

import pulumi


class Ec2Access(TypedDict):
    """How to reach EC2: `region`, and `endpoint_url` for the local cloud or `profile` for a named AWS login."""

    region: pulumi.Input[str]
    endpoint_url: NotRequired[pulumi.Input[str]]
    profile: NotRequired[pulumi.Input[str]]
