"""The Controller service of the CSI driver ebs.csi.aws.com, over the EC2 API."""

import string
import threading

import grpc

from .deadline import Deadline, InFlight
from .ec2 import Attachment, Ec2, Volume
from .errors import CsiError
from .growth import grow
from .names import MOST_VOLUMES_ON_A_NODE
from .requests import Wish, check_capabilities, check_capability, required, wish_of
from .stubs import csi, csi_grpc
from .volume_types import GIB
from .zones import ZONE_KEY, choose_zone

DEVICE_PATH = "devicePath"
"""The key in the publish context under which the node half of the driver looks for the device."""

LONGEST_CALL_SECONDS = 60.0
"""What the sidecars allow for a call (--timeout); also for a caller that sets no deadline."""

_DEVICES = tuple(f"/dev/xvda{letter}" for letter in string.ascii_lowercase)
_RPC = csi.ControllerServiceCapability.RPC


class Controller(csi_grpc.ControllerServicer):
    """CSI Controller. Calls for one volume wait for each other; each ends by its deadline, and raises CsiError."""

    def __init__(self, ec2: Ec2, stop: threading.Event) -> None:
        self._ec2 = ec2
        self._stop = stop
        self._in_flight = InFlight()

    def ControllerGetCapabilities(
        self, request: csi.ControllerGetCapabilitiesRequest, context: grpc.ServicerContext
    ) -> csi.ControllerGetCapabilitiesResponse:
        kinds = (_RPC.CREATE_DELETE_VOLUME, _RPC.PUBLISH_UNPUBLISH_VOLUME, _RPC.EXPAND_VOLUME)
        return csi.ControllerGetCapabilitiesResponse(
            capabilities=[csi.ControllerServiceCapability(rpc=_RPC(type=kind)) for kind in kinds]
        )

    def CreateVolume(self, request: csi.CreateVolumeRequest, context: grpc.ServicerContext) -> csi.CreateVolumeResponse:
        wish = wish_of(request)
        deadline = self._deadline(context)
        with self._in_flight.alone(f"volume {wish.name}", deadline):
            volume = self._found_or_created(wish, deadline)
            self._wait_until_usable(volume, deadline)
        return csi.CreateVolumeResponse(
            volume=csi.Volume(
                volume_id=volume.volume_id,
                capacity_bytes=volume.size_gib * GIB,
                # Each key becomes a node affinity of the PersistentVolume, so only the key that all nodes have.
                accessible_topology=[csi.Topology(segments={ZONE_KEY: volume.zone})],
            )
        )

    def DeleteVolume(self, request: csi.DeleteVolumeRequest, context: grpc.ServicerContext) -> csi.DeleteVolumeResponse:
        required(volume_id=request.volume_id)
        deadline = self._deadline(context)
        with self._in_flight.alone(request.volume_id, deadline):
            try:
                self._ec2.delete_volume(request.volume_id, deadline)
            except CsiError as error:
                if error.code != "NOT_FOUND":
                    raise
        return csi.DeleteVolumeResponse()

    def ControllerExpandVolume(
        self, request: csi.ControllerExpandVolumeRequest, context: grpc.ServicerContext
    ) -> csi.ControllerExpandVolumeResponse:
        required(volume_id=request.volume_id)
        capacity = request.capacity_range
        if not capacity.required_bytes and not capacity.limit_bytes:
            raise CsiError("INVALID_ARGUMENT", "capacity_range is missing")
        if request.HasField("volume_capability"):
            check_capability(request.volume_capability)
        deadline = self._deadline(context)
        with self._in_flight.alone(request.volume_id, deadline):
            gib = grow(self._ec2, request.volume_id, capacity, deadline)
        # The node enlarges the file system. The claim has the new size only then, so it never says more than there is.
        return csi.ControllerExpandVolumeResponse(capacity_bytes=gib * GIB, node_expansion_required=True)

    def ControllerPublishVolume(
        self, request: csi.ControllerPublishVolumeRequest, context: grpc.ServicerContext
    ) -> csi.ControllerPublishVolumeResponse:
        required(volume_id=request.volume_id, node_id=request.node_id)
        if not request.HasField("volume_capability"):
            raise CsiError("INVALID_ARGUMENT", "volume_capability is missing")
        check_capability(request.volume_capability)
        deadline = self._deadline(context)
        with self._in_flight.alone(request.volume_id, deadline):
            volume = self._ec2.volume(request.volume_id, deadline)
            attachment = _attachment_to(volume, request.node_id)
            if attachment is None:
                self._attach(volume, request.node_id, deadline)
            if attachment is None or attachment.state != "attached":
                attachment = self._wait_until_attached(volume.volume_id, request.node_id, deadline)
        return csi.ControllerPublishVolumeResponse(publish_context={DEVICE_PATH: attachment.device})

    def ControllerUnpublishVolume(
        self, request: csi.ControllerUnpublishVolumeRequest, context: grpc.ServicerContext
    ) -> csi.ControllerUnpublishVolumeResponse:
        required(volume_id=request.volume_id)
        deadline = self._deadline(context)
        with self._in_flight.alone(request.volume_id, deadline):
            try:
                self._detach(request.volume_id, request.node_id, deadline)
            except CsiError as error:
                if error.code != "NOT_FOUND":
                    raise
        return csi.ControllerUnpublishVolumeResponse()

    def ValidateVolumeCapabilities(
        self, request: csi.ValidateVolumeCapabilitiesRequest, context: grpc.ServicerContext
    ) -> csi.ValidateVolumeCapabilitiesResponse:
        required(volume_id=request.volume_id)
        if not request.volume_capabilities:
            raise CsiError("INVALID_ARGUMENT", "volume_capabilities is missing")
        self._ec2.volume(request.volume_id, self._deadline(context))
        try:
            check_capabilities(request.volume_capabilities)
        except CsiError as error:
            return csi.ValidateVolumeCapabilitiesResponse(message=error.message)
        return csi.ValidateVolumeCapabilitiesResponse(
            confirmed=csi.ValidateVolumeCapabilitiesResponse.Confirmed(
                volume_context=request.volume_context,
                volume_capabilities=request.volume_capabilities,
                parameters=request.parameters,
            )
        )

    def _deadline(self, context: grpc.ServicerContext) -> Deadline:
        # For a caller without a deadline grpc tells centuries.
        return Deadline(min(context.time_remaining(), LONGEST_CALL_SECONDS), self._stop)

    def _found_or_created(self, wish: Wish, deadline: Deadline) -> Volume:
        """Return the one volume of that name: the volume that an earlier call left, or else a new volume."""
        try:
            volume = self._ec2.volume_named(wish.name, deadline)
            zones = self._ec2.zones(deadline) if volume is None else frozenset[str]()
        except CsiError as error:
            raise error.undecided() from error
        if volume is not None:
            wish.check_fits(volume)
            return volume
        zone = choose_zone(wish.zones, zones, self._ec2.region)
        return self._ec2.create_volume(wish.name, wish.arguments() | {"AvailabilityZone": zone}, wish.tags, deadline)

    def _wait_until_usable(self, volume: Volume, deadline: Deadline) -> None:
        def look() -> Volume | None:
            seen = self._ec2.volume(volume.volume_id, deadline)
            return None if seen.state == "creating" else seen

        if volume.state == "creating":
            try:
                volume = deadline.wait_until(look, f"volume {volume.volume_id} is available")
            except CsiError as error:
                # Not yet visible, or EC2 does not answer now: the volume may well exist.
                raise error.undecided() from error
        if volume.state == "error":
            # EC2 creates such a volume when it cannot use the key, and the volume can only be deleted.
            try:
                self._ec2.delete_volume(volume.volume_id, deadline)
            except CsiError as error:
                raise error.undecided() from error
            raise CsiError("INTERNAL", f"EC2 could not create {volume.volume_id}; is its key usable (kmsKeyId)?")

    def _attach(self, volume: Volume, node_id: str, deadline: Deadline) -> None:
        """Ask EC2 to attach a free volume. One call at a time for each node, because a node has one set of devices."""
        instance = self._ec2.instance(node_id, deadline)
        if instance.zone != volume.zone:
            raise CsiError(
                "FAILED_PRECONDITION",
                f"volume {volume.volume_id} is in zone {volume.zone}, node {node_id} in {instance.zone}",
            )
        with self._in_flight.alone(node_id, deadline):
            taken = self._ec2.attached_devices(node_id, deadline)
            if len(taken - {instance.root_device}) >= MOST_VOLUMES_ON_A_NODE:
                raise CsiError(
                    "RESOURCE_EXHAUSTED", f"node {node_id} holds {MOST_VOLUMES_ON_A_NODE} volumes and takes no more"
                )
            device = next(device for device in _DEVICES if device not in taken)
            self._ec2.attach_volume(volume.volume_id, node_id, device, deadline)

    def _wait_until_attached(self, volume_id: str, node_id: str, deadline: Deadline) -> Attachment:
        def look() -> Attachment | None:
            seen = _attachment_to(self._ec2.volume(volume_id, deadline), node_id)
            return seen if seen is not None and seen.state == "attached" else None

        return deadline.wait_until(look, f"volume {volume_id} is attached to {node_id}")

    def _detach(self, volume_id: str, node_id: str, deadline: Deadline) -> None:
        """Detach from that node, or from all nodes when it is ""; returns when EC2 says that it is done."""

        def left() -> list[Attachment]:
            attachments = self._ec2.volume(volume_id, deadline).attachments
            return [each for each in attachments if node_id in ("", each.instance_id)]

        attachments = left()
        for attachment in attachments:
            if attachment.state != "detaching":
                self._ec2.detach_volume(volume_id, attachment.instance_id, deadline)
        if attachments:
            deadline.wait_until(lambda: None if left() else True, f"volume {volume_id} is detached")


def _attachment_to(volume: Volume, node_id: str) -> Attachment | None:
    """Return the attachment to that node, None when the volume is free.

    Raises FAILED_PRECONDITION when another node has the volume, ABORTED when this node is about to give it up.
    """
    for attachment in volume.attachments:
        if attachment.instance_id != node_id:
            raise CsiError("FAILED_PRECONDITION", f"volume {volume.volume_id} is attached to {attachment.instance_id}")
        if attachment.state == "detaching":
            raise CsiError("ABORTED", f"volume {volume.volume_id} is being detached from {node_id}")
        return attachment
    return None
