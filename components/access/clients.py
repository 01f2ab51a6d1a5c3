"""Lookout: asks a cluster and its EC2 API what is there, for the providers that wait until something is gone."""

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from .kubernetes_access import kubernetes_client, unreachable_errors

# The Kubernetes provider's own switch for a cluster that is gone for good; here it means the same.
GONE_FOR_GOOD = "PULUMI_K8S_DELETE_UNREACHABLE"

T = TypeVar("T")


class Unreachable(Exception):
    """An API did not answer, or did not let us in: which one, and why."""


class Lookout:
    """Puts questions to the two APIs, with clients that are made anew after a failure: that revives a local cloud."""

    def __init__(self, kubeconfig: str = "", ec2: Mapping[str, str] | None = None) -> None:
        self._kubeconfig = kubeconfig
        self._access = ec2 or {}
        self._kubernetes: Any = None
        self._ec2: Any = None
        self._gone_for_good = os.environ.get(GONE_FOR_GOOD) == "true"

    def ask_kubernetes(self, question: Callable[[Any], T], if_gone: T) -> T:
        """The answer, or `if_gone` where the cluster is away and the user says that it is gone.

        Raises Unreachable.
        """
        try:
            self._kubernetes = self._kubernetes or kubernetes_client(self._kubeconfig)
            return question(self._kubernetes)
        except unreachable_errors() as error:
            self._kubernetes = None
            if self._gone_for_good:
                return if_gone
            raise Unreachable(f"the Kubernetes cluster does not answer: {str(error).strip()}") from error

    def ask_ec2(self, question: Callable[[Any], T], if_gone: T) -> T:
        """As `ask_kubernetes`; but only a local EC2 API goes with its cluster, the one of AWS stays.

        Raises Unreachable.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._ec2 = self._ec2 or ec2_client(self._access)
            return question(self._ec2)
        except (BotoCoreError, ClientError) as error:
            if self._gone_for_good and "endpoint_url" in self._access:
                return if_gone
            raise Unreachable(f"the EC2 API does not answer: {str(error).strip()}") from error


def ec2_client(access: Mapping[str, str]) -> Any:
    """Return a boto3 client for the EC2 API that `access` describes, see Ec2Access.

    On AWS it logs in as the shell's user. For the local cloud nothing of the shell's AWS settings counts.
    """
    # Imported here: a provider's diff, which runs at every `pulumi up`, must not pay for it.
    if "endpoint_url" in access:
        return _local_client(access["endpoint_url"], access["region"])
    import boto3

    session: Any = boto3.Session(profile_name=access.get("profile"), region_name=access["region"])
    return session.client("ec2")


@cache
def _local_client(endpoint: str, region: str) -> Any:
    """Return one client for all nodes of a stack: making it takes 0.15 s, and threads may share it."""
    from localcloud.csi.ec2 import ec2_client as make

    return make(endpoint, region)
