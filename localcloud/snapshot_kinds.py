"""The kinds VolumeSnapshot, VolumeSnapshotContent and VolumeSnapshotClass, which Kubernetes knows only once it is told.

Their definitions are those of csi-snapshotter's release; `make setup` puts them into .lab/crds.
"""

import http.client
import time

from .errors import LocalCloudError
from .health import Api
from .record.layout import PROJECT

DEFINITIONS = PROJECT / ".lab" / "crds"
"""The folder with a file for each CustomResourceDefinition, named after it."""

_GROUP = "snapshot.storage.k8s.io"
_NAMES = tuple(f"{kind}.{_GROUP}" for kind in ("volumesnapshotclasses", "volumesnapshotcontents", "volumesnapshots"))
_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_SECONDS = 60


def install(api: Api) -> None:
    """Make the API server serve the kinds; returns when it does. Kinds of another release are updated."""
    try:
        definitions = {name: (DEFINITIONS / f"{name}.yaml").read_bytes() for name in _NAMES}
    except FileNotFoundError as missing:
        raise LocalCloudError(f"{missing.filename} is missing: `make setup` puts it there") from missing
    deadline = time.monotonic() + _SECONDS
    for name, text in definitions.items():
        try:
            status, answer = api.apply(f"{_PATH}/{name}", text)
        except (OSError, http.client.HTTPException) as error:
            raise LocalCloudError(f"the API server does not take the kind {name}: {error}; try again") from error
        if status not in (200, 201):
            raise LocalCloudError(f"the API server refuses the kind {name}: {answer.decode(errors='replace')}")
    while not all(api.find(f"/apis/{_GROUP}/v1/{name.partition('.')[0]}?limit=1") for name in _NAMES):
        if time.monotonic() > deadline:
            raise LocalCloudError(f"the API server does not serve {', '.join(_NAMES)} within {_SECONDS} s: try again")
        time.sleep(0.03)
