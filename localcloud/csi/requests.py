"""CSI requests, checked: the step from protobuf messages to plain values.

Every function raises CsiError (INVALID_ARGUMENT, OUT_OF_RANGE) for a wish that the driver does not fulfil.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .ec2 import Volume
from .errors import CsiError
from .parameters import Parameters, check_file_system, parse_parameters
from .stubs import csi
from .tags import volume_tags
from .volume_types import check_performance, size_in_gib
from .zones import wanted_zones

# A claim's ReadWriteOnce. The provisioner also maps ReadWriteOncePod to it for drivers like this one.
ACCESS_MODE = csi.VolumeCapability.AccessMode.SINGLE_NODE_WRITER


@dataclass(frozen=True)
class Wish:
    """The volume that a CreateVolume call asks for. zones: best first, empty for any.

    snapshot_id: what it is created from, "" for an empty volume.
    """

    name: str
    size_gib: int
    parameters: Parameters
    tags: dict[str, str]
    zones: list[str]
    snapshot_id: str

    def arguments(self) -> dict[str, Any]:
        """Return the wish as arguments of EC2 CreateVolume, without zone and tags."""
        chosen = {
            "Iops": self.parameters.iops,
            "Throughput": self.parameters.throughput,
            "KmsKeyId": self.parameters.kms_key_id,
            "SnapshotId": self.snapshot_id or None,
        }
        return {
            "Size": self.size_gib,
            "VolumeType": self.parameters.volume_type,
            "Encrypted": self.parameters.encrypted,
        } | {argument: value for argument, value in chosen.items() if value is not None}

    def check_fits(self, volume: Volume) -> None:
        """Raise ALREADY_EXISTS when the volume with this name differs from the wish.

        The key is not compared, because EC2 tells an ARN where the parameter may be an alias.
        """
        asked = self.parameters
        differences = [
            f"{what} {has} instead of {wants}"
            for what, has, wants in (
                ("size in GiB", volume.size_gib, self.size_gib),
                ("type", volume.volume_type, asked.volume_type),
                # An account may encrypt every volume, asked or not.
                ("encrypted", volume.encrypted, asked.encrypted or None),
                ("iops", volume.iops, asked.iops),
                ("throughput", volume.throughput, asked.throughput),
                ("snapshot", volume.snapshot_id or "none", self.snapshot_id or "none"),
            )
            if has is not None and wants is not None and has != wants
        ]
        if self.zones and volume.zone not in self.zones:
            differences.append(f"zone {volume.zone} instead of {' or '.join(self.zones)}")
        if differences:
            raise CsiError(
                "ALREADY_EXISTS",
                f"volume {self.name} exists as {volume.volume_id} with {', '.join(differences)}",
            )


def required(**fields: str) -> None:
    """Raise INVALID_ARGUMENT for the first of the request's fields that is empty."""
    for name, value in fields.items():
        if not value:
            raise CsiError("INVALID_ARGUMENT", f"{name} is missing")


def wish_of(request: csi.CreateVolumeRequest) -> Wish:
    """Return the volume that the request asks for."""
    required(name=request.name)
    check_capabilities(request.volume_capabilities)
    if request.mutable_parameters:
        raise CsiError("INVALID_ARGUMENT", "mutable_parameters: a VolumeAttributesClass is not supported")
    parameters = parse_parameters(request.parameters)
    capacity = request.capacity_range
    size = size_in_gib(capacity.required_bytes, capacity.limit_bytes, parameters.volume_type)
    check_performance(parameters.volume_type, size, parameters.iops, parameters.throughput)
    topology = request.accessibility_requirements
    return Wish(
        name=request.name,
        size_gib=size,
        parameters=parameters,
        tags=volume_tags(request.name, parameters.claimant, parameters.tag_specifications),
        zones=wanted_zones(
            [each.segments for each in topology.preferred], [each.segments for each in topology.requisite]
        ),
        snapshot_id=_source(request),
    )


def _source(request: csi.CreateVolumeRequest) -> str:
    """Return the id of the snapshot that the volume is to be created from, "" for an empty volume."""
    if not request.HasField("volume_content_source"):
        return ""
    source = request.volume_content_source
    if source.WhichOneof("type") != "snapshot":
        raise CsiError("INVALID_ARGUMENT", "volume_content_source: a volume can be created from a snapshot only")
    required(snapshot_id=source.snapshot.snapshot_id)
    return source.snapshot.snapshot_id


def check_capabilities(capabilities: Iterable[csi.VolumeCapability]) -> None:
    """Refuse an empty list, and any capability that an EBS volume cannot have."""
    given = list(capabilities)
    if not given:
        raise CsiError("INVALID_ARGUMENT", "volume_capabilities is missing")
    for capability in given:
        check_capability(capability)


def check_capability(capability: csi.VolumeCapability) -> None:
    """Refuse what an EBS volume cannot be: shared between nodes, or of another kind than disk or file system."""
    mode = capability.access_mode.mode
    if mode != ACCESS_MODE:
        name = csi.VolumeCapability.AccessMode.Mode.Name(mode)
        raise CsiError(
            "INVALID_ARGUMENT",
            f"access mode {name}: an EBS volume is for one node at a time (ReadWriteOnce, SINGLE_NODE_WRITER)",
        )
    if capability.WhichOneof("access_type") is None:
        raise CsiError("INVALID_ARGUMENT", "volume_capability is neither for a block device nor for a mount")
    check_file_system(capability.mount.fs_type)
