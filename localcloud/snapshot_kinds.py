"""The kinds VolumeSnapshot, VolumeSnapshotContent and VolumeSnapshotClass, which Kubernetes knows only once it is told.

Their definitions are those of csi-snapshotter's release; `make setup` puts them into .lab/crds.
"""

import http.client
import time
from typing import Any

from .errors import LocalCloudError
from .health import Api
from .record.layout import PROJECT

DEFINITIONS = PROJECT / ".lab" / "crds"
"""The folder with a file for each CustomResourceDefinition, named after it."""

_GROUP = "snapshot.storage.k8s.io"
_PLURALS = ("volumesnapshotclasses", "volumesnapshotcontents", "volumesnapshots")
_NAMES = tuple(f"{plural}.{_GROUP}" for plural in _PLURALS)
_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_SECONDS = 60


def install(api: Api) -> None:
    """Make the API server serve the kinds; returns when it does. Kinds of another release are updated."""
    try:
        definitions = {name: (DEFINITIONS / f"{name}.yaml").read_bytes() for name in _NAMES}
    except FileNotFoundError as missing:
        raise LocalCloudError(f"{missing.filename} is missing: `make setup` puts it there") from missing
    for name, text in definitions.items():
        try:
            status, answer = api.apply(f"{_PATH}/{name}", text)
        except (OSError, http.client.HTTPException) as error:
            raise LocalCloudError(f"the API server does not take the kind {name}: {error}; try again") from error
        if status not in (200, 201):
            raise LocalCloudError(f"the API server refuses the kind {name}: {answer.decode(errors='replace')}")
    for plural in _PLURALS:
        _all(api, plural)


def require_none_left(api: Api) -> None:
    """Raise LocalCloudError where there are snapshots that somebody has to delete, because nothing else would.

    A VolumeSnapshotContent of the policy Retain is not among them, because its EBS snapshot is to stay.
    """
    wishes = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in _all(api, "volumesnapshots")}
    # The content of a VolumeSnapshot is deleted with it.
    contents = (
        item["metadata"]["name"]
        for item in _all(api, "volumesnapshotcontents")
        if item["spec"]["deletionPolicy"] == "Delete" and _wish(item) not in wishes
    )
    left = [
        *(f"volumesnapshot/{name} -n {namespace}" for namespace, name in sorted(wishes)),
        *(f"volumesnapshotcontent/{name}" for name in contents),
    ]
    if left:
        raise LocalCloudError(
            "snapshots cannot be switched off while there are some, because nothing could delete them then. First run "
            + " && ".join(f"kubectl delete {each}" for each in left)
        )


def _wish(content: dict[str, Any]) -> tuple[str, str]:
    reference = content["spec"]["volumeSnapshotRef"]
    return reference["namespace"], reference["name"]


def _all(api: Api, plural: str) -> list[dict[str, Any]]:
    """Return all objects of a kind, as soon as the API server serves it."""
    deadline = time.monotonic() + _SECONDS
    while (found := api.find(f"/apis/{_GROUP}/v1/{plural}")) is None:
        if time.monotonic() > deadline:
            raise LocalCloudError(f"the API server does not serve {plural}.{_GROUP} within {_SECONDS} s: try again")
        time.sleep(0.03)
    return found["items"]
