"""EC2 is read with the shell's credentials on AWS; what goes wrong is one sentence."""

from typing import Any

import pytest

from lab.errors import LabError
from lab.reading.ec2 import MOST_VALUES, Ec2Ids, Ec2Reader, Ec2Seen
from tests.unit.lab.fake_lab import INSTANCE, VOLUME, Ec2, FakeLab


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
            Ec2Reader(Refusing(error)).see(Ec2Ids({VOLUME}))
        assert "\n" not in str(raised.value)


def test_unknown_profile_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(LabError, match=r"^the EC2 API cannot be asked: .*nobody"):
        Ec2Reader.at("eu-west-1", None)


def test_nothing_is_asked_about_no_id() -> None:
    ec2 = Ec2Reader(Refusing(AssertionError("asked")))
    assert ec2.see(Ec2Ids()) == Ec2Seen()


def test_instance_is_found_where_the_api_does_not_filter() -> None:
    asked = FakeLab().ec2.see(Ec2Ids({VOLUME}, {INSTANCE}))
    assert list(asked.volumes) == [VOLUME]
    assert list(asked.instances) == [INSTANCE]


def test_class_is_read_in_a_few_questions() -> None:
    class Counting(Ec2):
        asked = 0

        def paginate(self, Filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
            Counting.asked += 1
            assert len(Filters[0]["Values"]) <= MOST_VALUES, "EC2 refuses more"
            return super().paginate(Filters)

    ids = {f"vol-{number}" for number in range(300)}
    seen = Ec2Reader(Counting([{"VolumeId": id_} for id_ in ids], [], [])).see(Ec2Ids(ids))
    assert set(seen.volumes) == ids
    assert Counting.asked == 2, "a question for each server takes as long as the class is large"
