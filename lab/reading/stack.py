"""Reads a stack as its learner has it: name, configuration and outputs, through the pulumi command."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.settings import BadSettings, Settings, parse
from components.settings.conventions import cloud_folder, cluster_name
from lab.errors import LabError
from lab.reading.commands import ROOT, CommandFailed, run

CONFIG_NAMESPACE = "storage-lab:"


@dataclass(frozen=True)
class Stack:
    """`name` is the stack's own, without organisation and project. `outputs` hold secrets; they are empty where nothing
    is up."""

    name: str
    settings: Settings
    outputs: Mapping[str, Any]

    @property
    def cluster_name(self) -> str:
        """The value of the tag storage-lab on every volume of the stack."""
        return cluster_name(self.name)

    @property
    def cloud(self) -> Path:
        """The folder of its local cloud, if it has one."""
        return ROOT / cloud_folder(self.name)

    @property
    def option(self) -> str:
        """The option that makes a pulumi command about this stack."""
        return f"--stack {self.name}"

    @property
    def preparation(self) -> str:
        """What to type first, in a shell in this folder, so that kubectl asks this lab."""
        if self.settings.target == "local":
            return f"export KUBECONFIG={cloud_folder(self.name)}/kubeconfig"
        return f"aws eks update-kubeconfig --name {self.cluster_name} --region {self.settings.region}"

    @property
    def kubeconfig(self) -> str:
        """The text of its kubeconfig. Raises LabError where nothing is up."""
        if not self.outputs.get("kubeconfig") or not self.outputs.get("servers"):
            raise LabError(f"the stack {self.name} has no outputs, so nothing of it is up: run pulumi up {self.option}")
        return self.outputs["kubeconfig"]


def read_stack(name: str | None = None) -> Stack:
    """Return the stack of that name, or the selected one.

    Raises LabError where there is none, or where its configuration is not valid.
    """
    with ThreadPoolExecutor() as pool:
        # Each command takes half a second.
        shown = pool.submit(_pulumi, name, "stack", "--show-name")
        configured = pool.submit(_pulumi, name, "config", "--json", "--show-secrets")
        outputs = pool.submit(_pulumi, name, "stack", "output", "--json", "--show-secrets")
        found = shown.result().strip()
        return Stack(found, _settings(found, json.loads(configured.result())), json.loads(outputs.result()))


def resources_of(stack: Stack) -> list[str]:
    """Return the names of the resources in the stack's state, its own entry included. Raises LabError."""
    deployment: dict[str, Any] = json.loads(_pulumi(stack.name, "stack", "export")).get("deployment") or {}
    return [resource["urn"].rpartition("::")[2] for resource in deployment.get("resources") or ()]


def _pulumi(stack: str | None, *words: str) -> str:
    try:
        return run("pulumi", *words, "--non-interactive", *(("--stack", stack) if stack else ()))
    except CommandFailed as error:
        raise LabError(f"pulumi cannot tell about {f'the stack {stack}' if stack else 'a stack'}: {error}") from None


def _settings(stack: str, configured: Mapping[str, Mapping[str, Any]]) -> Settings:
    texts = {
        key.removeprefix(CONFIG_NAMESPACE): str(entry["value"])
        for key, entry in configured.items()
        if key.startswith(CONFIG_NAMESPACE) and "value" in entry
    }
    try:
        return parse(texts)
    except BadSettings as error:
        raise LabError(
            f"the configuration of the stack {stack} is not the lab's: {'; '.join(error.problems)}"
        ) from None
