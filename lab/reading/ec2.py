"""Reads the EC2 objects that Kubernetes names."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

from components.access.clients import ec2_client
from components.access.lookups import tagged_snapshots, tagged_volumes
from lab.errors import LabError
from lab.reading.objects import Thing
from lab.reading.stack import Stack

T = TypeVar("T")
# EC2 accepts that many values in one filter.
MOST_VALUES = 200
NO_ANSWER = "the EC2 API does not answer: "


class Ec2Ids(NamedTuple):
    """What to ask EC2 about, by id."""

    volumes: Collection[str] = ()
    instances: Collection[str] = ()
    snapshots: Collection[str] = ()


@dataclass(frozen=True)
class Ec2Seen:
    """What EC2 has at one moment, by id. Without an argument: what is known before EC2 was asked.

    A snapshot that EC2 was asked for and does not have is None.
    """

    volumes: Mapping[str, Thing] = field(default_factory=dict[str, Thing])
    instances: Mapping[str, Thing] = field(default_factory=dict[str, Thing])
    snapshots: Mapping[str, Thing | None] = field(default_factory=dict[str, Thing | None])


class Ec2Reader:
    """One client for all servers of a stack. Every method raises LabError where the API does not answer."""

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def of(cls, stack: Stack) -> "Ec2Reader":
        """Return a reader for a stack that is up: of its local cloud, or of AWS with the shell's credentials."""
        return cls.at(stack.settings.region, stack.outputs.get("ec2Endpoint"))

    @classmethod
    def at(cls, region: str, endpoint: str | None) -> "Ec2Reader":
        """Return a reader for a local cloud's `endpoint`, or for AWS where that is None."""
        from botocore.exceptions import BotoCoreError

        access = {"region": region, "endpoint_url": endpoint} if endpoint else {"region": region}
        try:
            return cls(ec2_client(access))
        except BotoCoreError as error:  # such as a profile of the shell's that does not exist
            raise LabError(f"the EC2 API cannot be asked: {error}") from None

    def see(self, ids: Ec2Ids) -> Ec2Seen:
        """Return those of the volumes, instances and snapshots that exist."""
        volumes = [one for page in self._pages("describe_volumes", "volume-id", ids.volumes) for one in page["Volumes"]]
        pages = self._pages("describe_instances", "instance-id", ids.instances)
        instances = [one for page in pages for reservation in page["Reservations"] for one in reservation["Instances"]]
        pages = self._pages("describe_snapshots", "snapshot-id", ids.snapshots)
        snapshots = {one["SnapshotId"]: one for page in pages for one in page["Snapshots"]}
        return Ec2Seen(
            {one["VolumeId"]: one for one in volumes if one["VolumeId"] in ids.volumes},
            {one["InstanceId"]: one for one in instances if one["InstanceId"] in ids.instances},
            {id_: snapshots.get(id_) for id_ in ids.snapshots},
        )

    def tagged(self, *sets: Mapping[str, str]) -> list[Thing]:
        """Return the volumes with all tags of one of the sets, also those that EC2 is deleting."""
        found = [volume for tags in sets for volume in self._ask(partial(tagged_volumes, self._client, tags))]
        return list({volume["VolumeId"]: volume for volume in found}.values())

    def tagged_snapshots(self, *sets: Mapping[str, str]) -> list[Thing]:
        """Return the EBS snapshots with all tags of one of the sets."""
        found = [one for tags in sets for one in self._ask(partial(tagged_snapshots, self._client, tags))]
        return list({snapshot["SnapshotId"]: snapshot for snapshot in found}.values())

    def _pages(self, operation: str, name: str, values: Collection[str]) -> list[Any]:
        """Return the pages about the ids that exist: a filter skips the others, where an id by itself is an error."""
        ids = sorted(values)
        some = [ids[start : start + MOST_VALUES] for start in range(0, len(ids), MOST_VALUES)]
        paginator = self._client.get_paginator(operation)
        return [
            page
            for asked in some
            for page in self._ask(partial(self._all_of, paginator, [{"Name": name, "Values": asked}]))
        ]

    @staticmethod
    def _all_of(paginator: Any, filters: list[dict[str, Any]]) -> list[Any]:
        return list(paginator.paginate(Filters=filters))

    def _ask(self, question: Callable[[], T]) -> T:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return question()
        except (BotoCoreError, ClientError) as error:
            raise LabError(f"{NO_ANSWER}{str(error).strip()}") from None
