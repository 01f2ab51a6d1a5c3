"""ForeignUsers: runs first in a destroy. Nothing is deleted while others still use the lab's storage.

Kubernetes does not delete a claim that a Pod uses. If the Pod is somebody else's, Pulumi would wait for the claim and
not name the Pod. A claim of somebody else that the driver serves would lose its driver. A volume of the lab that
somebody set to Retain would stay, and so would the EBS snapshot of each VolumeSnapshot. The destroy waits for all of
these, and names them, while the lab is still complete.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import Resource

from ..access.clients import ClusterClient
from ..access.dynamic_provider import Failure, RecordedInputs, deleting
from ..settings.conventions import EBS_DRIVER
from ..settings.servers import OwnedClaim
from .polling import poll_until_empty
from .snapshot_inventory import about_snapshot
from .volume_inventory import BoundVolume, Claim, Kubernetes, in_kubernetes, kept, pods_by_claim, used_by


class ForeignUsersArgs(TypedDict):
    """The class and the lab's own claims in it; how to reach the cluster; seconds to wait."""

    storage_class: str
    own: Sequence[OwnedClaim]
    kubeconfig: pulumi.Input[str]
    timeout_seconds: int


def foreign_users(kubernetes: Kubernetes, storage_class: str, own: Sequence[OwnedClaim]) -> list[str]:
    """Return what a destroy must not pass, a line for each.

    These are foreign claims and volumes of the driver, volumes of the lab that would stay, all snapshots of the driver,
    and foreign Pods on claims of the lab.
    """
    pods = pods_by_claim(kubernetes)
    left = in_kubernetes(kubernetes, storage_class)
    return [
        *(
            f"claim {claim} has its volume from the driver {EBS_DRIVER}{used_by(pods.get(claim, ()))}"
            for claim in left.claims
            if _server(claim, own) is None
        ),
        *(
            f"PersistentVolume {volume.name} of the driver {EBS_DRIVER} is {volume.phase}; {_why(volume)}"
            for volume in left.volumes
            if volume.claim not in left.claims
        ),
        *(
            f"PersistentVolume {volume.name} of the lab's claim {volume.claim} would stay; {kept(volume)}"
            for volume in left.volumes
            if volume.policy != "Delete" and volume.claim in left.claims and _server(volume.claim, own) is not None
        ),
        *map(about_snapshot, left.snapshots),
        *(
            f"{pod} uses the lab's claim {claim}"
            for claim, users in pods.items()
            if (server := _server(claim, own)) is not None
            for pod in users
            if pod.maker not in (f"Deployment {server}", f"StatefulSet {server}")
        ),
    ]


def _why(volume: BoundVolume) -> str:
    return "the driver is deleting it" if volume.policy == "Delete" and volume.claim else kept(volume)


def _server(claim: Claim, own: Sequence[OwnedClaim]) -> str | None:
    """Return the server of the lab that this claim belongs to; None for a foreign claim."""
    for one in own:
        if claim.namespace == one["namespace"] and fnmatchcase(claim.name, one["claim"]):
            return one["server"]
    return None


class ForeignUsersProvider(RecordedInputs):
    """Its delete waits until nobody else uses the storage."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return str(props["storage_class"])

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        client = ClusterClient(_props["kubeconfig"])

        def look() -> list[str]:
            return client.ask_kubernetes(
                lambda kubernetes: foreign_users(kubernetes, _props["storage_class"], _props["own"]), []
            )

        with deleting():
            poll_until_empty(lambda: "; ".join(look()), lambda: _failure(_props, look()), _props["timeout_seconds"])


def _failure(props: Mapping[str, Any], lines: Sequence[str]) -> Failure:
    return Failure(
        f"{props['timeout_seconds']:.0f} s have passed and others still use the lab's storage; nothing was deleted:\n"
        + "".join(f"  {line}\n" for line in lines)
        + "Delete these; where a line has a command, run that. Then run pulumi destroy again. "
        "storage-lab:reclaimTimeoutSeconds is how long it waits."
    )


class ForeignUsers(Resource, module="storage-lab", name="ForeignUsers"):
    """Depends on all servers, so it is deleted before them: its delete waits until nobody else uses their storage."""

    def __init__(self, name: str, args: ForeignUsersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ForeignUsersProvider(), name, dict(args), opts)
