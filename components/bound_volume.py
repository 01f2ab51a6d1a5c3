"""BoundVolume: what a claim and its volume say once the server's Pod runs. All functions run in an apply."""

from collections.abc import Sequence
from typing import Any, TypedDict

import pulumi

from .settings.conventions import EBS_DRIVER, ebs_volume_name


class BoundVolume(TypedDict):
    """What is behind a claim: the driver's name of the volume, and its Name tag in EC2."""

    handle: str
    name_tag: str


NO_VOLUME: BoundVolume = {"handle": "", "name_tag": ""}


def bound_volume(server: pulumi.Resource, name: str, pv_name: str, spec: Any) -> BoundVolume:
    """Return what a PersistentVolume's `spec` says; warn where no CSI driver made it."""
    csi = spec and spec.csi
    if not csi:
        _warn(server, name, f"no CSI driver made the volume {pv_name}, so the output volume_id is empty")
        return NO_VOLUME
    return {"handle": csi.volume_handle, "name_tag": ebs_volume_name(pv_name) if csi.driver == EBS_DRIVER else ""}


def capacity(status: Any) -> str:
    """Return the size that a claim has, a quantity; empty before it has one."""
    capacity: dict[str, str] = (status and status.capacity) or {}
    return capacity.get("storage", "")


def maker_of_volume(of: Sequence[object]) -> str:
    """Return a text that changes when the claim may have another volume: `of` its uid and the number of replicas."""
    claim_uid, replicas = of
    return f"{claim_uid}" if replicas else f"{claim_uid}, without a Pod"


def source(spec: Any) -> str:
    """Return the name of the snapshot that a claim began with; empty for an empty volume."""
    source = spec and spec.data_source
    return source.name if source else ""


def warn_of_other_data(server: pulumi.Resource, name: str, sources: Sequence[str]) -> None:
    """Warn where the snapshot that was asked for is not the one that the claim began with: it existed already."""
    asked, began_with = sources
    if asked != began_with:
        _warn(server, name, f"the claim existed already, so it has its own data and nothing of the snapshot {asked}")


def _warn(server: pulumi.Resource, name: str, text: str) -> None:
    if not pulumi.runtime.is_dry_run():
        pulumi.log.warn(f"NfsServer {name}: {text}", server)
