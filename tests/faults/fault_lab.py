"""A lab under faults: strikes against it, what must hold afterwards, and a line in the table for it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from checkout import COMMAND_SECONDS, Checkout
from checkout.until import until
from localcloud.liveness import FOLDER_VARIABLE
from tests.faults.ec2_state import Ec2State
from tests.faults.report import NOTED, Row
from tests.faults.unrelated_processes import UnrelatedProcess


@dataclass
class Struck:
    """How an interrupted command ended. `early` is true where it ended before the strike."""

    status: int
    output: str
    early: bool


class FaultLab:
    """A lab, what its EC2 has, and other people's processes that must not be signalled."""

    def __init__(self, checkout: Checkout, unrelated_processes: list[UnrelatedProcess]) -> None:
        self.checkout = checkout
        self.unrelated_processes = unrelated_processes
        self.ec2_state = Ec2State(checkout.cloud)
        self.begun = time.monotonic()

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """Start a pulumi command in the background, in a session of its own; its output goes to `output`."""
        options = [] if words[0] == "preview" else ["--yes", "--skip-preview"]
        with self.output.open("wb") as log:
            return subprocess.Popen(
                ["pulumi", *words, *options, "--stack", self.checkout.stack, "--non-interactive"],
                cwd=self.checkout.folder,
                env={**self.checkout.env, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def output(self) -> Path:
        return self.checkout.folder / f"{self.checkout.stack}.log"

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def strike(self, command: str, when: float | str, blow: Callable[["subprocess.Popen[bytes]"], None]) -> Struck:
        """Run a command and strike it after so many seconds, or once it has printed `when`."""
        running = self.start(command)
        if isinstance(when, str):
            until(lambda: when in self.said() or running.poll() is not None, f"pulumi {command} prints {when!r}", 120)
        else:
            with suppress(subprocess.TimeoutExpired):
                running.wait(when)
        early = running.poll() is not None
        blow(running)
        struck = self.finish(running)
        return Struck(struck.status, struck.output, early)

    def finish(self, running: "subprocess.Popen[bytes]") -> Struck:
        """Wait for a command that `start` began."""
        try:
            return Struck(running.wait(COMMAND_SECONDS), self.said(), early=False)
        except subprocess.TimeoutExpired:
            kill_tree(running)
            running.wait()
            raise AssertionError(f"the command goes on after {COMMAND_SECONDS} s:\n{self.said()}") from None

    def check_standing(self) -> None:
        """Assert that each claim is bound to one volume, each volume has one claim, and each node one instance."""
        volumes = self.checkout.get("pv")["items"]
        handles = {volume["spec"]["csi"]["volumeHandle"] for volume in volumes}
        claims = self.checkout.get("pvc", "--all-namespaces")["items"]
        assert {claim["status"]["phase"] for claim in claims} == {"Bound"}, "a claim without its volume"
        assert len(handles) == len(claims), f"{len(claims)} claims and the volumes {handles}"
        assert self.ec2_state.volumes() == handles, "EC2 has others than Kubernetes: a duplicate, or an orphan"
        nodes = [node["spec"]["providerID"].rpartition("/")[2] for node in self.checkout.get("nodes")["items"]]
        assert sorted(self.ec2_state.instances()) == sorted(nodes), "the nodes' instances are not those of EC2"
        self._check_state()

    def check_gone(self) -> None:
        """Assert that no resource, process, folder or volume is left."""
        assert self.checkout.state() == [], "the stack still holds resources"
        assert [one.component for one in self.checkout.processes()] == [], "processes are left"
        assert not self.checkout.cloud.exists(), "the data folder is left"
        until(lambda: self.plugins() == [], "Pulumi's own processes have ended, with the command or after it", 10)
        assert self.ec2_state.volumes() == set(), "EBS volumes were left when the EC2 API ended"

    def plugins(self) -> list[str]:
        """Return the names of Pulumi's processes for this lab: engine, language host, program, providers."""
        ours = self.checkout.env["PULUMI_BACKEND_URL"]
        return [process.name() for process in psutil.process_iter() if _environ(process, "PULUMI_BACKEND_URL") == ours]

    def _check_state(self) -> None:
        surgery = [operation for operation in self.checkout.pending() if not operation.startswith("creating ")]
        assert surgery == [], "pending operations that no refresh clears"

    def volumes_left(self) -> int:
        """Return how many EBS volumes have no PersistentVolume."""
        if not self.checkout.processes() or not (self.checkout.cloud / "kubeconfig").exists():
            return len(self.ec2_state.volumes())
        known = {volume["spec"]["csi"]["volumeHandle"] for volume in self.checkout.get("pv")["items"]}
        return len(self.ec2_state.volumes() - known)

    def unrelated_signalled(self) -> int:
        return sum(process.signalled for process in self.unrelated_processes)

    def note(self, fault: str, where: str, saw: str, seconds: float | None = None) -> None:
        """Note a line for the table, and assert the two zeros in it."""
        seconds = time.monotonic() - self.begun if seconds is None else seconds
        row = Row(fault, where, saw, seconds, self.volumes_left(), self.unrelated_signalled())
        NOTED.append(row)
        assert row.volumes == 0, f"EBS volumes without a claim are left after: {fault}"
        assert row.foreign == 0, f"other people's processes were signalled: {fault}"

    @contextmanager
    def fault(self, what: str, where: str) -> Iterator[Callable[[str], None]]:
        """Time a fault up to the end of the block; the function that this yields notes what the user saw."""
        self.begun = time.monotonic()
        saw: list[str] = []
        yield saw.append
        self.note(what, where, "; ".join(saw))


def _environ(process: psutil.Process, variable: str) -> str | None:
    """Return the variable in the environment of a process, unless the process is one of a local cloud."""
    try:
        environ = process.environ()
    except psutil.Error:  # it has ended
        return None
    return None if FOLDER_VARIABLE in environ else environ.get(variable)


def interrupt(running: "subprocess.Popen[bytes]") -> None:
    """Press Ctrl-C: the terminal sends SIGINT to the whole foreground process group."""
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGINT)


def interrupt_twice(running: "subprocess.Popen[bytes]") -> None:
    """Press Ctrl-C twice, half a second apart."""
    interrupt(running)
    try:
        running.wait(0.5)
    except subprocess.TimeoutExpired:
        interrupt(running)


def kill_tree(running: "subprocess.Popen[bytes]") -> None:
    """Kill pulumi and all that it started, except for the local cloud."""
    if running.poll() is not None:
        return
    root = psutil.Process(running.pid)
    root.suspend()  # so that it starts nothing between the look and the blow
    for process in [root, *root.children(recursive=True)]:
        try:
            if process is root or FOLDER_VARIABLE not in process.environ():
                process.kill()
        except psutil.NoSuchProcess:
            pass


def kill(fault_lab: FaultLab, *names: str) -> None:
    """Kill these components of the lab's own cloud, or all of them."""
    struck = [one for one in fault_lab.checkout.processes() if not names or one.component in names]
    struck.sort(key=lambda one: one.component != "supervisor")  # or it would be faster than a kill of all
    for one in struck:
        one.process.kill()
    until(lambda: not any(one.alive for one in struck), "the killed processes are gone")


def errors(said: str) -> str:
    """Return the lab's own sentence in what a failed command printed, or the first error, on one line."""
    told = said.rpartition("Diagnostics:")[2]
    found = re.search(r"Failure: (.+)", told)
    found = found or re.search(r"error: (?!update failed|preview failed|Resource monitor)(.+:\n.+|.+)", told)
    return " ".join(found[1].split())[:160] if found else ""


def summary(said: str) -> str:
    """Return the end of what a pulumi command prints: how many resources it created, changed and deleted."""
    found = re.search(r"Resources:\n((?: +.+\n)+)", said)
    return ", ".join(line.strip() for line in found[1].splitlines()) if found else "nothing to do"


def component(fault_lab: FaultLab, name: str) -> psutil.Process:
    """Return the process of a component of the local cloud."""
    return next(one.process for one in fault_lab.checkout.processes() if one.component == name)


def patch(fault_lab: FaultLab, kind: str, name: str, change: str, **how: Any) -> Any:
    return fault_lab.checkout.kubectl("patch", kind, name, "--type=merge", "-p", change, **how)
