"""How the dynamic providers reach the processes of a local cloud: where it is, and its errors as sentences."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..access.dynamic_provider import Failure, plainly
from ..settings.conventions import cloud_folder

if TYPE_CHECKING:
    from localcloud.control_plane import ControlPlane

_ROOT = Path(__file__).resolve().parents[2]


def folder_of(cloud: str) -> Path:
    """Where the local cloud of this name keeps its data."""
    return _ROOT / cloud_folder(cloud)


def processes_of(cloud: str) -> "ControlPlane":
    """The local cloud of this name, whether there is one or not; its progress is printed."""
    # Imported here: the program, which imports the providers too, never starts anything.
    from localcloud.control_plane import ControlPlane

    return ControlPlane(folder_of(cloud), tools=_ROOT / ".lab" / "bin", tell=lambda line: print(line, flush=True))


@contextmanager
def explained() -> Generator[None]:
    """What a local cloud refuses leaves the block as a Failure."""
    from localcloud.errors import LocalCloudError

    with plainly():
        try:
            yield
        except LocalCloudError as error:
            raise Failure(str(error)) from error
