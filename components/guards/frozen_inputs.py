"""FixedInputs: refuses, in preview, a change of what a living lab cannot change without losing its volumes.

Pulumi would carry out such a change by replacing the cluster or its network; the volumes, tied to both, would be lost.
A program cannot see its own state, but the `check` of a resource is given the inputs of the last `up`.
"""

import re
from collections.abc import Mapping
from typing import Any, TypedDict

from pulumi import ResourceOptions
from pulumi.dynamic import CheckFailure, CheckResult, Resource

from ..access.dynamic_provider import Guard, differs

VERSION = "kubernetesVersion"


def refusals(old: dict[str, Any], new: dict[str, Any]) -> list[CheckFailure]:
    """One failure for each key of `new` that may not change from its value in `old`; none for the first `up`.

    `kubernetesVersion` may go up by one minor version, as EKS demands; every other key may not change at all.
    """
    reasons = [(key, _reason(key, old[key], new[key])) for key in differs(old, new) if key in old]
    return [CheckFailure(key, reason) for key, reason in reasons if reason]


def _reason(key: str, old: Any, new: Any) -> str | None:
    if key == VERSION and _minor(new) == _minor(old) + 1:
        return None
    if key == VERSION:
        return (
            f"{key} can go from {old} only to the next minor version, not to {new}: "
            f"EKS upgrades one step at a time and never back. Set it to {old} or the next"
        )
    return (
        f"{key} is {_shown(old)} since this lab was created and cannot become {_shown(new)}: the cluster would be "
        f"replaced and its volumes lost. Set it back, or `pulumi destroy` first"
    )


def _minor(version: str) -> int:
    found = re.fullmatch(r"1\.(\d+)", version)
    return int(found[1]) if found else -1


def _shown(value: Any) -> str:
    return "unset" if value in (None, "", []) else str(value)


class FixedInputsProvider(Guard):
    """Refuses a change that would replace what stands."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return "fixed-inputs"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, refusals(_olds, news))


class FixedInputsArgs(TypedDict):
    """What is compared with the last `up`. Empty text and lists stand for what is not set."""

    clusterName: str
    region: str
    zones: list[str]
    vpcId: str
    subnetIds: list[str]
    kubernetesVersion: str


class FixedInputs(Resource, module="storage-lab", name="FixedInputs"):
    """Holds the inputs of the last `up`; everything that a changed one would replace depends on it."""

    def __init__(self, name: str, args: FixedInputsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(FixedInputsProvider(), name, dict(args), opts)
