"""Ec2Instance: one instance a node, also after an interruption, and another one when it is gone."""

import io
from email.message import Message
from http.client import IncompleteRead
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl
from urllib.request import Request

import pulumi
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from components.access import clients
from components.access.dynamic_provider import Failure
from components.local import ec2_instance
from components.local.ec2_instance import Ec2InstanceProvider
from localcloud.ec2_gate import refuse_signature
from localcloud.ec2_key import NONE

PROPS = {
    "ec2": {"region": "us-east-1", "endpoint_url": "http://127.0.0.1:1"},
    "node": "node-1",
    "zone": "us-east-1b",
}


class Ec2:
    """The operations, over a dictionary: tests/local runs the same provider against the emulator."""

    def __init__(self) -> None:
        self.instances: dict[str, dict[str, Any]] = {}
        self.attached: dict[str, str] = {}
        self.down = False
        self.endpoint = "http://127.0.0.1:1"

    def describe_volumes(self, Filters: list[dict[str, Any]]) -> Any:
        [instance] = [found["Values"][0] for found in Filters if found["Name"] == "attachment.instance-id"]
        return {"Volumes": [{"VolumeId": volume} for volume, where in self.attached.items() if where == instance]}

    def detach_volume(self, VolumeId: str, InstanceId: str) -> None:
        assert self.attached.pop(VolumeId) == InstanceId

    def describe_subnets(self, Filters: list[dict[str, Any]]) -> Any:
        [zone] = [found["Values"][0] for found in Filters if found["Name"] == "availability-zone"]
        return {"Subnets": [{"SubnetId": f"subnet-in-{zone}"}]}

    def run_instances(self, **arguments: Any) -> Any:
        self._answer()
        assert (arguments["MinCount"], arguments["MaxCount"]) == (1, 1)
        instance_id = f"i-{len(self.instances)}"
        tags = {tag["Key"]: tag["Value"] for tag in arguments["TagSpecifications"][0]["Tags"]}
        self.instances[instance_id] = {
            "InstanceId": instance_id,
            "State": {"Name": "running"},
            "SubnetId": arguments["SubnetId"],
            "tags": tags,
        }
        return {"Instances": [self.instances[instance_id]]}

    def describe_instances(
        self, InstanceIds: list[str] | None = None, Filters: list[dict[str, Any]] | None = None
    ) -> Any:
        self._answer()
        if InstanceIds:
            if InstanceIds[0] not in self.instances:
                raise ClientError({"Error": {"Code": "InvalidInstanceID.NotFound"}}, "DescribeInstances")
            found = [self.instances[InstanceIds[0]]]
        else:
            wanted = {entry["Name"]: entry["Values"] for entry in Filters or ()}
            found = [
                instance
                for instance in self.instances.values()
                if instance["State"]["Name"] in wanted["instance-state-name"]
                and instance["tags"]["storage-lab-node"] in wanted["tag:storage-lab-node"]
            ]
        return {"Reservations": [{"Instances": found}] if found else []}

    def terminate_instances(self, InstanceIds: list[str]) -> None:
        self.describe_instances(InstanceIds)
        self.instances[InstanceIds[0]]["State"] = {"Name": "terminated"}

    def _answer(self) -> None:
        if self.down:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


class Emulator:
    """DescribeInstances of one id over HTTP, in the words of the EC2 Query API, on top of the same dictionary."""

    def __init__(self, ec2: Ec2) -> None:
        self._ec2 = ec2

    def open(self, request: Request, timeout: float) -> io.BytesIO:
        url, data = request.full_url.removesuffix("/"), request.data
        if self._ec2.down or url != self._ec2.endpoint:
            raise ConnectionRefusedError
        assert isinstance(data, bytes)
        headers = {name.lower(): value for name, value in request.header_items()}
        assert refuse_signature(headers, data, NONE) is None, "the EC2 API answers no unsigned question"
        question = dict(parse_qsl(data.decode()))
        assert question["Action"] == "DescribeInstances"
        instance = self._ec2.instances.get(question["InstanceId.1"])
        if instance is None:
            error = b"<Response><Errors><Error><Code>InvalidInstanceID.NotFound</Code></Error></Errors></Response>"
            raise HTTPError(url, 400, "Bad Request", Message(), io.BytesIO(error))
        state = f"<instanceState><name>{instance['State']['Name']}</name></instanceState>"
        return io.BytesIO(f'<a xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><b>{state}</b></a>'.encode())


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Ec2:
    fake = Ec2()
    monkeypatch.setattr(clients, "ec2_client", lambda _access: fake)
    monkeypatch.setattr(ec2_instance, "build_opener", lambda *_handlers: Emulator(fake))
    return fake


@pytest.fixture
def provider() -> Ec2InstanceProvider:
    return Ec2InstanceProvider()


def test_an_instance_is_run_in_its_zone_under_its_nodes_name(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    made = provider.create({**PROPS, "__provider": "code"})
    assert made.outs == PROPS
    assert ec2.instances[made.id]["SubnetId"] == "subnet-in-us-east-1b"
    assert ec2.instances[made.id]["tags"]["Name"] == "node-1", "so that a person finds it"


def test_an_interrupted_creation_is_taken_up(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    assert provider.create(PROPS).id == provider.create(PROPS).id
    assert len(ec2.instances) == 1, "a second one would stay behind for ever"


def test_while_it_lives_nothing_changes(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    diff = provider.diff(provider.create(PROPS).id, PROPS, {**PROPS, "__provider": "newer code"})
    assert (diff.changes, diff.replaces) == (False, [])


def test_one_that_was_terminated_is_replaced(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    instance = provider.create(PROPS).id
    ec2.terminate_instances([instance])
    diff = provider.diff(instance, PROPS, PROPS)
    assert (diff.changes, diff.replaces) == (True, ["node"])
    assert provider.read(instance, PROPS).id == "", "refresh forgets it"
    assert provider.create(PROPS).id != instance


def test_one_that_was_never_there_is_replaced(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    assert provider.diff("i-unknown", PROPS, PROPS).replaces == ["node"]


def test_while_ec2_is_down_nothing_is_known_to_be_gone(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    ec2.down = True
    assert provider.diff("i-0", PROPS, PROPS).changes is False, "a preview after a reboot would replace every node"


class CutOff(io.BytesIO):
    """An answer whose sender has died."""

    def read(self, *_size: Any) -> bytes:
        raise IncompleteRead(b"", 269)


@pytest.mark.parametrize("status", [200, 401])
def test_ec2_that_dies_in_its_answer_has_not_answered(
    provider: Ec2InstanceProvider, ec2: Ec2, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def answer(_emulator: Emulator, request: Request, timeout: float) -> io.BytesIO:
        if status == 200:
            return CutOff()
        raise HTTPError(request.full_url, status, "Unauthorized", Message(), CutOff())

    monkeypatch.setattr(Emulator, "open", answer)
    assert provider.diff("i-0", PROPS, PROPS).changes is False


def elsewhere(endpoint: Any) -> dict[str, Any]:
    return {**PROPS, "ec2": {"region": "us-east-1", "endpoint_url": endpoint}}


def test_instance_is_kept_when_ec2_refuses_the_key(
    provider: Ec2InstanceProvider, ec2: Ec2, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = provider.create(PROPS).id

    def refuse(_emulator: Emulator, request: Request, timeout: float) -> io.BytesIO:
        raise HTTPError(request.full_url, 401, "Unauthorized", Message(), io.BytesIO(b"<Code>AuthFailure</Code>"))

    monkeypatch.setattr(Emulator, "open", refuse)
    assert provider.read(instance, PROPS).id == instance, "a state used in another checkout would lose its node"


def test_another_port_of_the_emulator_is_an_update_in_place(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    instance = provider.create(PROPS).id
    ec2.endpoint = "http://127.0.0.1:2"
    moved = elsewhere(ec2.endpoint)
    diff = provider.diff(instance, PROPS, moved)
    assert (diff.changes, diff.replaces) == (True, [])
    assert provider.update(instance, PROPS, moved).outs == moved, "delete is given nothing else"


def test_the_instance_of_a_cloud_that_was_made_anew_is_replaced(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    instance = provider.create(PROPS).id
    ec2.instances.clear()
    ec2.endpoint = "http://127.0.0.1:2"
    assert provider.diff(instance, PROPS, elsewhere(ec2.endpoint)).replaces == ["node"]


def test_before_the_cloud_is_there_nothing_is_known_to_be_gone(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    diff = provider.diff(provider.create(PROPS).id, PROPS, elsewhere(pulumi.UNKNOWN))
    assert (diff.changes, diff.replaces) == (True, [])


def test_deleting_it_twice_is_fine(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    instance = provider.create(PROPS).id
    provider.delete(instance, PROPS)
    provider.delete(instance, PROPS)
    provider.delete("i-unknown", PROPS)
    assert ec2.instances[instance]["State"] == {"Name": "terminated"}


def test_volumes_are_detached_from_an_instance_that_ends(provider: Ec2InstanceProvider, ec2: Ec2) -> None:
    instance = provider.create(PROPS).id
    ec2.attached = {"vol-1": instance, "vol-2": "i-other"}
    ec2.terminate_instances([instance])
    provider.delete(instance, PROPS)
    assert ec2.attached == {"vol-2": "i-other"}, "vol-1 could never be deleted, and the lab's destroy would never end"


def test_an_instance_of_a_cloud_that_was_deleted_is_gone(
    provider: Ec2InstanceProvider, ec2: Ec2, monkeypatch: pytest.MonkeyPatch
) -> None:
    ec2.down = True
    monkeypatch.setattr(ec2_instance, "serves", lambda _endpoint: False)
    provider.delete("i-0", PROPS)


def test_what_cannot_be_done_is_said_with_the_nodes_name(
    provider: Ec2InstanceProvider, ec2: Ec2, monkeypatch: pytest.MonkeyPatch
) -> None:
    ec2.down = True
    monkeypatch.setattr(ec2_instance, "serves", lambda endpoint: endpoint == PROPS["ec2"]["endpoint_url"])
    with pytest.raises(
        Failure, match="no instance could be started for node node-1: the EC2 API does not answer: Could not"
    ):
        provider.create(PROPS)
    with pytest.raises(Failure, match="the instance i-0 of node node-1 cannot be terminated: the EC2 API"):
        provider.delete("i-0", PROPS)


def test_a_cloud_given_up_for_good_has_no_instances(
    provider: Ec2InstanceProvider, ec2: Ec2, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(clients.GONE_FOR_GOOD, "true")
    ec2.down = True
    assert provider.delete("i-0", PROPS) is None, "a destroy would fail for an instance that does not exist any more"
