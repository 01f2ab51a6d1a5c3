"""RestoreSources: refuses, in preview, to restore a claim from a snapshot that cannot give it its data.

Kubernetes accepts such a claim. It would stay Pending, and the `up` would wait for its Pod until it gave up.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, Resource
from pulumi.runtime.rpc import UNKNOWN

from ..access.clients import ClusterClient, Unreachable
from ..access.dynamic_provider import RecordedInputs
from ..settings.quantity import parse_quantity
from ..settings.reader import CONFIG_NAMESPACE
from .snapshot_inventory import listed, volume_snapshots


class RestoreSourcesArgs(TypedDict):
    """`snapshots`: by "namespace/name" of a claim the VolumeSnapshot in that namespace that it is restored from.

    `storage` is the size of each claim. The kubeconfig is how the guard finds claims and snapshots.
    """

    storage: str
    snapshots: Mapping[str, str]
    kubeconfig: pulumi.Input[str]


def obstacles(kubernetes: Any, snapshots: Mapping[str, str], storage: str) -> list[str]:
    """Return a sentence for each claim that would not get the data of its snapshot."""
    from lightkube.resources.core_v1 import PersistentVolumeClaim

    claims = {
        f"{one.metadata.namespace}/{one.metadata.name}": one
        for one in kubernetes.list(PersistentVolumeClaim, namespace="*")
    }
    known = {
        f"{one['metadata']['namespace']}/{one['metadata']['name']}": one
        for one in listed(kubernetes, volume_snapshots(), "*")
    }
    found = [
        _other_data(claim, name, claims[claim])
        if claim in claims
        else _unfit(claim, name, known.get(f"{claim.partition('/')[0]}/{name}"), storage)
        for claim, name in snapshots.items()
    ]
    return [sentence for sentence in found if sentence]


def _other_data(claim: str, snapshot: str, existing: Any) -> str:
    """Return what is wrong with a claim that exists; a claim keeps its data when its snapshot is deleted."""
    source = existing.spec.dataSource
    if source and source.kind == "VolumeSnapshot" and source.name == snapshot:
        return ""
    namespace, _, name = claim.partition("/")
    return (
        f"the claim {claim} exists and has other data than the snapshot {snapshot}, and a claim gets its data only "
        "when it is created. Restore the snapshot under another name. Or, if nobody wants the claim's data, delete the "
        f"claim with what uses it first: kubectl delete pvc {name} -n {namespace} --cascade=foreground"
    )


def _unfit(claim: str, name: str, snapshot: Mapping[str, Any] | None, storage: str) -> str:
    """Return why the claim cannot be restored from the snapshot."""
    namespace = claim.partition("/")[0]
    restores = f"{CONFIG_NAMESPACE}:servers restores the claim {claim} from the snapshot {name}"
    if snapshot is None:
        return (
            f"{restores}, which does not exist. kubectl get volumesnapshots -n {namespace} shows those that do; or "
            "remove fromSnapshot, and the claim begins empty"
        )
    status: Mapping[str, Any] = snapshot.get("status") or {}
    if not status.get("readyToUse"):
        error: Mapping[str, str] = status.get("error") or {}
        said = f" ({error['message']})" if "message" in error else ""
        return (
            f"{restores}, which is not ready{said}. Wait until kubectl get volumesnapshot "
            f"{name} -n {namespace} shows READYTOUSE true"
        )
    size: str = status.get("restoreSize") or "0"
    if parse_quantity(size) > parse_quantity(storage):
        return (
            f"{restores}, which has {size}, and a claim of {CONFIG_NAMESPACE}:storage {storage} is smaller. Set "
            f"storage to {size} or more"
        )
    return ""


class RestoreSourcesProvider(RecordedInputs):
    """Refuses in `check`, which previews and updates ask before the claims are created."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return "restore-sources"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, [CheckFailure("snapshots", sentence) for sentence in _look(news)])


def _look(props: Mapping[str, Any]) -> list[str]:
    """Return the obstacles; none while the cluster is unknown, in a preview."""
    kubeconfig: object = props["kubeconfig"]
    if not isinstance(kubeconfig, str) or kubeconfig == UNKNOWN:
        return []
    ask = partial(obstacles, snapshots=props["snapshots"], storage=props["storage"])
    try:
        return ClusterClient(kubeconfig).ask_kubernetes(ask, [])
    except Unreachable:  # what comes next needs the cluster too, and says so
        return []


class RestoreSources(Resource, module="storage-lab", name="RestoreSources"):
    """Whatever creates the claims depends on it."""

    def __init__(self, name: str, args: RestoreSourcesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(RestoreSourcesProvider(), name, dict(args), opts)
