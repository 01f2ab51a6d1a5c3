"""The Kubernetes provider of a cluster, without the settings that the shell has for it."""

import os
from typing import Any

import pulumi_kubernetes as kubernetes


def kubernetes_provider(name: str, **settings: Any) -> kubernetes.Provider:
    """Return a provider that records these settings and no others.

    The SDK adds what it finds in variables PULUMI_K8S_... of the shell. A switch that is meant for one command, such as
    PULUMI_K8S_DELETE_UNREACHABLE, would be recorded then, and act in every later destroy. The provider's process reads
    the same variables by itself, so the switch still acts in its own command.
    """
    kept = {variable: os.environ.pop(variable) for variable in list(os.environ) if variable.startswith("PULUMI_K8S_")}
    try:
        return kubernetes.Provider(name, **settings)
    finally:
        os.environ.update(kept)
