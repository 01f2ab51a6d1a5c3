"""The tags of a volume or snapshot: those of the real driver, and those that its class asks for.

A parameter tagSpecification_N of the class is `key=template`; the template may name what the volume or snapshot is for,
with the fields of aws-ebs-csi-driver, docs/tagging.md: {{ .PVName }}, {{ .VolumeSnapshotName }} and so on.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from .errors import CsiError
from .names import DRIVER

# What the real driver writes, and finds its volumes by.
VOLUME_NAME = "CSIVolumeName"
SNAPSHOT_NAME = "CSIVolumeSnapshotName"
OWNED = f"{DRIVER}/cluster"
CREATED_FOR = "kubernetes.io/created-for/"

# EC2 user guide, "Tag restrictions": characters, and tags on one resource.
LONGEST_KEY = 128
LONGEST_VALUE = 256
MOST_TAGS = 50

_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_FIELD = re.compile(r"\.(\w+)")


class Claimant(NamedTuple):
    """The claim that a volume is for, as csi-provisioner --extra-create-metadata tells it, "" where it does not."""

    pv_name: str = ""
    pvc_name: str = ""
    pvc_namespace: str = ""


class Demand(NamedTuple):
    """The VolumeSnapshot that a snapshot is for, as csi-snapshotter --extra-create-metadata tells it."""

    snapshot_name: str = ""
    snapshot_namespace: str = ""
    content_name: str = ""


_FIELDS: Mapping[type[Claimant | Demand], Mapping[str, str]] = {
    Claimant: {"PVName": "pv_name", "PVCName": "pvc_name", "PVCNamespace": "pvc_namespace"},
    Demand: {
        "VolumeSnapshotName": "snapshot_name",
        "VolumeSnapshotNamespace": "snapshot_namespace",
        "VolumeSnapshotContentName": "content_name",
    },
}
_TELLS = {Claimant: "csi-provisioner", Demand: "csi-snapshotter"}


def render(parameter: str, template: str, wanted_for: Claimant | Demand) -> str:
    """Return the template with its fields filled in. Raises INVALID_ARGUMENT that names the parameter."""
    fields = _FIELDS[type(wanted_for)]
    accepted = ", ".join("{{ .%s }}" % field for field in fields)  # noqa: UP031 - braces stay readable

    def fill(action: re.Match[str]) -> str:
        field = _FIELD.fullmatch(action[1].strip())
        if field is None or field[1] not in fields:
            raise _refused(parameter, f"{action[0]} is not known; accepted are {accepted}")
        value: str = getattr(wanted_for, fields[field[1]])
        if not value:
            sidecar = _TELLS[type(wanted_for)]
            raise _refused(parameter, f"{action[0]} has no value: {sidecar} tells it with --extra-create-metadata")
        return value

    if "{{" in _ACTION.sub("", template):
        raise _refused(parameter, f"a brace is not closed in {template!r}; accepted are {accepted}")
    return _ACTION.sub(fill, template)


def specified_tag(parameter: str, specification: str, wanted_for: Claimant | Demand) -> tuple[str, str]:
    """Return key and value of one tagSpecification_N. Only the first = divides: the value may hold more."""
    key, equals, template = specification.partition("=")
    if not equals or not key:
        raise _refused(parameter, f"{specification!r} is not of the form key=value")
    if "{{" in key:
        raise _refused(parameter, f"{key!r}: only the value of a tag is a template, not its key")
    if key in (VOLUME_NAME, SNAPSHOT_NAME) or key.startswith((f"{DRIVER}/", "kubernetes.io/")):
        raise _refused(parameter, f"the tag {key!r} belongs to the driver")
    if key.lower().startswith("aws:"):
        raise _refused(parameter, f"the tag {key!r}: keys that start with aws: belong to AWS")
    value = render(parameter, template, wanted_for)
    if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
        raise _refused(
            parameter,
            f"the tag {key!r} is too long: a key has {LONGEST_KEY} characters at most, a value {LONGEST_VALUE}",
        )
    return key, value


def volume_tags(name: str, claimant: Claimant, specifications: Mapping[str, str]) -> dict[str, str]:
    """Return all tags of the volume of that CSI name. Raises INVALID_ARGUMENT for tags that EC2 would refuse.

    specifications: parameter name (for messages) to `key=template`.
    """
    created_for = {
        "pv/name": claimant.pv_name,
        "pvc/name": claimant.pvc_name,
        "pvc/namespace": claimant.pvc_namespace,
    }
    told = {CREATED_FOR + what: value for what, value in created_for.items() if value}
    return _all_tags(VOLUME_NAME, name, told, claimant, specifications)


def snapshot_tags(name: str, demand: Demand, specifications: Mapping[str, str]) -> dict[str, str]:
    """Return all tags of the snapshot of that CSI name, as `volume_tags` those of a volume."""
    return _all_tags(SNAPSHOT_NAME, name, {}, demand, specifications)


def _all_tags(
    name_tag: str,
    name: str,
    told: Mapping[str, str],
    wanted_for: Claimant | Demand,
    specifications: Mapping[str, str],
) -> dict[str, str]:
    if len(name) > LONGEST_VALUE:
        raise CsiError("INVALID_ARGUMENT", f"name of {len(name)} characters: at most {LONGEST_VALUE} fit its tag")
    tags = {name_tag: name, OWNED: "true", **told}
    for parameter, specification in specifications.items():
        key, value = specified_tag(parameter, specification, wanted_for)
        if key in tags:
            raise _refused(parameter, f"the tag {key!r} is specified twice")
        tags[key] = value
    if len(tags) > MOST_TAGS:
        raise CsiError("INVALID_ARGUMENT", f"{len(tags)} tags: EC2 takes {MOST_TAGS} on one volume or snapshot")
    return tags


def _refused(parameter: str, why: str) -> CsiError:
    return CsiError("INVALID_ARGUMENT", f"parameter {parameter}: {why}")
