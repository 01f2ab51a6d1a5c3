"""ClusterClient: asks a cluster and its EC2 API, for providers, which know only what their resource recorded.

lightkube, boto3 and yaml are imported where they are used: a provider's diff, which every `up` runs, needs none.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from localcloud.ec2_key import Ec2Key

# The Kubernetes provider's own switch for a cluster that does not exist any more. It means the same here.
GONE_FOR_GOOD = "PULUMI_K8S_DELETE_UNREACHABLE"

T = TypeVar("T")


class Unreachable(Exception):
    """An API did not answer or did not accept the credentials; says which API, and why."""


class ClusterClient:
    """Asks the two APIs. After a failure the next question gets a new client, which restarts a local cloud."""

    def __init__(self, kubeconfig: str = "", ec2: Mapping[str, str] | None = None) -> None:
        self._kubeconfig = kubeconfig
        self._access = ec2 or {}
        self._kubernetes: Any = None
        self._ec2: Any = None
        self._gone_for_good = os.environ.get(GONE_FOR_GOOD) == "true"

    def ask_kubernetes(self, question: Callable[[Any], T], if_gone: T) -> T:
        """Return the answer, or `if_gone` where the cluster does not answer and does not exist any more.

        That is so where GONE_FOR_GOOD is set, and where the folder of a local cloud was deleted.

        Raises Unreachable.
        """
        try:
            self._kubernetes = self._kubernetes or kubernetes_client(self._kubeconfig)
            return question(self._kubernetes)
        except unreachable_errors() as error:
            self._kubernetes = None
            if self._gone_for_good or _was_deleted(self._kubeconfig):
                return if_gone
            raise Unreachable(f"the Kubernetes cluster does not answer: {str(error).strip()}") from error

    def ask_ec2(self, question: Callable[[Any], T], if_gone: T) -> T:
        """Return as `ask_kubernetes` does; but the EC2 API of AWS stays when its cluster goes.

        The EC2 API of a deleted local cloud is not asked: its process may still answer, with volumes that are gone.

        Raises Unreachable.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        if "endpoint_url" in self._access and _was_deleted(self._kubeconfig):
            return if_gone
        try:
            self._ec2 = self._ec2 or ec2_client(self._access)
            return question(self._ec2)
        except (BotoCoreError, ClientError) as error:
            if self._gone_for_good and "endpoint_url" in self._access:
                return if_gone
            raise Unreachable(f"the EC2 API does not answer: {str(error).strip()}") from error


def folder_in_kubeconfig(kubeconfig: str) -> Path | None:
    """Return the folder of the local cloud that this kubeconfig starts; None where it is not a local cloud's."""
    # Written by localcloud.kubeconfig, one line for each key.
    found = re.search(r'^ *args: (\["-m", "localcloud", "credential", ".*"\])$', kubeconfig, re.MULTILINE)
    return Path(json.loads(found[1])[-1]) if found else None


def _was_deleted(kubeconfig: str) -> bool:
    """Return whether the kubeconfig is of a local cloud that does not exist any more, or has given way to another."""
    folder = folder_in_kubeconfig(kubeconfig)
    if folder is None or not _in_the_lab():
        return False
    from localcloud.record.record import read

    record = read(folder)
    return record is None or record.ca_data not in kubeconfig


def kubernetes_client(kubeconfig: str) -> Any:
    """Return a lightkube client for the cluster of the kubeconfig, which is YAML or JSON.

    Raises lightkube's ConfigError if the text is not a kubeconfig.
    """
    from lightkube import Client

    return Client(**_connection(kubeconfig))


def async_kubernetes_client(kubeconfig: str) -> Any:
    """Return the same as `kubernetes_client`, for an event loop."""
    from lightkube import AsyncClient

    return AsyncClient(**_connection(kubeconfig))


def _connection(kubeconfig: str) -> dict[str, Any]:
    import yaml
    from lightkube import KubeConfig

    kubeconfig_class: Any = KubeConfig  # its from_dict is typed in part
    single = kubeconfig_class.from_dict(yaml.safe_load(kubeconfig)).get()
    # A proxy of the shell's may be the way to a distant cluster, and never is the way to this machine.
    return {"config": single, "trust_env": not (single and _is_loopback(single.cluster.server))}


def _is_loopback(server: str) -> bool:
    try:
        return ip_address(urlsplit(server).hostname or "").is_loopback
    except ValueError:
        return False


def unreachable_errors() -> tuple[type[Exception], ...]:
    """Return what lightkube raises when the cluster does not answer, or does not accept the credentials."""
    import httpx2
    from lightkube.core.exceptions import ConfigError

    return (httpx2.HTTPError, ConfigError, OSError)


def ec2_client(access: Mapping[str, str]) -> Any:
    """Return a boto3 client for the EC2 API that `access` describes, see Ec2Access.

    It logs in as the shell's user. For the local cloud nothing of the shell's AWS settings counts.
    """
    endpoint = access.get("endpoint_url")
    if endpoint and _in_the_lab():
        return _local_client(endpoint, access["region"], local_ec2_key(endpoint))
    import boto3

    session: Any = boto3.Session(profile_name=access.get("profile"), region_name=access["region"])
    return session.client("ec2", endpoint_url=endpoint)


def _in_the_lab() -> bool:
    """Return whether the local cloud can be imported; where pip has installed only this package, it cannot."""
    return find_spec("localcloud") is not None


def local_ec2_key(endpoint: str) -> "Ec2Key":
    """Return the key of the local cloud whose EC2 API is at that URL.

    It is read from the cloud's folder, so that no resource, and with it no state, holds it.
    """
    from localcloud import ec2_key

    return ec2_key.key_of(endpoint)


def shell_for_ec2(access: Mapping[str, str]) -> tuple[str, str]:
    """Return what a shell needs to ask that EC2 API with the AWS CLI: a line to type first, and the options."""
    options = f"--region {access['region']}"
    if not (endpoint := access.get("endpoint_url")):
        return "", options
    if not _in_the_lab():
        return "", f"{options} --endpoint-url {endpoint}"
    from localcloud import ec2_key

    file = ec2_key.file_of(endpoint)
    return f". '{file}'; " if file else "", f"{options} --endpoint-url {endpoint}"


@cache
def _local_client(endpoint: str, region: str, key: "Ec2Key") -> Any:
    """Return one client for all nodes of a stack: making it takes 0.15 s, and threads may share it."""
    from localcloud.csi.ec2 import ec2_client as make

    return make(endpoint, region, key)
