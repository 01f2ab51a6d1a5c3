"""VolumeGrowth: makes the volumes of the lab's claims as large as the setting `storage`, in place, and waits for it.

A claim that is larger already, because somebody made it so, stays as it is: Kubernetes never makes one smaller. That is
why Pulumi ignores the size of a claim that exists, and this guard patches it. It records a size only when EC2,
PersistentVolume and claim all have it, so after a failure the setting may be taken back.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, TypedDict, cast

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, Resource, UpdateResult

from ..access.clients import ClusterClient
from ..access.cluster_access import Ec2Access
from ..access.dynamic_provider import Failure, RecordedInputs, differs, without_traceback
from ..settings.quantity import parse_quantity
from .claim_sizes import TAKEN_BACK, ClaimSize, ask_for, ebs_sizes, refusals_of_growth, sizes_in_kubernetes
from .frozen_inputs import refusals
from .polling import Waiting, poll_until_empty

# EC2 needs seconds to minutes for a modification, csi-resizer and the driver some more.
GROWTH_SECONDS = 600
# EC2's refusal that ends only hours later. After all others the driver asks again, and soon.
REFUSED_FOR_HOURS = "VolumeModificationRateExceeded"
_AGAIN = "Run pulumi up again: it goes on from here."


class VolumeGrowthArgs(TypedDict):
    """`storage` is what each volume is to have at least. `claims` has the size that each is known to have, by
    "namespace/name"; empty where it has no volume. Where all are large enough, nobody is asked.
    """

    storage: str
    claims: Mapping[str, pulumi.Input[str]]
    kubeconfig: pulumi.Input[str]
    ec2: Ec2Access


def is_less(size: str, storage: str) -> bool:
    """Return whether that size is less than `storage`; what is not a quantity is less than anything."""
    try:
        return parse_quantity(size) < parse_quantity(storage)
    except ValueError:
        return True


def too_small(props: Mapping[str, Any]) -> list[str]:
    """Return the claims that are not known to have the size; none while the sizes are unknown, in a preview."""
    if not isinstance(props["claims"], Mapping):
        return []
    claims = cast(Mapping[str, object], props["claims"])
    return [claim for claim, size in claims.items() if isinstance(size, str) and is_less(size, props["storage"])]


class Growth:
    """Claims on their way to a size, looked up again and again. All methods raise Unreachable."""

    def __init__(self, props: Mapping[str, Any]) -> None:
        self._storage: str = props["storage"]
        self._names = too_small(props)
        self._client = ClusterClient(props["kubeconfig"], props["ec2"])
        self._refused_before: set[str] | None = None

    def look(self) -> str:
        """Ask for the size where a claim does not yet ask for it. Return what is smaller than that, "" for nothing.

        Raises Failure where Kubernetes or EC2 refuses, and will not think better of it soon.
        """
        if self._refused_before is None:
            self._refused_before = {told.key for told in self._refusals()}
        for claim in self._claims():
            if claim.bound and is_less(claim.asked, self._storage):
                self._client.ask_kubernetes(partial(ask_for, claim=claim, storage=self._storage), None)
        left = self._left(self._claims())
        told = [one.text for one in self._refusals() if left and one.key not in self._refused_before]
        if hopeless := [text for text in told if REFUSED_FOR_HOURS in text]:
            raise Failure(
                f"EC2 does not let {left} grow to {self._storage} now: {hopeless[0]}\n"
                "It allows four modifications of a volume in 24 hours. The driver goes on asking, so the volume grows "
                f"by itself when EC2 allows it. {_AGAIN} {TAKEN_BACK}"
            )
        return f"{left} ({told[-1]})" if left and told else left

    def explain(self) -> Failure:
        """Return the failure that names each size and what the driver says."""
        left = self._left(self._claims())
        said = "".join(f"  {one.text}\n" for one in self._refusals())
        return Failure(
            f"{GROWTH_SECONDS} s have passed and not everything has {self._storage}: {left}.\n{said}"
            f"The driver goes on trying. {_AGAIN} {TAKEN_BACK}"
        )

    def _claims(self) -> list[ClaimSize]:
        return self._client.ask_kubernetes(partial(sizes_in_kubernetes, names=self._names), [])

    def _refusals(self) -> Any:
        return self._client.ask_kubernetes(partial(refusals_of_growth, names=self._names), [])

    def _left(self, claims: list[ClaimSize]) -> str:
        """Return what is smaller than wanted, in the order in which it grows: EC2, PersistentVolume, claim."""
        found = {claim.name for claim in claims}
        left = [f"claim {name}, which does not exist" for name in self._names if name not in found]
        handles = [claim.handle for claim in claims if claim.handle]
        ebs = self._client.ask_ec2(partial(ebs_sizes, ids=handles), dict[str, str]()) if handles else {}
        for claim in claims:
            if claim.waits:  # its volume is made in the size that it asks for; the next update compares that
                continue
            seen = {f"EBS volume {claim.handle}": ebs.get(claim.handle, ""), "PersistentVolume": claim.volume}
            seen |= {"claim": claim.has}
            small = [f"{what} has {size or 'none'}" for what, size in seen.items() if is_less(size, self._storage)]
            if small:
                left.append(f"claim {claim.name} ({', '.join(small)})")
        return ", ".join(left)


class VolumeGrowthProvider(RecordedInputs):
    """Refuses to shrink in `check`; grows what is too small in `create` and `update`."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return "volume-growth"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, refusals(_olds, news, {"storage": "only_grows"}))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = differs(_olds, _news)
        before: Mapping[str, str] = _olds.get("claims") or {}
        # A claim without a volume has no size, up after up.
        growing = [claim for claim in too_small(_news) if _news["claims"][claim] or before.get(claim) != ""]
        return DiffResult(changes=bool(growing) or changed not in ([], ["claims"]))

    def create(self, props: dict[str, Any]) -> CreateResult:
        _grow(props)
        return super().create(props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        _grow(_news)
        return super().update(_id, _olds, _news)


def _grow(props: Mapping[str, Any]) -> None:
    if not too_small(props):
        return
    growth = Growth(props)
    with without_traceback():
        poll_until_empty(growth.look, growth.explain, GROWTH_SECONDS, waiting=Waiting(_AGAIN, _AGAIN))


class VolumeGrowth(Resource, module="storage-lab", name="VolumeGrowth"):
    """Depends on the servers, whose claims are bound then: its update returns when their volumes have the size.

    Until version 0.2 a child of `storage` recorded the size. It becomes this resource, so that the first `up` of
    today's code refuses to shrink the volumes too.
    """

    def __init__(
        self, name: str, args: VolumeGrowthArgs, storage: pulumi.Resource, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        aliases = [
            pulumi.Alias(type_=f"pulumi-python:dynamic/storage-lab:{former}", parent=storage)
            for former in ("FrozenInputs", "FixedInputs", "VolumeSize")
        ]
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=aliases))
        super().__init__(VolumeGrowthProvider(), name, dict(args), opts)
