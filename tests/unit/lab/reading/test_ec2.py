"""EC2 is read with the shell's credentials on AWS; what goes wrong is one sentence."""

from typing import Any

import pytest

from lab.errors import LabError
from lab.reading.ec2 import Ec2Reader
from tests.unit.lab.fake_lab import INSTANCE, VOLUME, FakeLab


class Refusing:
    """An EC2 that lets nobody in."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_paginator(self, _operation: str) -> "Refusing":
        return self

    def paginate(self, **_filters: Any) -> Any:
        raise self._error


def test_missing_or_expired_credentials_are_one_sentence() -> None:
    from botocore.exceptions import ClientError, NoCredentialsError

    expired = ClientError({"Error": {"Code": "ExpiredToken", "Message": "The token is expired"}}, "DescribeVolumes")
    for error, words in ((NoCredentialsError(), "Unable to locate credentials"), (expired, "The token is expired")):
        with pytest.raises(LabError, match=f"^the EC2 API does not answer: .*{words}") as raised:
            Ec2Reader(Refusing(error)).volume(VOLUME)
        assert "\n" not in str(raised.value)


def test_unknown_profile_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(LabError, match=r"^the EC2 API cannot be asked: .*nobody"):
        Ec2Reader.at("eu-west-1", None)


def test_missing_id_is_not_asked_for() -> None:
    ec2 = Ec2Reader(Refusing(AssertionError("asked")))
    assert ec2.volume(None) is None
    assert ec2.instance(None) is None


def test_instance_is_found_where_the_api_does_not_filter() -> None:
    lab = FakeLab()
    lab.instances.insert(0, {"InstanceId": "i-0"})
    assert lab.ec2.instance(INSTANCE) is lab.instances[1]
