"""kubectl with a stack's own kubeconfig, never the user's."""

import json
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.errors import CannotLook
from lab.reading.commands import Refused, run
from lab.reading.stack import Stack

PLUGIN_FAILED = "getting credentials: exec"


@dataclass(frozen=True)
class Kubectl:
    """Asks one cluster. `kubeconfig` is the file that says which."""

    kubeconfig: Path
    stack: str

    def run(self, *words: str, timeout: float = 120) -> str:
        """What kubectl printed. `timeout` is in seconds. Raises Refused with the words of kubectl, or CannotLook."""
        return run("kubectl", f"--kubeconfig={self.kubeconfig}", *words, timeout=timeout)

    def list(self, kinds: str) -> list[dict[str, Any]]:
        """The objects of these kinds in all namespaces, with the record of who wrote which field.

        Raises CannotLook where the cluster does not answer.
        """
        try:
            said = self.run("get", kinds, "--all-namespaces", "--show-managed-fields", "--output=json")
        except Refused as error:
            raise CannotLook(f"the cluster of the stack {self.stack} does not answer: {_reason(error)}") from None
        return json.loads(said)["items"]


def _reason(error: Refused) -> str:
    """Why a cluster does not answer. Where its credential plugin failed, kubectl says only that, and the plugin why."""
    if PLUGIN_FAILED not in str(error):
        return str(error)
    of_plugin = [line for line in error.before if PLUGIN_FAILED not in line]
    return of_plugin[-1] if of_plugin else str(error)


@contextmanager
def kubectl_of(stack: Stack) -> Generator[Kubectl]:
    """kubectl for the stack's cluster; its kubeconfig is a file only as long as this lasts. Raises CannotLook."""
    with tempfile.NamedTemporaryFile("w", prefix="storage-lab-", suffix=".kubeconfig") as file:
        file.write(stack.kubeconfig)
        file.flush()
        yield Kubectl(Path(file.name), stack.name)
