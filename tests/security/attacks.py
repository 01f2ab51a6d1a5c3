"""How an attacker asks, with the standard library only: another Unix user runs this file by itself.

echo '{"port": 20001, "asks": [...]}' | python3 attacks.py
"""

import http.client
import json
import ssl
import sys
from typing import Any

REFUSED = "refused"
# What a server says that lets nobody in: bad request (HTTP to a TLS port), who are you, not you, no such path, too old.
_NO = (400, 401, 403, 404)


def ask(
    port: int,
    path: str,
    body: str | None,
    *,
    tls: bool,
    headers: dict[str, str] | None = None,
    certificate: tuple[str, str] | None = None,
) -> str:
    """Return "refused", or the status with which the request was served and the begin of the answer."""
    connection: http.client.HTTPConnection
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(*certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        given = headers or {}
        connection.putrequest("GET" if body is None else "POST", path, skip_host="Host" in given)
        for name, value in given.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() if body else None)
        answer = connection.getresponse()
        said = answer.read(200)
    except (OSError, http.client.HTTPException):  # a TLS alert among them
        return REFUSED
    finally:
        connection.close()
    shared = answer.getheader("Access-Control-Allow-Origin")
    assert not shared, f"the answer is for web pages of {shared}"
    return REFUSED if answer.status in _NO else f"{answer.status} {said!r}"


def main() -> None:
    """Ask all that stdin lists, and print what became of it."""
    given: dict[str, Any] = json.load(sys.stdin)
    said = [ask(given["port"], path, body, tls=given["tls"]) for path, body in given["asks"]]
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
