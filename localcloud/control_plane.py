"""A local cloud: created, started, stopped, deleted, asked for its health.

Every step survives being killed at any moment. The record is written whole or not at all. A cloud counts as created
once its cluster id is written, so a half-made cloud is cleared away and created again. And processes are found by the
variables that they carry (machine/processes.py), never by a pid file alone.
"""

import base64
import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from . import ec2_key, kubeconfig, snapshot_kinds
from .components import PORTS, TOOLS, components_of
from .errors import ComponentDied, LocalCloudError
from .health import Api, Fault, faults
from .kwok import kwokctl, update
from .liveness import runs
from .machine import csi_socket, ports, processes
from .machine.lock import exclusive
from .record import record as record_file
from .record.layout import Layout
from .record.private import make_private
from .record.record import CloudRecord, write_atomically
from .shutdown import clear, end
from .startup import Startup, reconcile_pid_files

# etcd lays out its log in files of 64 MB, two at a time.
_MEGABYTES = 256
# A port may be taken in the moment before its server binds it; a new cloud can then choose other ports.
_ATTEMPTS = 3


def _quiet(_message: str) -> None:
    pass


class ControlPlane:
    """The local cloud in `folder`, run by the programs in the folder `tools`. `tell` is given progress, a line each.

    Every method raises LocalCloudError, whose text is for the user. Calls for one cloud, also from other processes,
    wait for each other.
    """

    def __init__(self, folder: Path, *, tools: Path, tell: Callable[[str], None] = _quiet) -> None:
        # Resolved once: the cloud's processes carry this path, and are found again by it.
        self.folder = folder.resolve()
        self._tools = Path(os.path.abspath(tools))
        self._tell = tell
        self._layout = Layout(self.folder)

    @classmethod
    def at(cls, folder: Path, *, tell: Callable[[str], None] = _quiet) -> "ControlPlane":
        """Return the cloud that was created in `folder`, with the tools that it was created with."""
        record = record_file.read(folder.resolve())
        if record is None:
            raise LocalCloudError(f"there is no local cloud in {folder}: `pulumi up` creates one")
        return cls(folder, tools=Path(record.tools), tell=tell)

    def record(self) -> CloudRecord | None:
        """Return what is written down about the cloud; None where no cloud was created to the end."""
        record = record_file.read(self.folder)
        return record if record is not None and record.cluster_id else None

    def health(self) -> list[Fault]:
        """Return what is wrong with the cloud now: nothing when all is well. Raises where no cloud was created."""
        record = self._existing()
        return list(faults(record, self._layout, Api(record, self._layout)))

    def is_outdated(self) -> bool:
        """Return whether the cloud runs commands of older code, until `start`. Raises where no cloud was created."""
        return update.is_outdated(self._existing(), self._layout)

    def create(self, region: str, owner: str = "", *, snapshots: bool = False) -> CloudRecord:
        """Create the cloud for `owner` and start it; where it exists already, take it over and start what does not run.

        With `snapshots` it knows the kinds of snapshots, and runs what makes them.

        Returns when the cloud is healthy; the controllers of a new cloud follow within a few seconds. When a process
        dies, or on any other failure, nothing is left running.
        """
        self._require_tools()
        with self._locked():
            if self.record() is None:
                record = self._create(region, owner)
                return self._begin_snapshots(record) if snapshots else record
            record = self._existing()
            if record.region != region:
                raise LocalCloudError(
                    f"the local cloud in {self.folder} is in {record.region}, not in {region}: delete it first"
                )
            self._tell(f"the local cloud in {self.folder} is there already: going on with it")
            return self._with_snapshots(self._owned(record, owner), snapshots)

    def adopt(self, owner: str) -> None:
        """Write down that the cloud is this owner's now. Raises where no cloud was created."""
        if self._existing().owner != owner:
            with self._locked():
                self._owned(self._existing(), owner)

    def _owned(self, record: CloudRecord, owner: str) -> CloudRecord:
        return self._noted(replace(record, owner=owner))

    def start(self, *, snapshots: bool | None = None) -> None:
        """Start what does not run, and restart what runs commands of older code. Returns when the cloud is healthy.

        `snapshots` begins or ends snapshots in a cloud that exists; the kinds stay, with all that is of them.
        """
        self._existing()  # before the lock, which would create folders
        self._require_tools()
        with self._locked():
            record = self._existing()
            self._with_snapshots(record, record.snapshots if snapshots is None else snapshots)

    def ensure_running(self) -> None:
        """Start the cloud as `start` does, without waiting for the lock where all is well."""
        if self.health():
            self.start()

    def stop(self) -> None:
        """End the processes and keep the data."""
        self._existing()
        with self._locked():
            end(processes.find(self.folder), self._layout)

    def delete(self) -> None:
        """End the processes and remove the folder. Works on half-made clouds, and where the folder was removed."""
        with self._locked():
            with suppress(LocalCloudError):  # a record that cannot be read is no reason to keep the rest
                record = record_file.read(self.folder)
                if record is None or not self._is_copy(record):
                    csi_socket.remove(Path(record.socket) if record else csi_socket.choose(self.folder), self.folder)
            clear(self._layout)

    def _is_copy(self, record: CloudRecord) -> bool:
        """Return whether the cloud itself is still where it was created, and this folder is a copy of its."""
        original = Path(record.folder)
        if original == self.folder:
            return False
        there = record_file.read(original)
        return there is not None and there.cluster_id == record.cluster_id

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Hold the cloud's lock, and write files for their owner only, whatever the umask.

        What the system refuses (a full disk, another user's folder) leaves as a sentence.
        """
        before = os.umask(0o077)
        try:
            with exclusive(self.folder, tell=self._tell):
                yield
        except OSError as error:
            what = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
            raise LocalCloudError(f"the local cloud in {self.folder} cannot be worked on: {what}") from error
        finally:
            os.umask(before)

    def _existing(self) -> CloudRecord:
        record = self.record()
        if record is None:
            raise LocalCloudError(f"there is no local cloud in {self.folder}: `pulumi up` creates one")
        if record.folder != str(self.folder):
            raise LocalCloudError(
                f"the local cloud in {self.folder} was created in {record.folder} and works only there: move it back, "
                f"or run `python -m localcloud delete {self.folder}`, which deletes its volumes, and then `pulumi up`"
            )
        return record

    def _require_tools(self) -> None:
        missing = [tool for tool in TOOLS if not os.access(self._tools / tool, os.X_OK)]
        if missing:
            raise LocalCloudError(f"{', '.join(missing)} missing in {self._tools}: `make setup` builds the tools")

    def _require_space(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free // 2**20
        if free < _MEGABYTES:
            raise LocalCloudError(f"{free} MB are free in {self.folder}: a local cloud needs {_MEGABYTES} MB")

    def _create(self, region: str, owner: str) -> CloudRecord:
        for attempt in range(1, _ATTEMPTS + 1):
            clear(self._layout)
            self._require_space()
            try:
                return self._create_once(region, owner)
            except ComponentDied as died:
                processes.end(processes.find(self.folder), grace_seconds=0)
                if "address already in use" not in died.log_end.lower() or attempt == _ATTEMPTS:
                    raise
                self._tell(f"a port of {died.component} was taken in the meantime: choosing others")
            except BaseException:
                processes.end(processes.find(self.folder), grace_seconds=0)
                raise
        raise AssertionError("unreachable")

    def _create_once(self, region: str, owner: str) -> CloudRecord:
        from . import pki  # here: what starts a cloud does not need it

        layout = self._layout
        with ports.reserve(PORTS) as chosen:
            record = CloudRecord(
                name=self.folder.name,
                folder=str(self.folder),
                region=region,
                tools=str(self._tools),
                ports=chosen,
                socket=str(csi_socket.choose(self.folder)),
                owner=owner,
            )
            record_file.write(self.folder, record)
            token = secrets.token_hex(32)
            write_atomically(layout.token, f'{token},admin,admin,"system:masters"\n')
            ec2_key.create(layout, region)
            pki.create(layout)
            kwokctl.write_configuration(record, layout)
            # The controllers wait for every last default role of RBAC to be written. Meanwhile the caller can create
            # nodes and claims: what waits for a controller waits for it anyway.
            command = (*kwokctl.CREATE, "--config", str(layout.configuration))
            pids = self._bring_up(record, *command, later=("kube-controller-manager",))
            record = replace(
                record,
                cluster_id=Api(record, layout).cluster_id(),
                ca_data=base64.b64encode(layout.ca.read_bytes()).decode(),
                commands=update.digest(record, layout),
            )
            write_atomically(layout.kubeconfig, kubeconfig.text(record))
            record_file.write(self.folder, record)
            self._note_running(pids)
            return record

    def _start(self, record: CloudRecord, *, switched: bool = False) -> CloudRecord:
        """Start what does not run, and anew what runs older commands; `switched` says that only a setting changed."""
        layout = self._layout
        if runs(layout) and not self.health() and not self.is_outdated():
            return record  # another command has done it while this one waited for the lock
        with self._ports_for_all(record) as all_ports:
            record = replace(record, ports=all_ports)
            outdated = update.outdated(record, layout) if switched else update.of_older_code(record, layout)
            running = reconcile_pid_files(layout, outdated)
            missing = [component for component in components_of(record) if component.name not in running]
            if "ebs-csi" not in running:  # or the socket of a killed controller would pass for the new one's
                Path(record.socket).unlink(missing_ok=True)
            ports.require_free({port: record.ports[port] for component in missing for port in component.ports})
            ec2_key.create(layout, record.region)
            if outdated:
                make_private(self.folder)
                update.update(record, layout)
            if missing:
                self._tell(f"starting the local cloud {record.name}: {', '.join(c.name for c in missing)}")
            try:
                pids = self._bring_up(record, *(kwokctl.START if missing else ()))
            except LocalCloudError:
                end(processes.find(self.folder), layout)
                raise
        record = replace(record, commands=update.digest(record, layout))
        record_file.write(self.folder, record)
        self._note_running(pids)
        return record

    def _with_snapshots(self, record: CloudRecord, snapshots: bool) -> CloudRecord:
        """Start the cloud, with or without what makes snapshots."""
        if snapshots and not record.snapshots:
            return self._begin_snapshots(self._start(record))
        if snapshots == record.snapshots:
            return self._start(record)
        record = self._start(record)
        snapshot_kinds.require_none_left(Api(record, self._layout))
        return self._start(self._noted(replace(record, snapshots=False)), switched=True)

    def _begin_snapshots(self, record: CloudRecord) -> CloudRecord:
        """Add what makes snapshots to a cloud that runs: first the kinds, which csi-provisioner looks for only once."""
        snapshot_kinds.install(Api(record, self._layout))
        # Written before the start, so that the next command completes a start that was cut off.
        return self._start(self._noted(replace(record, snapshots=True)), switched=True)

    def _noted(self, record: CloudRecord) -> CloudRecord:
        record_file.write(self.folder, record)
        return record

    @contextmanager
    def _ports_for_all(self, record: CloudRecord) -> Generator[dict[str, int]]:
        """Guard the cloud's ports, and choose ports for components that came after the cloud was created."""
        added = [port for port in PORTS if port not in record.ports]
        with ports.guard(record.ports), ports.reserve(added) if added else nullcontext(dict[str, int]()) as chosen:
            yield chosen | record.ports

    def _bring_up(self, record: CloudRecord, *command: str, later: Collection[str] = ()) -> dict[str, int]:
        kwokctl.write_commands(self._layout)
        csi_socket.prepare(Path(record.socket), self.folder)
        return Startup(record, self._layout, Api(record, self._layout)).run(*command, later=later)

    def _note_running(self, pids: dict[str, int]) -> None:
        write_atomically(self._layout.running, json.dumps(pids))
