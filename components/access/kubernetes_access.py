"""A small Kubernetes client for the dynamic providers, from the text of a kubeconfig."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit


def kubernetes_client(kubeconfig: str) -> Any:
    """A lightkube client for the cluster of the kubeconfig, which is YAML or JSON.

    Raises lightkube's ConfigError if the text is no kubeconfig; once used, what `unreachable_errors` lists.
    """
    # Imported here: a provider's diff, which runs at every `pulumi up`, must not pay for it.
    import yaml
    from lightkube import Client, KubeConfig

    kubeconfig_class: Any = KubeConfig  # its from_dict is typed in part
    single = kubeconfig_class.from_dict(yaml.safe_load(kubeconfig)).get()
    # A proxy of the shell's is the way to a cluster far away, and none to one on this machine.
    return Client(single, trust_env=not (single and _is_loopback(single.cluster.server)))


def _is_loopback(server: str) -> bool:
    try:
        return ip_address(urlsplit(server).hostname or "").is_loopback
    except ValueError:
        return False


def unreachable_errors() -> tuple[type[Exception], ...]:
    """What the client raises when the cluster does not answer, or does not let it in."""
    import httpx2
    from lightkube.core.exceptions import ConfigError

    return (httpx2.HTTPError, ConfigError, OSError)
