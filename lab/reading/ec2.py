"""Reads the EC2 objects that Kubernetes names."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from components.access.clients import ec2_client
from components.access.lookups import tagged_snapshots, tagged_volumes
from lab.errors import LabError
from lab.reading.objects import Thing
from lab.reading.stack import Stack

T = TypeVar("T")


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

    def volume(self, id_: str | None) -> Thing | None:
        """Return the volume, None where there is none or no id."""
        pages = self._pages("describe_volumes", "volume-id", id_)
        return next((volume for page in pages for volume in page["Volumes"]), None)

    def instance(self, id_: str | None) -> Thing | None:
        """Return the instance, None where there is none or no id."""
        pages = self._pages("describe_instances", "instance-id", id_)
        found = [one for page in pages for reservation in page["Reservations"] for one in reservation["Instances"]]
        return next((one for one in found if one["InstanceId"] == id_), None)

    def tagged(self, *sets: Mapping[str, str]) -> list[Thing]:
        """Return the volumes with all tags of one of the sets, also those that EC2 is deleting."""
        found = [volume for tags in sets for volume in self._ask(partial(tagged_volumes, self._client, tags))]
        return list({volume["VolumeId"]: volume for volume in found}.values())

    def tagged_snapshots(self, *sets: Mapping[str, str]) -> list[Thing]:
        """Return the EBS snapshots with all tags of one of the sets."""
        found = [one for tags in sets for one in self._ask(partial(tagged_snapshots, self._client, tags))]
        return list({snapshot["SnapshotId"]: snapshot for snapshot in found}.values())

    def snapshot(self, id_: str | None) -> Thing | None:
        """Return the EBS snapshot, None where there is none or no id."""
        pages = self._pages("describe_snapshots", "snapshot-id", id_)
        return next((snapshot for page in pages for snapshot in page["Snapshots"]), None)

    def _pages(self, operation: str, name: str, value: str | None) -> list[Any]:
        if not value:
            return []
        paginator = self._client.get_paginator(operation)
        return self._ask(lambda: list(paginator.paginate(Filters=[{"Name": name, "Values": [value]}])))

    def _ask(self, question: Callable[[], T]) -> T:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return question()
        except (BotoCoreError, ClientError) as error:
            raise LabError(f"the EC2 API does not answer: {str(error).strip()}") from None
