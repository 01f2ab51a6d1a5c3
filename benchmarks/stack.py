"""A stack of the lab in a folder of its own, whose commands are timed."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.engine_log import Split, split
from benchmarks.measure import MEBIBYTE, Usage, seconds
from checkout import Checkout, CommandFailed
from localcloud.machine import processes

# A command that hangs must not stop the whole run; the longest, with 200 servers, takes five minutes.
_COMMAND_SECONDS = 1200
_ROLES = {"program": "PULUMI_LAB_RUN", "provider": "pulumi-resource-kubernetes", "engine": "pulumi "}


@dataclass(frozen=True)
class Timing:
    """One command: its seconds by cause, peak MiB and processor seconds by role."""

    split: Split
    memory: dict[str, float]
    cpu: dict[str, float]


class Stack:
    """`servers` are entries of storage-lab:servers."""

    def __init__(self, folder: Path, servers: Sequence[str]) -> None:
        self.checkout = Checkout(folder, config={"servers": list(servers)})

    def timed(self, command: str) -> Timing:
        """Run up, preview, refresh or destroy. Raises CommandFailed."""
        words = ["pulumi", command, "--stack", "local", "--non-interactive", "-v=7", "--logtostderr"]
        words += [] if command == "preview" else ["--yes", "--skip-preview"]
        log = self.checkout.folder / f"{command}.log"
        usage = Usage(_ROLES)

        def run() -> int:
            with log.open("wb") as errors, (self.checkout.folder / "output").open("wb") as output:
                process = subprocess.Popen(
                    words,
                    cwd=self.checkout.folder,
                    env=self.checkout.env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                )
                usage.watch(process, _COMMAND_SECONDS)
            return process.returncode

        codes = list[int]()
        whole = seconds(lambda: codes.append(run()))
        if codes != [0]:
            said = (self.checkout.folder / "output").read_text(errors="replace")[-2000:]
            raise CommandFailed(f"pulumi {command} ended with {codes[0]} after {whole:.0f} s:\n{said}")
        with log.open(errors="replace") as lines:
            return Timing(split(lines, whole), usage.memory, usage.cpu)

    def memory(self, component: str) -> float:
        """Return the MiB that this process of the local cloud holds now."""
        found = (one.process for one in processes.find(self.checkout.cloud) if one.component == component)
        return max((psutil.Process(process.pid).memory_info().rss / MEBIBYTE for process in found), default=0.0)

    def take_down(self) -> None:
        """Delete the local cloud, however the benchmark ended."""
        if self.checkout.cloud.exists():
            self.checkout.run("python", "-m", "localcloud", "delete", str(self.checkout.cloud), expect=None)
