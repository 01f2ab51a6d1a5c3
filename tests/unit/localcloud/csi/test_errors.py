"""EC2's answers as CSI status codes, and waiting within a deadline."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from localcloud.csi.deadline import Deadline, InFlight
from localcloud.csi.errors import ASK_AGAIN, EC2_CODES, CsiError, from_ec2

URL = "http://127.0.0.1:1"


def said_by_ec2(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "CreateVolume"
    )


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("InvalidVolume.NotFound", 400, "NOT_FOUND"),
        ("InvalidInstanceID.Malformed", 400, "NOT_FOUND"),
        ("VolumeInUse", 400, "FAILED_PRECONDITION"),
        ("IncorrectState", 400, "ABORTED"),
        ("UnauthorizedOperation", 403, "PERMISSION_DENIED"),
        ("AttachmentLimitExceeded", 400, "RESOURCE_EXHAUSTED"),
        ("RequestLimitExceeded", 503, "UNAVAILABLE"),
        ("InternalError", 500, "UNAVAILABLE"),
        ("NeverHeardOf", 400, "INTERNAL"),
        ("NeverHeardOf", 502, "UNAVAILABLE"),
    ],
)
def test_what_ec2_says_becomes_its_csi_code(code: str, status: int, expected: str) -> None:
    error = from_ec2(said_by_ec2(code, status), "CreateVolume")
    assert error.code == expected, "sidecars decide by the code what to do next"
    assert all(word in error.message for word in ("CreateVolume", "why", code)), "and people by the message"


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
        ResponseParserError("half an answer"),
        *(said_by_ec2(code, 500) for code in ("", "InternalError", "InternalFailure", "ServiceUnavailable")),
    ],
)
def test_an_open_outcome_makes_the_provisioner_ask_again(error: Exception) -> None:
    assert from_ec2(error, "CreateVolume").code in ASK_AGAIN, "a volume that was made after all would be forgotten"


def test_throttling_does_not_send_the_pod_elsewhere() -> None:
    throttled = [code for code in EC2_CODES if "Throttl" in code or "RequestLimit" in code]
    assert throttled, "the table lost EC2's codes for throttling"
    assert {EC2_CODES[code] for code in throttled} == {"UNAVAILABLE"}, (
        "after RESOURCE_EXHAUSTED the scheduler chooses another node, in another zone perhaps"
    )


def test_an_argument_that_boto_refuses_is_the_callers() -> None:
    assert from_ec2(ParamValidationError(report="Size"), "CreateVolume").code == "INVALID_ARGUMENT"


def test_a_defect_is_not_dressed_up_as_an_answer_of_ec2() -> None:
    with pytest.raises(KeyError):
        from_ec2(KeyError("Size"), "CreateVolume")


def test_a_failed_look_is_never_final() -> None:
    assert CsiError("PERMISSION_DENIED", "no").undecided().code == "UNAVAILABLE"
    assert CsiError("DEADLINE_EXCEEDED", "late").undecided().code == "DEADLINE_EXCEEDED"


def test_waiting_ends_with_condition_deadline_or_stop() -> None:
    stop = threading.Event()
    seen = iter([None, "there"])
    assert Deadline(5, stop).wait_until(lambda: next(seen), "it is there") == "there"
    began = time.monotonic()
    with pytest.raises(CsiError, match="until it is there") as late:
        Deadline(0.02, stop).wait_until(lambda: None, "it is there")
    assert late.value.code == "DEADLINE_EXCEEDED"
    stop.set()
    with pytest.raises(CsiError, match="stops") as stopped:
        Deadline(60, stop).wait_until(lambda: None, "it is there")
    assert stopped.value.code == "UNAVAILABLE", "the caller must ask the next controller"
    assert time.monotonic() - began < 5, "waiting outlived its deadline"


def test_only_calls_for_one_name_wait_for_each_other() -> None:
    in_flight, stop = InFlight(), threading.Event()
    inside: list[str] = []

    def visit(name: str) -> None:
        with in_flight.alone(name, Deadline(5, stop)):
            assert name not in inside, "two calls for one volume at the same time"
            inside.append(name)
            stop.wait(0.005)
            inside.remove(name)

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(visit, ["a", "b"] * 8))
    with in_flight.alone("a", Deadline(5, stop)):
        with in_flight.alone("b", Deadline(0, stop)):
            pass
        with pytest.raises(CsiError, match="a is still being served") as busy, in_flight.alone("a", Deadline(0, stop)):
            pass
    assert busy.value.code == "ABORTED", "CSI's code for an operation that is pending"
    assert not in_flight._locks, "a lock for every volume ever made would fill the memory"
