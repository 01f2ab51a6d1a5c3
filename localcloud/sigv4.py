"""AWS Signature Version 4 of a request to the EC2 Query API: POST, the path /, no query.

botocore can sign, but it takes half a second to import and cannot check. Here are both sides, for processes that must
start at once. Source: AWS, "Create a signed AWS API request".
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from .ec2_key import Ec2Key

ALGORITHM = "AWS4-HMAC-SHA256"
TIME = "%Y%m%dT%H%M%SZ"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"


def signature(
    key: Ec2Key, scope: str, headers: Mapping[str, str], signed: Iterable[str], body: bytes, *, path: str = "/"
) -> str:
    """Return the signature of a POST. `headers` have lower-case names, and `x-amz-date` among them.

    `scope` is DATE/REGION/SERVICE/aws4_request, and `signed` names the headers that the signature covers.
    """
    names = sorted(signed)
    canonical_headers = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names)
    parts = ("POST", path, "", canonical_headers, ";".join(names), hashlib.sha256(body).hexdigest())
    canonical_request = "\n".join(parts)
    to_sign = (ALGORITHM, headers["x-amz-date"], scope, hashlib.sha256(canonical_request.encode()).hexdigest())
    signing_key = f"AWS4{key.secret_access_key}".encode()
    for part in (*scope.split("/"), "\n".join(to_sign)):
        signing_key = hmac.digest(signing_key, part.encode(), "sha256")
    return signing_key.hex()


def signed_headers(key: Ec2Key, region: str, host: str, body: bytes) -> dict[str, str]:
    """Return the headers with which a POST of `body` to the EC2 API at `host` (name and port) is authentic."""
    headers = {
        "content-type": CONTENT_TYPE,
        "host": host,
        "x-amz-date": datetime.now(UTC).strftime(TIME),
    }
    scope = f"{headers['x-amz-date'][:8]}/{region}/ec2/aws4_request"
    signed = signature(key, scope, headers, headers, body)
    credential = f"Credential={key.access_key_id}/{scope}"
    names = ";".join(sorted(headers))
    return headers | {"authorization": f"{ALGORITHM} {credential}, SignedHeaders={names}, Signature={signed}"}
