"""Measures seconds and memory, and describes the machine, for all parts."""

import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.1
MEBIBYTE = 2**20


def seconds(action: Callable[[], object]) -> float:
    """Return how many seconds the action takes."""
    began = time.monotonic()
    action()
    return time.monotonic() - began


def machine() -> str:
    """Return one sentence about this machine, and how busy it was when the part began."""
    busy = os.getloadavg()[0]
    memory = psutil.virtual_memory().total / 2**30
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    return (
        f"{when} UTC, {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}. Load average when it began: {busy:.1f}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


class Usage:
    """Peak memory (MiB) and processor time (seconds) of the processes below a command, by role.

    `roles` maps a role to a text in its command line. Sampled ten times a second: a process that ends sooner is missed.
    """

    def __init__(self, roles: Mapping[str, str]) -> None:
        self._roles = roles
        self._cpu: dict[tuple[str, int], float] = {}
        self.memory: dict[str, float] = {}

    @property
    def cpu(self) -> dict[str, float]:
        """Processor seconds by role."""
        return {
            role: sum(value for (other, _), value in self._cpu.items() if other == role)
            for role in {role for role, _ in self._cpu}
        }

    def watch(self, process: "subprocess.Popen[bytes]", limit: float) -> None:
        """Sample until the process ends; after `limit` seconds end it."""
        root = psutil.Process(process.pid)
        ended = threading.Event()
        thread = threading.Thread(target=self._sample, args=(root, ended))
        thread.start()
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        finally:
            ended.set()
            thread.join()

    def _sample(self, root: psutil.Process, ended: threading.Event) -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            try:
                family = [root, *root.children(recursive=True)]
            except psutil.Error:
                return
            for member in family:
                self._note(member)

    def _note(self, member: psutil.Process) -> None:
        try:
            words = " ".join(member.cmdline())
            times, resident = member.cpu_times(), member.memory_info().rss / MEBIBYTE
        except psutil.Error:
            return
        role = next((role for role, text in self._roles.items() if text in words), None)
        if role and resident:
            self._cpu[role, member.pid] = times.user + times.system
            self.memory[role] = max(self.memory.get(role, 0.0), resident)
