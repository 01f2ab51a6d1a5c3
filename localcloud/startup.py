"""Starting a local cloud: kwokctl launches the processes, and this watches each of them until the cloud is healthy.

kwokctl itself would wait for minutes for a process that has died, and runs a kubectl five times a second. So kwokctl is
ended as soon as it has launched everything.
"""

import json
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

from .components import COMPONENTS, Component, components_of
from .errors import ComponentDied, LocalCloudError, log_end
from .health import Api, is_ready
from .kwok.kwokctl import START, start_process
from .machine import processes
from .record.layout import Layout
from .record.record import CloudRecord
from .shutdown import end

# Everything is up after 3 s on two idle cores. This is for a machine that compiles at the same time.
SECONDS = 120
_POLL_SECONDS = 0.04


def reconcile_pid_files(layout: Layout, outdated: Collection[str]) -> set[str]:
    """Make the pid files say what is true, because kwokctl believes them, and return the components that run.

    Ends what must not run on: the processes of a command that was killed, those whose commands are outdated, and
    sidecars whose CSI controller has ended, because they are about to end too.
    """
    owned = processes.find(layout.folder)
    doomed = {processes.STARTER, *outdated}
    if "ebs-csi" in doomed or all(one.component != "ebs-csi" for one in owned):
        doomed |= {component.name for component in COMPONENTS if component.kind == "sidecar"}
    end([one for one in owned if one.component in doomed], layout)
    kept = {one.component: one for one in owned if one.component not in doomed}
    for pid_file in layout.pid_files.glob("*.pid"):
        if pid_file.stem not in kept:
            pid_file.unlink()
    for component, one in kept.items():
        if processes.read_pid_file(layout.pid_file(component), layout.folder, component) is None:
            layout.pid_file(component).write_text(str(one.process.pid))
    return set(kept)


class Startup:
    """One attempt to bring a cloud up. The caller holds the cloud's lock and has reconciled the pid files."""

    def __init__(self, record: CloudRecord, layout: Layout, api: Api) -> None:
        self._record = record
        self._layout = layout
        self._api = api
        self._components = components_of(record)
        self._kwokctl: subprocess.Popen[bytes] | None = None
        self._pids: dict[str, int] = {}
        self._ready: set[str] = set()
        self._gave_up: set[str] = set()  # died while the API server was not ready yet; to be started once more
        self._retried: set[str] = set()

    def run(self, *command: str, later: Collection[str] = ()) -> dict[str, int]:
        """Bring the cloud up with this kwokctl command, without one where all runs, and return the pids by component.

        It does not wait until the components in `later` are ready, unless one had to be started twice.
        Raises LocalCloudError; as ComponentDied it names the process that ended and what that wrote last.
        """
        deadline = time.monotonic() + SECONDS
        if command:
            self._launch(*command)
        try:
            while True:
                for component in self._components:
                    self._observe(component)
                self._mind_kwokctl()
                if self._gave_up and self._kwokctl is None and "kube-apiserver" in self._ready:
                    self._start_again()
                names = [component.name for component in self._components]
                if all(name in self._ready or (name in later and self._goes_well(name)) for name in names):
                    return dict(self._pids)
                if time.monotonic() > deadline:
                    raise self._too_slow()
                time.sleep(_POLL_SECONDS)
        finally:
            self._end_kwokctl()

    def _launch(self, *command: str) -> None:
        self._kwokctl = start_process(self._record, self._layout, *command)

    def _observe(self, component: Component) -> None:
        name = component.name
        pid_file = self._layout.pid_file(name)
        # Asked before the process is looked for, because kwokctl may write the number at any time.
        launched = _has_content(pid_file)
        owned = processes.read_pid_file(pid_file, self._layout.folder, name)
        if owned is not None:
            self._pids[name] = owned.process.pid
            if name not in self._ready and is_ready(component, self._record, self._layout, self._api):
                self._ready.add(name)
        elif launched and name not in self._gave_up:
            # Controllers and sidecars give up on an API server that is slow: that costs them one try.
            if not component.needs_api or name in self._retried:
                raise ComponentDied(name, self._layout.log(name))
            self._ready.discard(name)
            self._gave_up.add(name)

    def _goes_well(self, name: str) -> bool:
        """Return whether a component runs and did not have to be started twice."""
        return name in self._pids and name not in self._gave_up | self._retried

    def _mind_kwokctl(self) -> None:
        """End kwokctl where it has launched everything; raise where it ended before that."""
        if self._kwokctl is None:
            return
        if all(c.name in self._pids or c.name in self._gave_up for c in self._components):
            self._end_kwokctl()
        elif self._kwokctl.poll() not in (None, 0):
            raise LocalCloudError(f"kwokctl could not start the local cloud: {self._last_error()}")

    def _start_again(self) -> None:
        for name in self._gave_up:
            self._layout.pid_file(name).unlink(missing_ok=True)
            self._pids.pop(name, None)
        self._retried |= self._gave_up
        self._gave_up.clear()
        self._launch(*START)

    def _end_kwokctl(self) -> None:
        if self._kwokctl is not None:
            self._kwokctl.kill()
            self._kwokctl.wait()
            self._kwokctl = None
            # Its kubectl outlives it, and waits for an API server that may not answer soon.
            asking = [one for one in processes.find(self._layout.folder) if one.component == processes.STARTER]
            processes.end(asking, grace_seconds=0)

    def _last_error(self) -> str:
        """Return the last error in kwokctl's log, which has a JSON object a line; or the end of the log."""
        log = self._layout.kwokctl_log
        lines = log.read_text(errors="replace").splitlines()
        try:
            return " ".join(json.loads(lines[-1])["err"].split())
        except (IndexError, ValueError, KeyError):
            return f"the end of {log} is\n{log_end(log)}"

    def _too_slow(self) -> LocalCloudError:
        silent = ", ".join(c.name for c in self._components if c.name not in self._ready)
        return LocalCloudError(
            f"the local cloud is not up after {SECONDS} s, because {silent} did not answer: "
            f"see the logs in {self._layout.log('*').parent}, or try again when the machine is less busy"
        )


def _has_content(pid_file: Path) -> bool:
    """Return whether a number is in the file: kwokctl creates the file a moment before it writes the number."""
    try:
        return pid_file.stat().st_size > 0
    except OSError:
        return False
