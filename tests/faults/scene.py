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
from localcloud.machine.processes import FOLDER_VARIABLE
from tests.faults.bystanders import Bystander
from tests.faults.report import ROWS, Row
from tests.faults.witness import Witness


@dataclass
class Struck:
    """How an interrupted command ended. `early` is true where it ended before the strike."""

    status: int
    output: str
    early: bool


class Scene:
    """A lab, a witness of its EC2, and other people's processes that must not be touched."""

    def __init__(self, lab: Checkout, bystanders: list[Bystander]) -> None:
        self.lab = lab
        self.bystanders = bystanders
        self.witness = Witness(lab.cloud)
        self.begun = time.monotonic()

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """A pulumi command in the background, in a session of its own; its output goes to `output`."""
        options = [] if words[0] == "preview" else ["--yes", "--skip-preview"]
        with self.output.open("wb") as log:
            return subprocess.Popen(
                ["pulumi", *words, *options, "--stack", self.lab.stack, "--non-interactive"],
                cwd=self.lab.folder,
                env={**self.lab.env, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def output(self) -> Path:
        return self.lab.folder / f"{self.lab.stack}.log"

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def strike(self, command: str, when: float | str, blow: Callable[["subprocess.Popen[bytes]"], None]) -> Struck:
        """Runs a command and gives it a blow after so many seconds, or once it has printed that."""
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
        """Waits for a command that `start` began."""
        try:
            return Struck(running.wait(COMMAND_SECONDS), self.said(), early=False)
        except subprocess.TimeoutExpired:
            kill_tree(running)
            running.wait()
            raise AssertionError(f"the command goes on after {COMMAND_SECONDS} s:\n{self.said()}") from None

    def check_standing(self) -> None:
        """Every claim is bound to one volume, every volume has one claim, every node one instance."""
        volumes = self.lab.get("pv")["items"]
        handles = {volume["spec"]["csi"]["volumeHandle"] for volume in volumes}
        claims = self.lab.get("pvc", "--all-namespaces")["items"]
        assert {claim["status"]["phase"] for claim in claims} == {"Bound"}, "a claim without its volume"
        assert len(handles) == len(claims), f"{len(claims)} claims and the volumes {handles}"
        assert self.witness.volumes() == handles, "EC2 has others than Kubernetes: a duplicate, or an orphan"
        nodes = self.lab.get("nodes")["items"]
        assert len(self.witness.instances()) == len(nodes), "an instance without a node, or the other way round"
        self._check_state()

    def check_gone(self) -> None:
        """Nothing is left: no resource, no process, no folder, no volume."""
        assert self.lab.state() == [], "the stack still holds resources"
        assert [one.component for one in self.lab.processes()] == [], "processes are left"
        assert not self.lab.cloud.exists(), "the data folder is left"
        until(lambda: self.plugins() == [], "Pulumi's own processes have ended, with the command or after it", 10)
        assert self.witness.volumes() == set(), "EBS volumes were left when the EC2 API ended"

    def plugins(self) -> list[str]:
        """What still runs of Pulumi for this lab: engine, language host, program, providers."""
        ours = self.lab.env["PULUMI_BACKEND_URL"]
        return [process.name() for process in psutil.process_iter() if _environ(process, "PULUMI_BACKEND_URL") == ours]

    def _check_state(self) -> None:
        surgery = [operation for operation in self.lab.pending() if not operation.startswith("creating ")]
        assert surgery == [], "pending operations that no refresh clears"

    def volumes_left(self) -> int:
        """EBS volumes that no PersistentVolume stands for."""
        if not self.lab.processes() or not (self.lab.cloud / "kubeconfig").exists():
            return len(self.witness.volumes())
        known = {volume["spec"]["csi"]["volumeHandle"] for volume in self.lab.get("pv")["items"]}
        return len(self.witness.volumes() - known)

    def foreign_touched(self) -> int:
        return sum(bystander.touched for bystander in self.bystanders)

    def note(self, fault: str, where: str, saw: str, seconds: float | None = None) -> None:
        """A line for the table, and the two zeros in it asserted."""
        seconds = time.monotonic() - self.begun if seconds is None else seconds
        row = Row(fault, where, saw, seconds, self.volumes_left(), self.foreign_touched())
        ROWS.append(row)
        assert row.volumes == 0, f"EBS volumes without a claim are left after: {fault}"
        assert row.foreign == 0, f"other people's processes were signalled: {fault}"

    @contextmanager
    def fault(self, what: str, where: str) -> Iterator[Callable[[str], None]]:
        """Times a fault up to the end of the block; the function that it yields notes what the user saw."""
        self.begun = time.monotonic()
        saw: list[str] = []
        yield saw.append
        self.note(what, where, "; ".join(saw))


def _environ(process: psutil.Process, variable: str) -> str | None:
    """The variable in the environment of a process that is not of a local cloud."""
    try:
        environ = process.environ()
    except psutil.Error:  # it has ended
        return None
    return None if FOLDER_VARIABLE in environ else environ.get(variable)


def interrupt(running: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C: the terminal sends it to the whole foreground process group."""
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGINT)


def interrupt_twice(running: "subprocess.Popen[bytes]") -> None:
    """The impatient one: again as soon as the first is acknowledged, or half a second later."""
    interrupt(running)
    try:
        running.wait(0.5)
    except subprocess.TimeoutExpired:
        interrupt(running)


def kill_tree(running: "subprocess.Popen[bytes]") -> None:
    """SIGKILL for pulumi and all that it started, save for the local cloud."""
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


def errors(said: str) -> str:
    """The lab's own sentence in what a failed command printed, or the first error, on one line for the table."""
    told = said.rpartition("Diagnostics:")[2]
    found = re.search(r"Failure: (.+)", told)
    found = found or re.search(r"error: (?!update failed|preview failed|Resource monitor)(.+:\n.+|.+)", told)
    return " ".join(found[1].split())[:160] if found else ""


def summary(said: str) -> str:
    """The last part of what a pulumi command prints: how many resources, and what became of them."""
    found = re.search(r"Resources:\n((?: +.+\n)+)", said)
    return ", ".join(line.strip() for line in found[1].splitlines()) if found else "nothing to do"


def component(scene: Scene, name: str) -> psutil.Process:
    """The process of a component of the scene's local cloud."""
    return next(one.process for one in scene.lab.processes() if one.component == name)


def patch(scene: Scene, kind: str, name: str, change: str, *words: str) -> Any:
    return scene.lab.kubectl("patch", kind, name, "--type=merge", "-p", change, *words)
