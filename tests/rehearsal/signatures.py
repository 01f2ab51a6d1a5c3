"""Whether a request to the rehearsed AWS is signed as AWS demands, found out with botocore's own signer."""

import hmac
import re
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECRET = "none"
"""The secret of every access key of the rehearsal: the id alone tells who is asking."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)"
)


def is_authentic(scope: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether SECRET signed this request. `headers` have lower-case names."""
    given = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if given is None or not set(given[4].split(";")) <= headers.keys():
        return False
    query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
    url = f"http://{headers['host']}{scope['raw_path'].decode()}{query}"
    request = AWSRequest(scope["method"], url, {name: headers[name] for name in given[4].split(";")}, body)
    request.context["timestamp"] = headers.get("x-amz-date", "")
    signer = SigV4Auth(Credentials(given[1], SECRET), given[3], given[2])
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return hmac.compare_digest(expected, given[5])
