"""Who may use the EC2 API: a request signed with the key of this cloud, and nobody else.

Every user of the machine and every web page that is open on it reaches a port of loopback. So a request is served only
where it names this host (against DNS rebinding), does not come from a web page, asks for EC2 at the path / (MiniStack
has paths of its own, one of which deletes everything), and carries a valid signature of the last few minutes.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from .asgi import Application, Message, Receive, Scope, Send, answer_once, replay
from .ec2_key import Ec2Key
from .sigv4 import ALGORITHM, TIME, signature

# AWS gives a signature five minutes, in both directions.
VALID_SECONDS = 300
# What a claim needs is a few hundred bytes. Unsigned requests are read too, and must not fill the memory.
MOST_BYTES = 2**20

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<id>[^/,\s]+)/(?P<scope>[^,\s]+),\s*"
    r"SignedHeaders=(?P<names>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_SCOPE = re.compile(r"(?P<date>\d{8})/[\w-]+/ec2/aws4_request")
# All that MiniStack gets to see. Others among its headers lead to other services.
_PASSED_ON = {b"host", b"authorization", b"content-type", b"content-length", b"x-amz-date", b"user-agent"}


@dataclass(frozen=True)
class Refusal:
    """An error of EC2's, with the status and the code that EC2 uses."""

    status: int
    code: str
    message: str


_TOO_LARGE = Refusal(413, "RequestTooLarge", f"A request has {MOST_BYTES} bytes at most.")


class Ec2Gate:
    """ASGI middleware in front of an EC2 API on `port`. `hint` tells the user where the key is."""

    def __init__(self, application: Application, key: Ec2Key, port: int, hint: str) -> None:
        self._application = application
        self._key = key
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._hint = hint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._application(scope, receive, send)
        if scope["type"] != "http":  # a WebSocket, which a web page may open to any host
            return await send({"type": "websocket.close", "code": 1008})
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if refusal := self._refuse_route(scope, headers):
            return await _answer(refusal, send)
        body = await _read(receive)
        if body is None:
            return await _answer(_TOO_LARGE, send)
        if refusal := refuse_signature(headers, body, self._key, self._hint):
            return await _answer(refusal, send)
        kept = [(name, value) for name, value in scope["headers"] if name.lower() in _PASSED_ON]
        return await self._application({**scope, "headers": kept}, replay(body), _without_cors(send))

    def _refuse_route(self, scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
        """Refuse what no client of EC2 sends, before anything of the request is read."""
        names = [name.lower() for name, _ in scope["headers"]]
        if headers.get("host") not in self._hosts or names.count(b"host") != 1:
            return Refusal(403, "AuthFailure", "This EC2 API serves 127.0.0.1 and localhost with its port only.")
        if "origin" in headers:
            return Refusal(403, "AuthFailure", "This EC2 API serves no web page.")
        if (scope["method"], scope["path"], scope["query_string"]) != ("POST", "/", b""):
            return Refusal(404, "InvalidAction", "This is the EC2 Query API: POST to /, and nothing else.")
        return None


def refuse_signature(headers: Mapping[str, str], body: bytes, key: Ec2Key, hint: str = "") -> Refusal | None:
    """Refuse a request whose signature is missing, expired, or not of this key. `headers` have lower-case names."""
    given = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if given is None:
        return Refusal(401, "AuthFailure", f"The request is not signed. {hint}")
    if not hmac.compare_digest(given["id"].encode(), key.access_key_id.encode()):
        return Refusal(401, "AuthFailure", f"The access key is not this cloud's. {hint}")
    scope, names = _SCOPE.fullmatch(given["scope"]), given["names"].split(";")
    date = headers.get("x-amz-date", "")
    if scope is None or date[:8] != scope["date"] or not {"host", "x-amz-date"} <= set(names) <= headers.keys():
        return Refusal(403, "SignatureDoesNotMatch", "The signature is not one for EC2 and this request.")
    if not _is_current(date):
        return Refusal(400, "RequestExpired", f"The signature of {date} is not valid any more, or not yet.")
    expected = signature(key, given["scope"], headers, names, body)
    if not hmac.compare_digest(given["signature"], expected):
        return Refusal(403, "SignatureDoesNotMatch", f"The secret key is not this cloud's. {hint}")
    return None


def _is_current(date: str) -> bool:
    try:
        made = datetime.strptime(date, TIME).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs((datetime.now(UTC) - made).total_seconds()) <= VALID_SECONDS


async def _read(receive: Receive) -> bytes | None:
    """Return the body of a request; None where it is too large, or where its client hung up."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES or message["type"] != "http.request":
            return None
        if not message.get("more_body"):
            return body


async def _answer(refusal: Refusal, send: Send) -> None:
    error = f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message></Error>"
    await answer_once(send, refusal.status, f"<Response><Errors>{error}</Errors><RequestID>gate</RequestID></Response>")


def _without_cors(send: Send) -> Send:
    """Drop the headers with which MiniStack invites every web page to read the answer."""

    async def filtered(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            kept = [(name, value) for name, value in headers if not name.lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return filtered
