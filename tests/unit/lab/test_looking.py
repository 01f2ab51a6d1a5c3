"""How the lab is looked at: with which kubeconfig, with whose credentials, and what is said where they do not do."""

from pathlib import Path
from typing import Any

import pytest

from components.settings import parse
from lab import verify as verifying
from lab.errors import CannotLook
from lab.reading.kubectl import kubectl_of
from lab.reading.snapshot import InEc2, Snapshot
from lab.reading.stack import Stack
from tests.unit.lab.world import INSTANCE, VOLUME, World

EKS = Stack(
    "dev", parse({"target": "eks", "region": "eu-west-1"}), {"kubeconfig": "a kubeconfig", "servers": {"a": {}}}
)


class Refusing:
    """An EC2 that lets nobody in."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_paginator(self, _operation: str) -> "Refusing":
        return self

    def paginate(self, **_filters: Any) -> Any:
        raise self._error


def test_the_kubeconfig_is_nobody_elses_to_read_and_gone_afterwards() -> None:
    with kubectl_of(EKS) as kubectl:
        file = kubectl.kubeconfig
        assert file.read_text() == "a kubeconfig"
        assert file.stat().st_mode & 0o077 == 0
    assert not file.exists(), "credentials are left in the temporary folder"


def test_aws_credentials_that_are_missing_or_expired_are_one_sentence() -> None:
    from botocore.exceptions import ClientError, NoCredentialsError

    expired = ClientError({"Error": {"Code": "ExpiredToken", "Message": "The token is expired"}}, "DescribeVolumes")
    for error, words in ((NoCredentialsError(), "Unable to locate credentials"), (expired, "The token is expired")):
        with pytest.raises(CannotLook, match=f"^the EC2 API does not answer: .*{words}") as raised:
            InEc2(Refusing(error)).volume(VOLUME)
        assert "\n" not in str(raised.value)


def test_a_profile_that_does_not_exist_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CannotLook, match=r"^the EC2 API cannot be asked: .*nobody"):
        InEc2.of(EKS)


def test_what_kubernetes_does_not_name_is_not_asked_for() -> None:
    in_ec2 = InEc2(Refusing(AssertionError("asked")))
    assert in_ec2.volume(None) is None
    assert in_ec2.instance(None) is None


def test_an_instance_is_found_by_its_id_also_where_the_api_does_not_filter() -> None:
    world = World()
    world.instances.insert(0, {"InstanceId": "i-0"})
    assert world.in_ec2.instance(INSTANCE) is world.instances[1]


@pytest.mark.parametrize(
    ("stack", "typed"),
    [
        (World().stack, ["KUBECONFIG=.lab/clouds/local/kubeconfig", "AWS_ENDPOINT_URL_EC2=http://127.0.0.1:1"]),
        (EKS, ["AWS_DEFAULT_REGION=eu-west-1", "aws eks update-kubeconfig --name storage-lab-dev"]),
    ],
)
def test_the_report_says_what_to_type_before_the_commands(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, typed: list[str]
) -> None:
    def nothing(*_: object) -> list[Snapshot]:
        return []

    monkeypatch.setattr(verifying, "gather", nothing)
    monkeypatch.setattr(InEc2, "of", nothing)
    preparation = verifying.verify(stack).preparation
    assert [words for words in typed if words not in preparation] == [], preparation


def test_a_whole_report_has_every_step_of_every_server(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(verifying, "gather", lambda *_: world.snapshots())
    monkeypatch.setattr(InEc2, "of", lambda _: world.in_ec2)
    report = verifying.verify(world.stack)
    assert report.summary == "16 passed, 0 failed, 1 skipped"
    assert report.lines[-1].key == "data-survives"
    assert {line.server for line in report.lines} == {"nfs-server"}


def test_the_modules_of_lab_load_nothing_heavy() -> None:
    """A learner waits for every import; and the unit tests for all of them."""
    heavy = ("import pulumi", "import boto3", "import rich", "from rich", "import lightkube", "from localcloud")
    loaded = [
        f"{file.name}: {line}"
        for file in sorted(Path(verifying.__file__).parent.glob("*.py"))
        for line in file.read_text().splitlines()
        if line.startswith(heavy)
    ]
    assert loaded == []
