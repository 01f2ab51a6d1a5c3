"""The local clouds of this checkout, and which of them a state means.

A state means the cloud with its cluster id, wherever the folder is. A name proves nothing: a stack can be renamed, a
folder moved, and two checkouts can have a stack of the same name.
"""

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..access.clients import folder_in_kubeconfig
from ..access.dynamic_provider import Failure, without_traceback
from ..settings.conventions import cloud_folder

# localcloud is imported where it is used: the program, which imports the providers too, never starts anything.
if TYPE_CHECKING:
    from localcloud.control_plane import ControlPlane
    from localcloud.record.record import CloudRecord

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class LocalCloud:
    """A local cloud with the name of its folder."""

    name: str
    processes: "ControlPlane"
    record: "CloudRecord"


def folder_of(cloud: str) -> Path:
    """Return the folder of the local cloud of this name."""
    return _ROOT / cloud_folder(cloud)


def processes_of(cloud: str) -> "ControlPlane":
    """Return the local cloud of this name, whether it exists or not. It prints its progress."""
    from localcloud.control_plane import ControlPlane

    return ControlPlane(folder_of(cloud), tools=_ROOT / ".lab" / "bin", tell=lambda line: print(line, flush=True))


@contextmanager
def as_failure() -> Generator[None]:
    """Turn a LocalCloudError that leaves the block into a Failure."""
    from localcloud.errors import LocalCloudError

    with without_traceback():
        try:
            yield
        except LocalCloudError as error:
            raise Failure(str(error)) from error


def find_cloud(props: Mapping[str, Any]) -> LocalCloud | None:
    """Return the cloud that `props`, the state of a control plane, means; None where it was deleted.

    Raises Failure where that cloud is in another checkout.
    """
    named = processes_of(props["cloud"])
    known = [(props["cloud"], named, named.record())]
    for name, processes, record in [*known, *_others(props["cloud"])]:
        if record is not None and record.cluster_id == props["cluster_id"]:
            return LocalCloud(name, processes, record)
    home = folder_in_kubeconfig(props["kubeconfig"])
    if home is not None and _is_cloud(home, props["cluster_id"]):
        raise Failure(
            f"this state belongs to another checkout, because its local cloud is in {home}. Run the command in that "
            f"checkout; or, for the lab of this one, cd {_ROOT}, . .lab/activate, and run it again."
        )
    return None


def state_of_another_checkout() -> Path | None:
    """Return the folder of the state that another checkout's `.lab/activate` has set for this shell; None without one.

    A state that the user has chosen, wherever it is, is not another checkout's.
    """
    of_activate = os.environ.get("STORAGE_LAB_BACKEND_URL", "")
    if not of_activate or os.environ.get("PULUMI_BACKEND_URL") != of_activate:
        return None
    state = Path(unquote(urlsplit(of_activate).path))
    return None if state.resolve() == _ROOT / ".lab" / "state" else state


def serves(endpoint: str) -> bool:
    """Return whether a local cloud of this checkout has the EC2 API at this endpoint, running or not."""
    return any(record is not None and record.ec2_endpoint == endpoint for _, _, record in _others(""))


def _others(cloud: str) -> Iterator[tuple[str, "ControlPlane", "CloudRecord | None"]]:
    """Yield the clouds of this checkout but the one of this name, and but those whose record is damaged."""
    from localcloud.errors import LocalCloudError

    folder = folder_of("")
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and path.name != cloud:
            processes = processes_of(path.name)
            with suppress(LocalCloudError):
                yield path.name, processes, processes.record()


def _is_cloud(folder: Path, cluster_id: str) -> bool:
    from localcloud.record.record import read

    record = read(folder)
    return record is not None and record.cluster_id == cluster_id
