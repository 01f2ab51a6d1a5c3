"""KeptClaims: refuses, before anything is deleted, to replace what holds the data of a living claim.

`pulumi up --replace` deletes what it names and creates it anew. For a claim, its namespace, the local cloud or the
barrier that means the loss of volumes. Before Pulumi deletes a resource to replace it, it asks whether those that take
a value from it have to be replaced as well, and gives that value as unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import DiffResult, Resource

from ..access.clients import ClusterClient, Unreachable
from ..access.dynamic_provider import Failure, RecordedInputs, differs, without_traceback
from .volume_inventory import Claim, all_claims


class KeptClaimsArgs(TypedDict):
    """`holders`: by a pattern of "namespace/name" of claims, the ids of the resources that they are lost with.

    The kubeconfig is how the guard finds out which of the claims exist.
    """

    holders: Mapping[str, Sequence[pulumi.Input[str]]]
    kubeconfig: pulumi.Input[str]


def at_risk(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """Return the patterns of the claims that a holder is to be deleted of; all of them, for Pulumi does not tell which.

    Every holder is deleted before it is replaced, so `holders` is unknown as a whole then. A single unknown id is of a
    holder that is only created: the state did not have it, as after a start of the local cloud that failed.
    """
    return [] if isinstance(news["holders"], Mapping) else sorted(olds["holders"])


class KeptClaimsProvider(RecordedInputs):
    """Refuses in `diff`, which previews and updates ask before they delete anything."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return "kept-claims"

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        with without_traceback():
            patterns = at_risk(_olds, _news)
            if patterns and (claims := _existing(_olds["kubeconfig"], patterns)):
                raise _refusal(claims)
        return DiffResult(changes=bool(differs(_olds, _news)))


def _existing(kubeconfig: str, patterns: Sequence[str]) -> list[Claim]:
    """A cluster that does not answer keeps nothing that a command could delete."""
    try:
        claims: Iterable[Claim] = ClusterClient(kubeconfig).ask_kubernetes(all_claims, ())
    except Unreachable:
        return []
    return [claim for claim in claims if any(fnmatchcase(str(claim), pattern) for pattern in patterns)]


def _refusal(claims: Sequence[Claim]) -> Failure:
    named = ", ".join(map(str, claims))
    return Failure(
        "this would replace a claim or what its volume depends on, and the data would be lost; the lab has the claims "
        f"{named}. Nothing was deleted. Run the command without --replace for it. If you want a new, empty volume, "
        "delete the server's Deployment and its claim with kubectl, then run pulumi up."
    )


class KeptClaims(Resource, module="storage-lab", name="KeptClaims"):
    """Takes the id of everything that holds data, so that none of it is replaced."""

    def __init__(self, name: str, args: KeptClaimsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(KeptClaimsProvider(), name, dict(args), opts)
