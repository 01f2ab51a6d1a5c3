"""The EC2 API as the CSI controller uses it: volumes by name and id, their growth, attachments, instances, zones.

Every method raises CsiError (localcloud/csi/errors.py holds the table) and ends by its deadline.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from ..ec2_key import Ec2Key
from .deadline import Deadline
from .errors import CsiError, from_ec2
from .tags import VOLUME_NAME

CONNECTIONS = 16
_TRIES = 4
_FIRST_RETRY_SECONDS = 0.1
_GONE = ("deleting", "deleted")

Answer = dict[str, Any]
"""One EC2 answer, or a part of it, as boto3 parses it."""


@dataclass(frozen=True)
class Attachment:
    """state: attaching, attached, detaching, busy."""

    instance_id: str
    device: str
    state: str


@dataclass(frozen=True)
class Volume:
    """One EBS volume. iops and throughput are None where the API does not tell them."""

    volume_id: str
    name: str
    size_gib: int
    zone: str
    state: str
    volume_type: str
    encrypted: bool
    iops: int | None
    throughput: int | None
    attachments: tuple[Attachment, ...]


@dataclass(frozen=True)
class Modification:
    """The last change of a volume. state: modifying, optimizing, completed, failed; the first has no effect yet."""

    state: str
    target_gib: int
    message: str


@dataclass(frozen=True)
class Instance:
    """root_device: the device of the disk that the instance boots from, "" when it has none."""

    instance_id: str
    zone: str
    root_device: str


def ec2_client(endpoint: str, region: str, key: Ec2Key) -> Any:
    """Return a thread-safe client of the EC2 API at that URL.

    It is botocore's, which boto3 hands out too: without boto3 around it, the controller starts sooner.
    No AWS_* variable, profile, file or proxy of the user takes part: each setting that botocore would look up
    is bound to its default.
    """
    variables = cast(Any, botocore.session.Session).SESSION_VARIABLES
    nowhere = {"config_file": "/dev/null", "credentials_file": "/dev/null"}
    own = {
        name: (None, None, nowhere.get(name, default), cast_to) for name, (_, _, default, cast_to) in variables.items()
    }
    session = botocore.session.Session(session_vars=own)  # pyright: ignore[reportArgumentType]
    models = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    session.register_component("data_loader", models)  # pyright: ignore[reportUnknownMemberType]
    config = Config(
        proxies={},
        connect_timeout=3,
        read_timeout=15,
        max_pool_connections=CONNECTIONS,
        # One try: after a lost answer botocore would send CreateVolume again, and the emulator, which ignores
        # ClientToken, would create a second volume. Nor does botocore know a deadline. See _ask.
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    return cast(Any, session).create_client(
        "ec2",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=config,
    )


class Ec2:
    """The operations of one EC2 endpoint."""

    def __init__(self, endpoint: str, region: str, key: Ec2Key) -> None:
        self.region = region
        client = ec2_client(endpoint, region, key)
        self._methods = {name: getattr(client, method) for method, name in client.meta.method_to_api_mapping.items()}
        self._zones: frozenset[str] = frozenset()
        self._subnet_zones: dict[str, str] = {}

    def volume_named(self, name: str, deadline: Deadline) -> Volume | None:
        """Return the volume with that CSI name, None without one. Raises ABORTED, with the ids, if there are more."""
        filters = [{"Name": f"tag:{VOLUME_NAME}", "Values": [name]}]
        # EC2 takes * and ? in a filter as wildcards: only the exact name counts.
        found = [volume for volume in self._volumes(deadline, Filters=filters) if volume.name == name]
        if len(found) > 1:
            ids = ", ".join(sorted(volume.volume_id for volume in found))
            raise CsiError("ABORTED", f"more than one EBS volume is tagged {VOLUME_NAME}={name}: {ids}")
        return found[0] if found else None

    def volume(self, volume_id: str, deadline: Deadline) -> Volume:
        """Return the volume with that id. Raises NOT_FOUND."""
        found = self._volumes(deadline, VolumeIds=[volume_id])
        if not found:
            raise CsiError("NOT_FOUND", f"EBS volume {volume_id} does not exist")
        return found[0]

    def attached_devices(self, instance_id: str, deadline: Deadline) -> set[str]:
        """Return the device names that are taken on an instance, its root device included."""
        filters = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
        return {
            attachment.device
            for volume in self._volumes(deadline, Filters=filters)
            for attachment in volume.attachments
            if attachment.instance_id == instance_id
        }

    def instance(self, instance_id: str, deadline: Deadline) -> Instance:
        """Return the instance with that id. Raises NOT_FOUND, also for a terminated instance."""
        answer = self._ask("DescribeInstances", deadline, InstanceIds=[instance_id])
        for reservation in cast(list[Answer], answer.get("Reservations", [])):
            for instance in cast(list[Answer], reservation.get("Instances", [])):
                if instance.get("State", {}).get("Name") not in ("terminated", "shutting-down"):
                    zone = self._zone_of_subnet(instance["SubnetId"], deadline)
                    return Instance(instance_id, zone, instance.get("RootDeviceName", ""))
        raise CsiError("NOT_FOUND", f"EC2 instance {instance_id} does not exist")

    def _zone_of_subnet(self, subnet_id: str, deadline: Deadline) -> str:
        # The zone of an instance is its subnet's, which never changes. The emulator says that every instance is in the
        # region's first zone, wherever its subnet is.
        if subnet_id not in self._subnet_zones:
            answer = self._ask("DescribeSubnets", deadline, SubnetIds=[subnet_id])
            for subnet in cast(list[Answer], answer.get("Subnets", [])):
                self._subnet_zones[subnet["SubnetId"]] = subnet["AvailabilityZone"]
        return self._subnet_zones[subnet_id]

    def zones(self, deadline: Deadline) -> frozenset[str]:
        """Return the availability zones of the region; EC2 is asked once."""
        if not self._zones:
            answer = self._ask("DescribeAvailabilityZones", deadline)
            self._zones = frozenset(zone["ZoneName"] for zone in answer.get("AvailabilityZones", []))
        return self._zones

    def create_volume(self, name: str, wish: Mapping[str, Any], tags: Mapping[str, str], deadline: Deadline) -> Volume:
        """Ask for a volume, once. `wish`: arguments of CreateVolume, such as Size in GiB and VolumeType."""
        specification = {
            "ResourceType": "volume",
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        # The token makes EC2 answer a repeated request with the first volume, for as long as it remembers.
        token = hashlib.sha256(name.encode()).hexdigest()
        answer = self._ask_once("CreateVolume", deadline, ClientToken=token, TagSpecifications=[specification], **wish)
        return _volume(answer)

    def delete_volume(self, volume_id: str, deadline: Deadline) -> None:
        """Delete a volume. Raises NOT_FOUND when it does not exist any more."""
        self._ask("DeleteVolume", deadline, VolumeId=volume_id)

    def modification(self, volume_id: str, deadline: Deadline) -> Modification | None:
        """Return the last modification of the volume, None where it was never modified or EC2 has forgotten it."""
        try:
            answer = self._ask("DescribeVolumesModifications", deadline, VolumeIds=[volume_id])
        except CsiError as error:
            if error.code == "NOT_FOUND":
                return None
            raise
        for each in cast(list[Answer], answer.get("VolumesModifications", [])):
            return Modification(
                each["ModificationState"], int(each.get("TargetSize", 0)), each.get("StatusMessage", "")
            )
        return None

    def modify_volume(self, volume_id: str, size_gib: int, deadline: Deadline) -> None:
        """Begin to change the size. Not repeated: after a request that worked, EC2 would refuse a second one."""
        self._ask_once("ModifyVolume", deadline, VolumeId=volume_id, Size=size_gib)

    def attach_volume(self, volume_id: str, instance_id: str, device: str, deadline: Deadline) -> None:
        """Begin to attach. Not repeated: after a request that worked, EC2 would refuse a second as in use."""
        self._ask_once("AttachVolume", deadline, VolumeId=volume_id, InstanceId=instance_id, Device=device)

    def detach_volume(self, volume_id: str, instance_id: str, deadline: Deadline) -> None:
        """Begin to detach."""
        self._ask_once("DetachVolume", deadline, VolumeId=volume_id, InstanceId=instance_id)

    def _volumes(self, deadline: Deadline, **arguments: Any) -> list[Volume]:
        found: list[Volume] = []
        token: dict[str, str] = {}
        while True:
            answer = self._ask("DescribeVolumes", deadline, **arguments, **token)
            found += [_volume(each) for each in cast(list[Answer], answer.get("Volumes", []))]
            if not answer.get("NextToken"):
                return [volume for volume in found if volume.state not in _GONE]
            token = {"NextToken": answer["NextToken"]}

    def _ask(self, operation: str, deadline: Deadline, **arguments: Any) -> Answer:
        """Ask, and repeat it a few times while EC2 cannot be reached or asks for fewer requests."""
        pause = _FIRST_RETRY_SECONDS
        for _ in range(_TRIES - 1):
            try:
                return self._ask_once(operation, deadline, **arguments)
            except CsiError as error:
                if error.code != "UNAVAILABLE":
                    raise
                deadline.pause(pause, f"EC2 answers again ({error})")
                pause *= 2
        return self._ask_once(operation, deadline, **arguments)

    def _ask_once(self, operation: str, deadline: Deadline, **arguments: Any) -> Answer:
        if not deadline.remaining():
            raise CsiError("DEADLINE_EXCEEDED", f"no time left for EC2 {operation}")
        try:
            return self._methods[operation](**arguments)
        except Exception as error:
            raise from_ec2(error, operation) from error


def _volume(answer: Answer) -> Volume:
    """One item of DescribeVolumes, or the answer of CreateVolume."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in answer.get("Tags", [])}
    return Volume(
        volume_id=answer["VolumeId"],
        name=tags.get(VOLUME_NAME, ""),
        size_gib=int(answer["Size"]),
        zone=answer["AvailabilityZone"],
        state=answer["State"],
        volume_type=answer["VolumeType"],
        encrypted=bool(answer.get("Encrypted", False)),
        iops=answer.get("Iops"),
        throughput=answer.get("Throughput"),
        attachments=tuple(
            Attachment(each["InstanceId"], each["Device"], each["State"])
            for each in answer.get("Attachments", [])
            if each["State"] != "detached"
        ),
    )
