"""What is written down about a local cloud, in the file cloud.json of its folder."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import LocalCloudError

FILE = "cloud.json"


@dataclass(frozen=True)
class CloudRecord:
    """A local cloud as it was created. It holds no key and no token.

    `cluster_id` is the uid of the kube-system namespace; it is empty while the cloud is still being created.
    `socket` is where the CSI controller listens. `ca_data` is the certificate authority of the API server, base64 of
    PEM. `commands` is a digest of the commands with which the cloud was last started. `owner` is the uid of the
    resource for which the cloud was created or taken over. Both are "" in the records of older code. `snapshots` is
    whether it runs what makes snapshots of volumes.
    """

    name: str
    folder: str
    region: str
    tools: str
    ports: dict[str, int]
    socket: str
    cluster_id: str = ""
    ca_data: str = ""
    commands: str = ""
    owner: str = ""
    snapshots: bool = False

    @property
    def api_port(self) -> int:
        return self.ports["kube-apiserver"]

    @property
    def ec2_port(self) -> int:
        return self.ports["ec2-api"]

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def ec2_endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ec2_port}"

    @property
    def kubeconfig(self) -> str:
        """Path of the kubeconfig file that revives the cloud."""
        return str(Path(self.folder) / "kubeconfig")


def read(folder: Path) -> CloudRecord | None:
    """Return the record in `folder`; None where no creation was ever begun.

    Raises LocalCloudError for a file that is damaged.
    """
    file = folder / FILE
    try:
        written: Any = json.loads(file.read_text())
        return CloudRecord(**written)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise LocalCloudError(
            f"{file} cannot be read ({error}): `python -m localcloud delete {folder}` clears the cloud away"
        ) from error


def write(folder: Path, record: CloudRecord) -> None:
    """Write the record of the cloud in `folder`."""
    write_atomically(folder / FILE, json.dumps(asdict(record), indent=1))


def write_atomically(file: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file so that every reader, also after a crash, sees the old text or the new text, whole."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(handle)
        os.chmod(temporary, mode)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
