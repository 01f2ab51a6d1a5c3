"""Signatures: the same as botocore's, byte for byte."""

import re

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localcloud.ec2_key import Ec2Key
from localcloud.sigv4 import CONTENT_TYPE, signed_headers

KEY = Ec2Key("LOCALABCDEFGHIJ23456", "0123456789abcdef0123456789abcdef01234567")
HOST = "127.0.0.1:20003"


def signed_by_botocore(body: bytes, key: Ec2Key = KEY, host: str = HOST, **headers: str) -> dict[str, str]:
    """Return the headers that botocore signs and sends, in lower case."""
    request = AWSRequest("POST", f"http://{host}/", {"Content-Type": CONTENT_TYPE, **headers}, body)
    SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "ec2", "us-east-1").add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()} | {"host": host}


@pytest.mark.parametrize("body", [b"", b"Action=DescribeVolumes&Version=2016-11-15", "Tag=Übung".encode()])
def test_our_signature_is_that_of_botocore(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = signed_by_botocore(body)
    clock = type("Clock", (), {"now": lambda _zone: _At(theirs["x-amz-date"])})
    monkeypatch.setattr("localcloud.sigv4.datetime", clock)
    ours = signed_headers(KEY, "us-east-1", HOST, body)
    found = [re.search(r"Signature=(\w+)", one["authorization"]) for one in (ours, theirs)]
    assert all(found)
    assert found[0][1] == found[1][1], "the EC2 API would refuse the SDK, or our own requests"


class _At:
    """A time that is written as it was given."""

    def __init__(self, text: str) -> None:
        self._text = text

    def strftime(self, _format: str) -> str:
        return self._text
