"""A stack of the lab in a folder of its own, whose commands are timed."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.engine_log import Split, split
from benchmarks.measure import MEBIBYTE, Usage, seconds
from checkout import Checkout
from localcloud.machine import processes

# A command that hangs must not take the whole run with it; the longest, with 200 servers, take five minutes.
_PATIENCE = 1200
_ROLES = {"program": "PULUMI_LAB_RUN", "provider": "pulumi-resource-kubernetes", "engine": "pulumi "}


@dataclass(frozen=True)
class Timing:
    """One command: seconds by what they went to, peak MiB and processor seconds by role."""

    split: Split
    memory: dict[str, float]
    cpu: dict[str, float]


class CommandFailed(Exception):
    """A command of the benchmark ended otherwise than with 0; carries the end of what it said."""


class Stack:
    """`servers` are entries of storage-lab:servers."""

    def __init__(self, folder: Path, servers: Sequence[str]) -> None:
        self.lab = Checkout(folder, config={"servers": list(servers)})

    def timed(self, command: str) -> Timing:
        """Run up, preview, refresh or destroy. Raises CommandFailed."""
        words = ["pulumi", command, "--stack", "local", "--non-interactive", "-v=7", "--logtostderr"]
        words += [] if command == "preview" else ["--yes", "--skip-preview"]
        log = self.lab.folder / f"{command}.log"
        usage = Usage(_ROLES)

        def run() -> int:
            with log.open("wb") as errors, (self.lab.folder / "output").open("wb") as output:
                process = subprocess.Popen(
                    words, cwd=self.lab.folder, env=self.lab.env, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
                )
                usage.watch(process, _PATIENCE)
            return process.returncode

        codes = list[int]()
        whole = seconds(lambda: codes.append(run()))
        if codes != [0]:
            said = (self.lab.folder / "output").read_text(errors="replace")[-2000:]
            raise CommandFailed(f"pulumi {command} ended with {codes[0]} after {whole:.0f} s:\n{said}")
        with log.open(errors="replace") as lines:
            return Timing(split(lines, whole), usage.memory, usage.cpu)

    def api_server(self) -> float:
        """MiB that the API server holds now."""
        found = (one.process for one in processes.find(self.lab.cloud) if one.component == "kube-apiserver")
        return max((psutil.Process(process.pid).memory_info().rss / MEBIBYTE for process in found), default=0.0)

    def take_down(self) -> None:
        """End what is left of it, however the benchmark ended."""
        if self.lab.cloud.exists():
            self.lab.run("python", "-m", "localcloud", "delete", str(self.lab.cloud), expect=None)
