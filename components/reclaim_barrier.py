"""ReclaimBarrier: on the way down, the point that is passed only when a class's volumes are gone.

Deleting a claim returns when the claim is gone; its PersistentVolume and its EBS volume go later, by the hands of the
driver. Whatever keeps the driver working depends, through the StorageClass, on this resource's delete. It changes
nothing itself.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, TypeVar

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, UpdateResult

from components.dynamic_provider import Failure, Provider, differs, inputs_of, plainly
from components.ec2_access import Ec2Access, ec2_client
from components.kubernetes_access import kubernetes_client, unreachable_errors
from components.leftovers import Leftovers, explain, in_ec2, in_kubernetes

# The Kubernetes provider's own switch for a cluster that is gone for good; here it means the same.
GONE_FOR_GOOD = "PULUMI_K8S_DELETE_UNREACHABLE"
# Between two looks, in seconds: usually the driver is done within one, and after that patience costs nothing.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
# An API server that restarts is away for a few seconds.
UNREACHABLE_SECONDS = 30
PROGRESS_SECONDS = 10

T = TypeVar("T")


class VolumeTag(TypedDict):
    """The tag that the class's EBS volumes carry, and no others."""

    key: pulumi.Input[str]
    value: pulumi.Input[str]


class ReclaimBarrierArgs(TypedDict):
    """Which volumes to wait for, how to look for them, and for how long (seconds)."""

    storage_class: pulumi.Input[str]
    kubeconfig: pulumi.Input[str]
    ec2: Ec2Access
    volume_tag: VolumeTag
    timeout_seconds: pulumi.Input[int]


class Unreachable(Exception):
    """One of the two APIs did not answer: `which` and why."""

    def __init__(self, which: str, why: object) -> None:
        super().__init__(f"{which} does not answer: {why}")
        self.which = which


class Lookout:
    """Looks for what is left, with clients that are made anew after a failure: that revives a local cloud.

    Every method raises Unreachable.
    """

    def __init__(self, props: Mapping[str, Any]) -> None:
        self._props = props
        self._kubernetes: Any = None
        self._ec2: Any = None
        self._gone_for_good = os.environ.get(GONE_FOR_GOOD) == "true"

    def look(self) -> Leftovers:
        """What is left in Kubernetes; once that is nothing, what is left in EC2, which the driver empties first."""
        return self._in_kubernetes() or self._in_ec2()

    def explain(self) -> list[str]:
        """A line for everything that is left in either, naming what holds it."""
        return [
            *self._ask_kubernetes(lambda client: explain(self._in_kubernetes(), client), []),
            *explain(self._in_ec2(), None),
        ]

    def _in_kubernetes(self) -> Leftovers:
        return self._ask_kubernetes(lambda client: in_kubernetes(client, self._props["storage_class"]), Leftovers())

    def _ask_kubernetes(self, question: Callable[[Any], T], if_gone: T) -> T:
        try:
            self._kubernetes = self._kubernetes or kubernetes_client(self._props["kubeconfig"])
            return question(self._kubernetes)
        except unreachable_errors() as error:
            self._kubernetes = None
            if self._gone_for_good:
                return if_gone
            raise Unreachable("the Kubernetes cluster", error) from error

    def _in_ec2(self) -> Leftovers:
        from botocore.exceptions import BotoCoreError, ClientError

        tag = self._props["volume_tag"]
        try:
            self._ec2 = self._ec2 or ec2_client(self._props["ec2"])
            return Leftovers(ebs_volumes=in_ec2(self._ec2, tag["key"], tag["value"]))
        except (BotoCoreError, ClientError) as error:
            # The EC2 API of a local cloud goes with the cluster; the one of AWS does not.
            if self._gone_for_good and "endpoint_url" in self._props["ec2"]:
                return Leftovers()
            raise Unreachable("the EC2 API", error) from error


class Clock:
    """Time, as the wait sees it; tests bring their own. Seconds."""

    now = staticmethod(time.monotonic)
    pause = staticmethod(time.sleep)


def wait_until_gone(lookout: Lookout, timeout: float, clock: Clock, say: Callable[[str], None]) -> None:
    """Returns once nothing is left; says what is waited for every PROGRESS_SECONDS.

    Raises Failure when `timeout` seconds have passed, with all that is left and what holds it, or when an API has not
    answered for UNREACHABLE_SECONDS, in which case nobody can tell what is left.
    """
    begin = said = answered = clock.now()
    pause = FIRST_PAUSE
    while True:
        left: Leftovers | Unreachable
        try:
            left = lookout.look()
            answered = clock.now()
        except Unreachable as error:
            left = error
        now = clock.now()
        if not isinstance(left, Unreachable) and not left:
            return
        if isinstance(left, Unreachable) and now - answered >= min(UNREACHABLE_SECONDS, timeout):
            raise _cannot_tell(left)
        if now - begin >= timeout:
            raise _cannot_tell(left) if isinstance(left, Unreachable) else _still_there(lookout, timeout)
        if now - said >= PROGRESS_SECONDS:
            said = now
            say(f"{now - begin:.0f} s of {timeout:.0f} s: waiting for {left}")
        clock.pause(pause)
        pause = min(LONGEST_PAUSE, pause * 1.5)


def _still_there(lookout: Lookout, timeout: float) -> Failure:
    try:
        lines = lookout.explain()
    except Unreachable as error:
        return _cannot_tell(error)
    return Failure(
        f"{timeout:.0f} s have passed and volumes of the lab are left, so the cluster and its driver stay up:\n"
        + "".join(f"  {line}\n" for line in lines)
        + "Delete what uses them and the claims that you made yourself, then run pulumi destroy again. "
        "storage-lab:reclaimTimeoutSeconds says how long to wait."
    )


def _cannot_tell(error: Unreachable) -> Failure:
    return Failure(
        f"{error}\n"
        "Nobody can tell whether volumes are left, so nothing more is deleted: bring it back and run pulumi destroy "
        f"again. If the cluster is gone for good, run {GONE_FOR_GOOD}=true pulumi destroy."
    )


class ReclaimBarrierProvider(Provider):
    """Compares inputs and, on delete, waits."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["storage_class"], inputs_of(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=bool(differs(_olds, _news)))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(inputs_of(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with plainly():
            wait_until_gone(
                Lookout(_props), _props["timeout_seconds"], Clock(), say=lambda line: print(line, flush=True)
            )


class ReclaimBarrier(Resource, module="storage-lab", name="ReclaimBarrier"):
    """Its delete waits until the class's PersistentVolumes, claims and EBS volumes are gone, or fails naming them."""

    def __init__(self, name: str, args: ReclaimBarrierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(ReclaimBarrierProvider(), name, dict(args), opts)
