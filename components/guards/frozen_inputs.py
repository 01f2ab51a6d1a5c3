"""FrozenInputs: refuses, in preview, a change of configuration that would lose the volumes of an existing lab.

Pulumi would replace the cluster or its network, to which the volumes are tied. A program cannot read its own state, but
`check` is given the inputs of the last `up`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

from pulumi import Alias, ResourceOptions
from pulumi.dynamic import CheckFailure, CheckResult, Resource

from ..access.dynamic_provider import RecordedInputs
from ..settings.quantity import parse_quantity
from ..settings.reader import CONFIG_NAMESPACE

Rule = Literal["never", "next_minor", "only_grows"]
# How the configuration says what a key holds, where it is not a key of the configuration itself.
_WRITTEN = {"clusterName": "the cluster's name, storage-lab-STACK,", "zones": f"{CONFIG_NAMESPACE}:zone"}


def _never(_old: Any, _new: Any) -> str:
    return "that would replace the cluster and lose its volumes"


def _next_minor(old: str, new: str) -> str:
    return "" if _minor(new) == _minor(old) + 1 else "EKS upgrades to the next minor version only, and never back"


def _only_grows(old: str, new: str) -> str:
    return "" if parse_quantity(new) >= parse_quantity(old) else "an EBS volume never shrinks"


_REASONS: Mapping[Rule, Callable[[Any, Any], str]] = {
    "never": _never,
    "next_minor": _next_minor,
    "only_grows": _only_grows,
}


def refusals(olds: Mapping[str, Any], news: Mapping[str, Any], rules: Mapping[str, Rule]) -> list[CheckFailure]:
    """Return a failure for each key whose rule forbids its change; none for a key that `olds` does not have."""
    changed: dict[str, Rule] = {key: rule for key, rule in rules.items() if key in olds and olds[key] != news[key]}
    reasons = {key: _REASONS[rule](olds[key], news[key]) for key, rule in changed.items()}
    return [CheckFailure(key, _sentence(key, olds[key], news[key], why)) for key, why in reasons.items() if why]


def _sentence(key: str, old: Any, new: Any, why: str) -> str:
    setting = _WRITTEN.get(key, f"{CONFIG_NAMESPACE}:{key}")
    return (
        f"{setting} is {_shown(old)} in this lab and cannot become {_shown(new)}, because {why}. "
        "Set it back, or run pulumi destroy first."
    )


def _minor(version: str) -> int:
    found = re.fullmatch(r"1\.(\d+)", version)
    return int(found[1]) if found else -1


def _shown(value: Any) -> str:
    shown = ", ".join(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType]
    return str(shown or "unset")


class FrozenInputsProvider(RecordedInputs):
    """Compares the inputs with those of the last `up`."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return "frozen-inputs"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, refusals(_olds, news, news["rules"]))


class FrozenInputsArgs(TypedDict):
    """`values` by the key of the configuration, with empty text and lists for what is not set; a rule for each."""

    values: Mapping[str, Any]
    rules: Mapping[str, Rule]


class FrozenInputs(Resource, module="storage-lab", name="FrozenInputs"):
    """Holds the inputs of the last `up`. Whatever a forbidden change would replace depends on it."""

    def __init__(self, name: str, args: FrozenInputsArgs, opts: ResourceOptions | None = None) -> None:
        # What stacks of version 0.1 recorded under two other types is compared with as well.
        aliases = [
            Alias(type_=f"pulumi-python:dynamic/storage-lab:{former}") for former in ("FixedInputs", "VolumeSize")
        ]
        opts = ResourceOptions.merge(opts, ResourceOptions(aliases=aliases))
        super().__init__(FrozenInputsProvider(), name, {**args["values"], "rules": dict(args["rules"])}, opts)
