"""A local cloud: created, started, stopped, deleted, asked for its health.

Every step survives being killed at any moment. Facts are written whole or not at all; a cloud is nobody's before its
cluster id is written, so one that was left half-made is cleared away and made anew; and what runs is found by what the
processes themselves carry (processes.py), never by a pid file alone.
"""

import base64
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from . import kubeconfig
from .credential import runs
from .errors import ComponentDied, LocalCloudError
from .health import Api, Fault, faults
from .kwok import kwokctl as kwok
from .machine import csi_socket as sockets
from .machine import ports, processes
from .machine.lock import exclusive
from .record import record as facts_file
from .record.layout import Layout
from .record.record import Facts, write_atomically
from .startup import Startup

GRACE_SECONDS = 5
# etcd lays out its log in files of 64 MB, two at a time.
_MEGABYTES = 256
# A port may be taken in the moment before its server binds it; while a cloud is new it can have others.
_ATTEMPTS = 3


def _quiet(_message: str) -> None:
    pass


class ControlPlane:
    """The local cloud in `folder`, run by the programs in the folder `tools`. `tell` is given progress, a line each.

    Every method raises LocalCloudError, whose text is for the user. Calls for one cloud, also from other processes,
    wait for each other.
    """

    def __init__(self, folder: Path, *, tools: Path, tell: Callable[[str], None] = _quiet) -> None:
        # Resolved once: it is what the cloud's processes carry, and how they are found again.
        self.folder = folder.resolve()
        self._tools = Path(os.path.abspath(tools))
        self._tell = tell
        self._layout = Layout(self.folder)

    @classmethod
    def at(cls, folder: Path, *, tell: Callable[[str], None] = _quiet) -> "ControlPlane":
        """The cloud that was created in `folder`, with the tools that it was created with."""
        facts = facts_file.read(folder.resolve())
        if facts is None:
            raise LocalCloudError(f"there is no local cloud in {folder}: `pulumi up` creates one")
        return cls(folder, tools=Path(facts.tools), tell=tell)

    def facts(self) -> Facts | None:
        """What is known about the cloud; None where none was created, or its creation was not finished."""
        facts = facts_file.read(self.folder)
        return facts if facts is not None and facts.cluster_id else None

    def health(self) -> list[Fault]:
        """What is wrong with the cloud now; empty when all is well. A cloud that was never created raises."""
        facts = self._existing()
        return list(faults(facts, self._layout, Api(facts, self._layout)))

    def create(self, region: str) -> Facts:
        """Make the cloud and start it; where it exists already, start what does not run.

        Returns when it is healthy, but for the controllers of one that is new, which follow within a few seconds. When
        a process dies, or on any other failure, nothing is left running.
        """
        self._require_tools()
        with self._alone():
            if self.facts() is None:
                return self._create(region)
            facts = self._existing()
            if facts.region != region:
                raise LocalCloudError(
                    f"the local cloud in {self.folder} is in {facts.region}, not in {region}: delete it first"
                )
            self._tell(f"the local cloud in {self.folder} is there already: going on with it")
            self._start(facts)
            return facts

    def start(self) -> None:
        """Start what does not run, and nothing else. Returns when the cloud is healthy."""
        self._existing()  # before the lock, which would make folders
        self._require_tools()
        with self._alone():
            self._start(self._existing())

    def ensure_running(self) -> None:
        """As start, without waiting for the lock where all is well."""
        if self.health():
            self.start()

    def stop(self) -> None:
        """End the processes and keep the data. Nothing to do where none runs."""
        self._existing()
        with self._alone():
            self._end(processes.find(self.folder))

    def delete(self) -> None:
        """End the processes and remove the folder. Works on half-made clouds, and where the folder is gone already."""
        with self._alone():
            with suppress(LocalCloudError):  # facts that cannot be read are no reason to keep the rest
                facts = facts_file.read(self.folder)
                sockets.remove(Path(facts.socket) if facts else sockets.choose(self.folder), self.folder)
            self._clear()

    @contextmanager
    def _alone(self) -> Generator[None]:
        """Hold the cloud's lock; what the system refuses (a full disk, a folder of somebody else's) is said plainly."""
        try:
            with exclusive(self.folder, tell=self._tell):
                yield
        except OSError as error:
            what = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
            raise LocalCloudError(f"the local cloud in {self.folder} cannot be worked on: {what}") from error

    def _existing(self) -> Facts:
        facts = self.facts()
        if facts is None:
            raise LocalCloudError(f"there is no local cloud in {self.folder}: `pulumi up` creates one")
        if facts.folder != str(self.folder):
            raise LocalCloudError(
                f"the local cloud in {self.folder} was created in {facts.folder} and cannot be moved: "
                "move it back, or delete it and run `pulumi up`"
            )
        return facts

    def _require_tools(self) -> None:
        missing = [tool for tool in kwok.TOOLS if not os.access(self._tools / tool, os.X_OK)]
        if missing:
            raise LocalCloudError(f"{', '.join(missing)} missing in {self._tools}: `make setup` builds the tools")

    def _require_space(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free // 2**20
        if free < _MEGABYTES:
            raise LocalCloudError(f"{free} MB are free in {self.folder}: a local cloud needs {_MEGABYTES} MB")

    def _create(self, region: str) -> Facts:
        for attempt in range(1, _ATTEMPTS + 1):
            self._clear()
            self._require_space()
            try:
                return self._create_once(region)
            except ComponentDied as died:
                processes.end(processes.find(self.folder), grace_seconds=0)
                if "address already in use" not in died.log_end.lower() or attempt == _ATTEMPTS:
                    raise
                self._tell(f"a port of {died.component} was taken in the meantime: choosing others")
            except BaseException:
                processes.end(processes.find(self.folder), grace_seconds=0)
                raise
        raise AssertionError("unreachable")

    def _create_once(self, region: str) -> Facts:
        layout = self._layout
        with ports.reserve() as chosen:
            facts = Facts(
                name=self.folder.name,
                folder=str(self.folder),
                region=region,
                tools=str(self._tools),
                ports=chosen,
                socket=str(sockets.choose(self.folder)),
            )
            facts_file.write(self.folder, facts)
            token = secrets.token_hex(32)
            write_atomically(layout.token, f'{token},admin,admin,"system:masters"\n')
            kwok.write_configuration(facts, layout)
            # The controllers wait for every last default role of RBAC to be written. Meanwhile whoever asked for the
            # cloud can make nodes and claims: what waits for a controller waits for it anyway.
            command = (*kwok.CREATE, "--config", str(layout.configuration))
            pids = self._bring_up(facts, *command, later=("kube-controller-manager",))
            facts = replace(
                facts,
                cluster_id=self._cluster_id(facts),
                ca_data=base64.b64encode(layout.ca.read_bytes()).decode(),
            )
            write_atomically(layout.kubeconfig, kubeconfig.text(facts))
            facts_file.write(self.folder, facts)
            self._note_running(pids)
            return facts

    def _cluster_id(self, facts: Facts) -> str:
        """The uid of kube-system, which the API server makes soon after it has become ready."""
        api = Api(facts, self._layout)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if namespace := api.find("/api/v1/namespaces/kube-system"):
                return namespace["metadata"]["uid"]
            time.sleep(0.03)
        raise LocalCloudError("the API server made no namespace kube-system within 30 s: try again")

    def _start(self, facts: Facts) -> None:
        found = self._reconcile_pid_files(facts)
        missing = [component for component in kwok.COMPONENTS if component.name not in found]
        if not missing and runs(self._layout) and not self.health():
            return  # another command has done it while we waited for the lock
        self._layout.running.unlink(missing_ok=True)
        for component in missing:
            for port in (facts.ports[name] for name in component.ports):
                if not ports.is_free(port):
                    holder = ports.holder(port)
                    raise LocalCloudError(
                        f"port {port} of {component.name} is taken by {holder}: end that, and try again"
                    )
        if missing:
            self._tell(f"starting the local cloud {facts.name}: {', '.join(c.name for c in missing)}")
        with ports.guard(facts.ports):
            try:
                pids = self._bring_up(facts, *(kwok.START if missing else ()))
            except LocalCloudError:
                self._end(processes.find(self.folder))
                raise
        self._note_running(pids)

    def _bring_up(self, facts: Facts, *command: str, later: Collection[str] = ()) -> dict[str, int]:
        kwok.write_commands(self._layout)
        sockets.prepare(Path(facts.socket), self.folder)
        return Startup(facts, self._layout, Api(facts, self._layout)).run(*command, later=later)

    def _note_running(self, pids: dict[str, int]) -> None:
        write_atomically(self._layout.running, json.dumps(pids))

    def _reconcile_pid_files(self, facts: Facts) -> set[str]:
        """Make the pid files say what is true, for kwokctl believes them, and return what runs."""
        owned = processes.find(self.folder)
        names = {one.component for one in owned}
        # kwokctl of a command that was killed; and sidecars, about to end because their CSI controller did.
        doomed = [one for one in owned if one.component == processes.STARTER]
        if "ebs-csi" not in names:
            doomed += [one for one in owned if one.component in kwok.SIDECARS]
        processes.end(doomed, grace_seconds=0)
        kept = {one.component: one for one in owned if one not in doomed}
        for component in kwok.COMPONENTS:
            pid_file = self._layout.pid_file(component.name)
            if component.name not in kept:
                pid_file.unlink(missing_ok=True)
            elif processes.read_pid_file(pid_file, self.folder, component.name) is None:
                pid_file.write_text(str(kept[component.name].process.pid))
        if "ebs-csi" not in kept:  # or the socket of the one that was killed would pass for the new one's
            Path(facts.socket).unlink(missing_ok=True)
        return set(kept)

    def _end(self, owned: list[processes.Owned]) -> None:
        self._layout.running.unlink(missing_ok=True)
        processes.end([one for one in owned if one.component == processes.STARTER], grace_seconds=0)
        stores = [one for one in owned if one.component in ("etcd", "ec2-api")]
        # What keeps no data needs no grace, and ending it first leaves the stores at rest.
        processes.end([one for one in owned if one not in stores], grace_seconds=0)
        processes.end(stores, grace_seconds=GRACE_SECONDS)
        for component in kwok.COMPONENTS:
            self._layout.pid_file(component.name).unlink(missing_ok=True)

    def _clear(self) -> None:
        """End whatever runs for this folder, and remove it, if it is ours."""
        running = processes.find(self.folder)
        processes.end(running, grace_seconds=0)
        if not self.folder.exists():
            return
        content = {path.name for path in self.folder.iterdir() if not path.name.startswith(f".{facts_file.FILE}.")}
        # Whoever removes the folder of a running cloud sees its processes make parts of it anew.
        if content and facts_file.FILE not in content and not running:
            raise LocalCloudError(f"{self.folder} is not the folder of a local cloud: move it away")
        # The facts go last: what a crash leaves behind is still known as ours.
        for path in self.folder.iterdir():
            if path.name != facts_file.FILE:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.rmtree(self.folder)
