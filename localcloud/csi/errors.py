"""The errors of the EC2 API as CSI status codes: one table.

The codes decide what csi-provisioner does next (its checkError, external-provisioner v6): after ABORTED,
UNAVAILABLE, DEADLINE_EXCEEDED and CANCELLED it takes the create for still running and asks again; after
RESOURCE_EXHAUSTED it may choose another node; after any other code it forgets the create. So a code of the
last two kinds is sent only when EC2 has certainly refused.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

Code = Literal[
    "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "INTERNAL", "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
]  # fmt: skip
"""The names of the gRPC status codes that the controller uses, as in grpc.StatusCode."""

ASK_AGAIN: frozenset[Code] = frozenset({"ABORTED", "UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""After these the provisioner asks again for the same volume, and so finds what an earlier call left."""

EC2_CODES: Mapping[str, Code] = {
    # Deleted, never created, or not an id.
    "InvalidVolume.NotFound": "NOT_FOUND",
    "InvalidVolumeID.Malformed": "NOT_FOUND",
    "InvalidInstanceID": "NOT_FOUND",
    "InvalidInstanceID.NotFound": "NOT_FOUND",
    "InvalidInstanceID.Malformed": "NOT_FOUND",
    "InvalidAttachment.NotFound": "NOT_FOUND",
    "InvalidVolumeModification.NotFound": "NOT_FOUND",
    # What was asked for cannot be had.
    "InvalidParameter": "INVALID_ARGUMENT",
    "InvalidParameterCombination": "INVALID_ARGUMENT",
    "InvalidParameterDependency": "INVALID_ARGUMENT",
    "InvalidParameterValue": "INVALID_ARGUMENT",
    "InvalidTagKey.Malformed": "INVALID_ARGUMENT",
    "InvalidZone.NotFound": "INVALID_ARGUMENT",
    "MissingParameter": "INVALID_ARGUMENT",
    "TagLimitExceeded": "INVALID_ARGUMENT",
    "UnknownVolumeType": "INVALID_ARGUMENT",
    "UnsupportedOperation": "INVALID_ARGUMENT",
    "ValidationError": "INVALID_ARGUMENT",
    # The volume or the node is in use, or somewhere else.
    "VolumeInUse": "FAILED_PRECONDITION",
    "InvalidVolume.ZoneMismatch": "FAILED_PRECONDITION",
    "IncorrectInstanceState": "FAILED_PRECONDITION",
    # Between two states, or the same call is being served already.
    "IncorrectState": "ABORTED",
    "IdempotentParameterMismatch": "ABORTED",
    # Modified too often, or before the last modification is completed. EC2 has refused, so the code is final, and
    # csi-resizer asks again at growing intervals.
    "IncorrectModificationState": "INTERNAL",
    "VolumeModificationRateExceeded": "INTERNAL",
    # A limit of the account, the zone or the node.
    "AttachmentLimitExceeded": "RESOURCE_EXHAUSTED",
    "InsufficientVolumeCapacity": "RESOURCE_EXHAUSTED",
    "MaxIOPSLimitExceeded": "RESOURCE_EXHAUSTED",
    "ResourceLimitExceeded": "RESOURCE_EXHAUSTED",
    "VolumeLimitExceeded": "RESOURCE_EXHAUSTED",
    "VolumeTypeNotAvailableInZone": "RESOURCE_EXHAUSTED",
    # The caller's credentials and permissions.
    "AuthFailure": "UNAUTHENTICATED",
    "InvalidClientTokenId": "UNAUTHENTICATED",
    "ExpiredToken": "UNAUTHENTICATED",
    "RequestExpired": "UNAUTHENTICATED",
    "SignatureDoesNotMatch": "UNAUTHENTICATED",
    "AccessDenied": "PERMISSION_DENIED",
    "OptInRequired": "PERMISSION_DENIED",
    "UnauthorizedOperation": "PERMISSION_DENIED",
    # Too fast, or not now. Not RESOURCE_EXHAUSTED, which would send the pod to another zone.
    "EC2ThrottledException": "UNAVAILABLE",
    "RequestLimitExceeded": "UNAVAILABLE",
    "RequestThrottled": "UNAVAILABLE",
    "SlowDown": "UNAVAILABLE",
    "Throttling": "UNAVAILABLE",
    "ThrottlingException": "UNAVAILABLE",
    "InternalError": "UNAVAILABLE",
    "InternalFailure": "UNAVAILABLE",
    "ServerInternal": "UNAVAILABLE",
    "ServiceUnavailable": "UNAVAILABLE",
    "Unavailable": "UNAVAILABLE",
    "RequestTimeout": "DEADLINE_EXCEEDED",
}
"""EC2 error codes (EC2 API reference, "Error codes") and the CSI status that each becomes."""


class CsiError(Exception):
    """Ends a call with this gRPC status; the user reads the message in the event of the claim."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message

    def undecided(self) -> "CsiError":
        """Return the same error with a code after which the provisioner asks again.

        It is for a failure to find out whether an earlier create left a volume: a final code would make the
        provisioner forget that volume.
        """
        return self if self.code in ASK_AGAIN else CsiError("UNAVAILABLE", self.message)


def from_ec2(error: Exception, operation: str) -> CsiError:
    """Return the CSI error for what botocore raised in the EC2 operation of that name.

    An error that leaves open whether EC2 did the work becomes a code after which the caller asks again.
    """
    if isinstance(error, ClientError):
        answer = cast(dict[str, Any], error.response)  # pyright: ignore[reportUnknownMemberType]
        ec2_code = str(answer.get("Error", {}).get("Code", "unknown"))
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        # A code that is not in the table: EC2 refused (4xx), or broke down (5xx) with the outcome open.
        code = EC2_CODES.get(ec2_code) or ("UNAVAILABLE" if status >= 500 else "INTERNAL")
        said = str(answer.get("Error", {}).get("Message") or "no message")
        return CsiError(code, f"EC2 {operation}: {said} ({ec2_code})")
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
        return CsiError("DEADLINE_EXCEEDED", f"EC2 {operation}: no answer in time ({error})")
    if isinstance(error, HTTPClientError | ResponseParserError):
        return CsiError("UNAVAILABLE", f"EC2 {operation}: not reachable, or it broke off ({error})")
    if isinstance(error, ParamValidationError):
        return CsiError("INVALID_ARGUMENT", f"EC2 {operation}: {error}")
    if isinstance(error, BotoCoreError):
        return CsiError("UNAVAILABLE", f"EC2 {operation}: {error}")
    raise error
