"""ClusterAccess: how to reach a cluster and its EC2 API. Each target returns one."""

from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi


class Ec2Access(TypedDict):
    """How to reach EC2: `region`, and `endpoint_url` for the local cloud or `profile` for a named AWS login."""

    region: pulumi.Input[str]
    endpoint_url: NotRequired[pulumi.Input[str]]
    profile: NotRequired[pulumi.Input[str]]


@dataclass(frozen=True)
class ClusterAccess:
    """`kubeconfig`, YAML or JSON, is a secret."""

    kubeconfig: pulumi.Output[str]
    ec2: Ec2Access
