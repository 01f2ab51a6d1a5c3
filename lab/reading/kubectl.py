"""Runs kubectl with a stack's own kubeconfig, never with the user's."""

import json
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.reading.commands import COMMAND_SECONDS, CommandFailed, run
from lab.reading.objects import Thing
from lab.reading.stack import Stack

PLUGIN_FAILED = "getting credentials: exec"


@dataclass(frozen=True)
class Kubectl:
    """kubectl for the cluster of a stack, which the file `kubeconfig` names."""

    kubeconfig: Path
    stack: str

    def run(self, *words: str, timeout: float = COMMAND_SECONDS) -> str:
        """Return what kubectl printed. `timeout` is in seconds. Raises CommandFailed or LabError."""
        return run("kubectl", f"--kubeconfig={self.kubeconfig}", *words, timeout=timeout)

    def list(self, kinds: str) -> list[Thing]:
        """Return the objects of these kinds in all namespaces, with the record of who wrote which field.

        Raises LabError where the cluster does not answer.
        """
        try:
            said = self.run("get", kinds, "--all-namespaces", "--show-managed-fields", "--output=json")
        except CommandFailed as error:
            raise LabError(f"the cluster of the stack {self.stack} does not answer: {_reason(error)}") from None
        return json.loads(said)["items"]

    def knows(self, group: str) -> bool:
        """Return whether the cluster has kinds of that API group. Raises LabError where it does not answer."""
        try:
            return bool(self.run("api-resources", f"--api-group={group}", "--output=name").strip())
        except CommandFailed as error:
            raise LabError(f"the cluster of the stack {self.stack} does not answer: {_reason(error)}") from None


def _reason(error: CommandFailed) -> str:
    """Return why a cluster does not answer.

    Where the credential plugin failed, kubectl says only that it did; the plugin says why.
    """
    if PLUGIN_FAILED not in str(error):
        return str(error)
    of_plugin = [line for line in error.before if PLUGIN_FAILED not in line]
    return of_plugin[-1] if of_plugin else str(error)


@contextmanager
def kubectl_of(stack: Stack) -> Generator[Kubectl]:
    """Yield kubectl for the stack's cluster; its kubeconfig is a file only inside the block. Raises LabError."""
    with tempfile.NamedTemporaryFile("w", prefix="storage-lab-", suffix=".kubeconfig") as file:
        file.write(stack.kubeconfig)
        file.flush()
        yield Kubectl(Path(file.name), stack.name)
