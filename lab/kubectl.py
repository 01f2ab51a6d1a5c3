"""kubectl with a stack's own kubeconfig, never the user's."""

import json
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.commands import Refused, run
from lab.errors import CannotLook
from lab.stack import Stack


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
            # The credential plugin says why, and after it kubectl only that the plugin failed.
            reason = error.before if "getting credentials" in str(error) and error.before else error
            raise CannotLook(f"the cluster of the stack {self.stack} does not answer: {reason}") from None
        return json.loads(said)["items"]


@contextmanager
def kubectl_of(stack: Stack) -> Generator[Kubectl]:
    """kubectl for the stack's cluster; its kubeconfig is a file only as long as this lasts. Raises CannotLook."""
    with tempfile.NamedTemporaryFile("w", prefix="storage-lab-", suffix=".kubeconfig") as file:
        file.write(stack.kubeconfig)
        file.flush()
        yield Kubectl(Path(file.name), stack.name)
