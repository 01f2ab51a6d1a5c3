"""ForeignUsers: on the way down, the first stop. Nothing is deleted while others still use the lab's storage.

A pod of somebody else on one of the lab's claims would keep that claim from going, and Pulumi would wait for it without
a word about the pod. A claim of somebody else in the lab's class would lose its driver. Both are waited for, and named,
while everything still stands.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import Resource

from ..access.clients import ClusterClient
from ..access.dynamic_provider import Failure, RecordedInputs, deleting
from ..settings.servers import OwnedClaim
from .polling import poll_until_empty
from .volume_inventory import Claim, Kubernetes, in_kubernetes, pods_by_claim, used_by


class ForeignUsersArgs(TypedDict):
    """The class and the lab's own servers in it; how to look, and how long to wait (seconds)."""

    storage_class: str
    own: Sequence[OwnedClaim]
    kubeconfig: pulumi.Input[str]
    timeout_seconds: int


def foreign_users(kubernetes: Kubernetes, storage_class: str, own: Sequence[OwnedClaim]) -> list[str]:
    """A line for every claim of the class that is not the lab's, and for every foreign pod on one that is."""
    pods = pods_by_claim(kubernetes)
    claims = in_kubernetes(kubernetes, storage_class).claims
    return [
        *(
            f"claim {claim} of the class {storage_class}{used_by(pods.get(claim, ()))}"
            for claim in claims
            if _server(claim, own) is None
        ),
        *(
            f"{pod} uses the lab's claim {claim}"
            for claim, users in pods.items()
            if (server := _server(claim, own)) is not None
            for pod in users
            if pod.role != server
        ),
    ]


def _server(claim: Claim, own: Sequence[OwnedClaim]) -> str | None:
    """The server of the lab whose claim this is."""
    for one in own:
        if claim.namespace == one["namespace"] and fnmatchcase(claim.name, one["claim"]):
            return one["server"]
    return None


class ForeignUsersProvider(RecordedInputs):
    """On delete, waits."""

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
        + "Delete these, then run pulumi destroy again. storage-lab:reclaimTimeoutSeconds is how long it waits."
    )


class ForeignUsers(Resource, module="storage-lab", name="ForeignUsers"):
    """Depends on all servers, so its delete comes before theirs: it waits until nobody else uses their storage."""

    def __init__(self, name: str, args: ForeignUsersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ForeignUsersProvider(), name, dict(args), opts)
