"""ReclaimBarrier: on the way down, the point that is passed only when a class's volumes are gone.

Deleting a claim returns when the claim is gone; its PersistentVolume and its EBS volume go later, by the hands of the
driver. Whatever keeps the driver working depends, through the StorageClass, on this resource's delete. It changes
nothing itself, but for claims of the lab that are no longer, or not yet, in the state.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import Resource

from ..access.clients import ClusterClient
from ..access.cluster_access import Ec2Access
from ..access.dynamic_provider import Failure, RecordedInputs, deleting
from ..settings.servers import OwnedClaim
from .polling import poll_until_empty
from .volume_inventory import Claim, Inventory, delete_claim, explain, in_ec2, in_kubernetes


class VolumeTag(TypedDict):
    """The tag that the class's EBS volumes carry, and no others."""

    key: pulumi.Input[str]
    value: pulumi.Input[str]


class ReclaimBarrierArgs(TypedDict):
    """Which volumes to wait for, how to look for them, and for how long (seconds).

    `own_claims` are gone when the barrier is reached, save for what an interrupted update made and did not record:
    those it deletes."""

    storage_class: pulumi.Input[str]
    own_claims: Sequence[OwnedClaim]
    kubeconfig: pulumi.Input[str]
    ec2: Ec2Access
    volume_tag: VolumeTag
    timeout_seconds: pulumi.Input[int]


class ClassVolumes:
    """What is left of a class, asked again and again. Both methods raise Unreachable."""

    def __init__(self, props: Mapping[str, Any]) -> None:
        self._props = props
        self._client = ClusterClient(props["kubeconfig"], props["ec2"])

    def look(self) -> Inventory:
        """What is left in Kubernetes; once that is nothing, what is left in EC2, which the driver empties first."""
        return self._in_kubernetes() or self._in_ec2()

    def delete_own(self, claims: Iterable[Claim]) -> None:
        """Deletes those of the claims that are the lab's, with the Deployments that they own; does not wait."""
        own = {Claim(one["namespace"], one["claim"]) for one in self._props["own_claims"]}
        for claim in own.intersection(claims):
            self._client.ask_kubernetes(partial(delete_claim, claim=claim), None)

    def explain(self) -> Failure:
        """All that is left in either, naming what holds it, and what to do."""
        lines = [
            *self._client.ask_kubernetes(lambda client: explain(self._in_kubernetes(), client), []),
            *explain(self._in_ec2(), None),
        ]
        return Failure(
            f"{self._props['timeout_seconds']:.0f} s have passed and volumes of the lab are left, so the cluster and "
            "its driver stay up:\n" + "".join(f"  {line}\n" for line in lines) + "Delete what uses them and the claims "
            "that you made yourself, then run pulumi destroy again. storage-lab:reclaimTimeoutSeconds is how long it "
            "waits."
        )

    def _in_kubernetes(self) -> Inventory:
        storage_class = self._props["storage_class"]
        return self._client.ask_kubernetes(lambda client: in_kubernetes(client, storage_class), Inventory())

    def _in_ec2(self) -> Inventory:
        tag = self._props["volume_tag"]
        return Inventory(ebs_volumes=self._client.ask_ec2(lambda ec2: in_ec2(ec2, tag["key"], tag["value"]), ()))


class ReclaimBarrierProvider(RecordedInputs):
    """On delete, waits."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return str(props["storage_class"])

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        remains = ClassVolumes(_props)

        def look() -> Inventory:
            left = remains.look()
            remains.delete_own(left.claims)
            return left

        with deleting():
            poll_until_empty(look, remains.explain, _props["timeout_seconds"])


class ReclaimBarrier(Resource, module="storage-lab", name="ReclaimBarrier"):
    """Its delete waits until the class's PersistentVolumes, claims and EBS volumes are gone, or fails naming them."""

    def __init__(self, name: str, args: ReclaimBarrierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ReclaimBarrierProvider(), name, dict(args), opts)
