"""Ec2Gate: a signed request passes, and every other is refused with EC2's own error."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.asgi import Message, Receive, Scope, Send, answer_once, replay
from localcloud.ec2_gate import MOST_BYTES, Ec2Gate
from localcloud.ec2_key import Ec2Key
from tests.unit.localcloud.test_sigv4 import HOST, KEY, signed_by_botocore

BODY = b"Action=DescribeVolumes&Version=2016-11-15"
PORT = int(HOST.rpartition(":")[2])
OTHER_KEY = Ec2Key("LOCALOTHER0000000000", KEY.secret_access_key)
OTHER_SECRET = Ec2Key(KEY.access_key_id, "f" * 40)


class Api:
    """An EC2 API behind the gate; `served` are the headers of the requests that reached it."""

    def __init__(self) -> None:
        self.served: list[dict[bytes, bytes]] = []
        self.sent: list[Message] = []
        self._gate = Ec2Gate(self._answer, KEY, PORT, "The hint.")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.served.append(dict(scope["headers"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Access-Control-Allow-Origin", b"*")]})
        await send({"type": "http.response.body", "body": (await receive())["body"]})

    def ask(self, headers: dict[str, str], body: bytes = BODY, **scope: Any) -> tuple[int, str]:
        """Return status and body of the answer."""
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        asked = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": raw, **scope}
        self.sent = []
        asyncio.run(self._gate(asked, replay(body), self._send))
        return self.sent[0].get("status", 0), self.sent[-1].get("body", b"").decode()

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_request_signed_by_botocore_passes_whole(api: Api) -> None:
    assert api.ask(signed_by_botocore(BODY)) == (200, BODY.decode())


def test_localhost_is_this_host_too(api: Api) -> None:
    assert api.ask(signed_by_botocore(BODY, host=f"localhost:{PORT}"))[0] == 200


def test_a_session_token_of_the_shell_does_no_harm(api: Api) -> None:
    headers = signed_by_botocore(BODY, **{"X-Amz-Security-Token": "of the user's own login"})
    assert api.ask(headers)[0] == 200, "a learner with a login of AWS in the shell would be shut out"
    assert b"x-amz-security-token" not in api.served[0], "the emulator has no business with the user's login"


REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "no signature": ({"host": HOST}, 401, "AuthFailure"),
    "another key": (signed_by_botocore(BODY, OTHER_KEY), 401, "AuthFailure"),
    "another secret": (signed_by_botocore(BODY, OTHER_SECRET), 403, "SignatureDoesNotMatch"),
    "another body": (signed_by_botocore(b"Action=DescribeVpcs"), 403, "SignatureDoesNotMatch"),
    "a host of DNS rebinding": (signed_by_botocore(BODY, host=f"evil.example:{PORT}"), 403, "AuthFailure"),
    "another port": (signed_by_botocore(BODY, host="127.0.0.1:80"), 403, "AuthFailure"),
    "a web page": (signed_by_botocore(BODY) | {"origin": "https://evil.example"}, 403, "AuthFailure"),
    "a web page without origin": (signed_by_botocore(BODY) | {"origin": "null"}, 403, "AuthFailure"),
    "a signature for S3": (
        {k: v.replace("/ec2/", "/s3/") for k, v in signed_by_botocore(BODY).items()}, 403, "SignatureDoesNotMatch",
    ),
    "a signature that leaves the host out": (
        {k: v.replace("content-type;host;", "content-type;") for k, v in signed_by_botocore(BODY).items()},
        403, "SignatureDoesNotMatch",
    ),
    "no date": ({k: v for k, v in signed_by_botocore(BODY).items() if k != "x-amz-date"}, 403, "SignatureDoesNotMatch"),
    "half an authorization": (signed_by_botocore(BODY) | {"authorization": "AWS4-HMAC-SHA256 "}, 401, "AuthFailure"),
}  # fmt: skip


@pytest.mark.parametrize("who", REFUSED)
def test_everybody_else_is_refused(api: Api, who: str) -> None:
    headers, status, code = REFUSED[who]
    answered, body = api.ask(headers)
    assert (answered, re.findall("<Code>(.*)</Code>", body)) == (status, [code]), "clients know EC2's own codes"
    assert api.served == [], f"{who} reached the EC2 API"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_early_signature_is_expired(api: Api, monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(UTC) + timedelta(minutes=minutes)

    headers = signed_by_botocore(BODY)
    monkeypatch.setattr("localcloud.ec2_gate.datetime", Then)
    answered, body = api.ask(headers)
    assert (answered, "RequestExpired" in body) == (400, True)
    assert api.served == [], "a request that somebody recorded would be served for ever"


@pytest.mark.parametrize(
    "scope",
    [
        {"path": "/_ministack/reset"},
        {"path": "/_ministack/health", "method": "GET"},
        {"query_string": b"Action=DeleteVolume"},
        {"method": "GET"},
        {"method": "OPTIONS"},
    ],
    ids=str,
)
def test_the_emulators_own_paths_are_not_served(api: Api, scope: dict[str, Any]) -> None:
    assert api.ask(signed_by_botocore(BODY), **scope)[0] == 404
    assert api.served == [], "the holder of a key could wipe the state by accident, and a defect could for everybody"


def test_headers_that_lead_to_other_services_stop_here(api: Api) -> None:
    api.ask(signed_by_botocore(BODY) | {"x-amz-target": "AWSStepFunctions.StartExecution"})
    assert b"x-amz-target" not in api.served[0]


def test_the_answer_invites_no_web_page(api: Api) -> None:
    api.ask(signed_by_botocore(BODY))
    assert api.sent[0]["headers"] == [], "a page of any origin could read the answer"


def test_a_refusal_tells_where_the_key_is(api: Api) -> None:
    for headers in ({"host": HOST}, signed_by_botocore(BODY, OTHER_KEY), signed_by_botocore(BODY, OTHER_SECRET)):
        assert "The hint." in api.ask(headers)[1], "a learner would not know what to type"


def test_an_endless_body_does_not_fill_the_memory(api: Api) -> None:
    assert api.ask({"host": HOST}, b"x" * (MOST_BYTES + 1))[0] == 413


def test_a_websocket_is_closed(api: Api) -> None:
    api.ask(signed_by_botocore(BODY), type="websocket")
    assert api.sent == [{"type": "websocket.close", "code": 1008}]


def test_what_an_answer_says_is_whole() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(answer_once(send, 500, "<a/>"))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
