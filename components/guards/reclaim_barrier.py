"""ReclaimBarrier: its delete returns only when a class has no volumes left.

Pulumi considers a claim deleted when Kubernetes has removed the object. Its driver deletes the PersistentVolume and the
EBS volume after that. So Pulumi deletes the barrier after the claims, and before the driver, the nodes and the class.
The barrier deletes nothing itself, except claims of the lab that an interrupted update left out of the state.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import Resource

from ..access.clients import ClusterClient, shell_for_ec2
from ..access.cluster_access import Ec2Access
from ..access.dynamic_provider import Failure, RecordedInputs, deleting
from ..settings.servers import OwnedClaim
from .polling import poll_until_empty
from .provisioning import being_created
from .volume_inventory import Claim, EbsVolume, Inventory, delete_claim, explain, in_ec2, in_kubernetes


class VolumeTag(TypedDict):
    """The tag that all EBS volumes of the class carry, and no others."""

    key: pulumi.Input[str]
    value: pulumi.Input[str]


class ReclaimBarrierArgs(TypedDict):
    """Which volumes to wait for, how to look for them, and for how long (seconds).

    `driver_tags` are together on each volume of the driver in this cluster, whatever its class is. Of `own_claims` only
    those still exist that an interrupted update created and did not record: the barrier deletes them.
    """

    storage_class: pulumi.Input[str]
    own_claims: Sequence[OwnedClaim]
    kubeconfig: pulumi.Input[str]
    ec2: Ec2Access
    volume_tag: VolumeTag
    driver_tags: Mapping[str, pulumi.Input[str]]
    timeout_seconds: pulumi.Input[int]


class ClassVolumes:
    """The volumes of a class, looked up again and again. All methods raise Unreachable."""

    def __init__(self, props: Mapping[str, Any]) -> None:
        self._props = props
        self._client = ClusterClient(props["kubeconfig"], props["ec2"])

    def look(self) -> Inventory:
        """Return what is left in Kubernetes or, once that is nothing, in EC2, or is on its way there.

        What is on its way is asked for first: what is not there then comes into one of the other two.
        """
        creating = self._creating()
        return self._in_kubernetes() or self._in_ec2() or creating

    def delete_own(self, claims: Iterable[Claim]) -> None:
        """Delete the claims that are the lab's, with the Deployments that they own; do not wait."""
        own = {Claim(one["namespace"], one["claim"]) for one in self._props["own_claims"]}
        for claim in own.intersection(claims):
            self._client.ask_kubernetes(partial(delete_claim, claim=claim), None)

    def explain(self) -> Failure:
        """Return the failure that names all that is left, what uses it, and what to do."""
        ebs = self._in_ec2()
        lines = [
            *self._client.ask_kubernetes(lambda client: explain(self._in_kubernetes(), client), []),
            *explain(ebs, None),
            *explain(self._creating(), None),
            *(self._command(volume) for volume in ebs.ebs_volumes if volume.state == "available"),
        ]
        return Failure(
            f"{self._props['timeout_seconds']:.0f} s have passed and volumes are left, so the cluster and its driver "
            "stay up:\n" + "".join(f"  {line}\n" for line in lines) + "Delete what uses them and the claims that you "
            "made yourself, then run pulumi destroy again. The barrier waits for timeout_seconds; in the lab that is "
            "storage-lab:reclaimTimeoutSeconds."
        )

    def _command(self, volume: EbsVolume) -> str:
        """Return what deletes an EBS volume that no PersistentVolume knows any more."""
        key, options = shell_for_ec2(self._props["ec2"])
        return f"  if nobody wants its data: {key}aws ec2 delete-volume --volume-id {volume.id} {options}"

    def _in_kubernetes(self) -> Inventory:
        storage_class = self._props["storage_class"]
        return self._client.ask_kubernetes(lambda client: in_kubernetes(client, storage_class), Inventory())

    def _creating(self) -> Inventory:
        return Inventory(creating=self._client.ask_kubernetes(being_created, ()))

    def _in_ec2(self) -> Inventory:
        tag = self._props["volume_tag"]
        sets = [{tag["key"]: tag["value"]}]
        if "driver_tags" in self._props:  # not in the state of version 0.1
            sets.append(self._props["driver_tags"])
        return Inventory(ebs_volumes=self._client.ask_ec2(lambda ec2: in_ec2(ec2, *sets), ()))


class ReclaimBarrierProvider(RecordedInputs):
    """Its delete waits until no volume is left."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return str(props["storage_class"])

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        volumes = ClassVolumes(_props)

        def look() -> Inventory:
            left = volumes.look()
            volumes.delete_own(left.claims)
            return left

        with deleting():
            poll_until_empty(look, volumes.explain, _props["timeout_seconds"])


class ReclaimBarrier(Resource, module="storage-lab", name="ReclaimBarrier"):
    """Its delete waits until the class has no PersistentVolume, claim or EBS volume, or fails and names them."""

    def __init__(self, name: str, args: ReclaimBarrierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ReclaimBarrierProvider(), name, dict(args), opts)
