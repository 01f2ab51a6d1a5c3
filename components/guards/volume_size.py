"""VolumeSize: refuses, in preview, a size that volumes which exist cannot change to.

A program cannot see its own state, but the `check` of a resource is given the inputs of the last `up`. Without it the
claims would be changed, and Pulumi wait minutes for volumes that never follow.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, Resource

from ..access.dynamic_provider import Guard
from ..settings.quantity import parse_quantity

_WAY_OUT = "set it back, or run pulumi destroy first"


class VolumeSizeArgs(TypedDict):
    """`storage`, a Kubernetes quantity, is what each claim asks for; `can_grow` says whether anything serves that."""

    storage: str
    can_grow: bool


def refusals(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[CheckFailure]:
    """Why the volumes made with `olds` cannot have the size of `news`; nothing for the first `up`."""
    if "storage" not in olds:
        return []
    before, after = parse_quantity(olds["storage"]), parse_quantity(news["storage"])
    what = f"storage-lab:storage is {olds['storage']} since the volumes were made and cannot become {news['storage']}"
    if after < before:
        return [CheckFailure("storage", f"{what}, for an EBS volume never shrinks: {_WAY_OUT}")]
    if after > before and not news["can_grow"]:
        return [CheckFailure("storage", f"{what}, for nothing grows volumes on the target local: {_WAY_OUT}")]
    return []


class VolumeSizeProvider(Guard):
    """Refuses a size that the volumes cannot have."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return "volume-size"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, refusals(_olds, news))


class VolumeSize(Resource, module="storage-lab", name="VolumeSize"):
    """Holds the size of the last `up`; whatever claims volumes depends on it."""

    def __init__(self, name: str, args: VolumeSizeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(VolumeSizeProvider(), name, dict(args), opts)
