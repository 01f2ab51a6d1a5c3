"""Wraps every call: CsiError becomes a gRPC status, and each call a line of the log."""

import json
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import grpc

from .errors import CsiError

# Callers repeat these, and the answer is always the same: only their failures are worth a line.
_QUIET = ("Probe", "GetPluginInfo", "GetPluginCapabilities", "ControllerGetCapabilities", "NodeGetCapabilities")
_TOLD = ("name", "volume_id", "source_volume_id", "snapshot_id", "node_id")


def log(event: str, **fields: object) -> None:
    """Write one line to stderr: time, event, and the fields as key=value, quoted as JSON where they need it."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    words = [f"{key}={_word(value)}" for key, value in fields.items()]
    sys.stderr.write(" ".join([now, event, *words]) + "\n")
    sys.stderr.flush()


def _word(value: object) -> str:
    text = str(value)
    plain = text and text.isprintable() and not set(text) & set(' "=')
    return text if plain else json.dumps(text, ensure_ascii=False)


class CallInterceptor(grpc.ServerInterceptor):
    """Wraps the handler of every call."""

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        method = str(handler_call_details.method).rpartition("/")[2]
        return grpc.unary_unary_rpc_method_handler(
            _answering(method, handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )


def _answering(method: str, answer: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        began = time.monotonic()
        about = {field: value for field in _TOLD if (value := getattr(request, field, ""))}
        try:
            response = answer(request, context)
        except CsiError as error:
            _log_call(method, about, began, error.code, error=error.message)
            context.abort(getattr(grpc.StatusCode, error.code), error.message)
        except NotImplementedError:  # the generated servicers refuse with it, after they have set UNIMPLEMENTED
            raise
        except Exception as error:
            # A defect. How far the call got is not known, so the caller has to ask again, as after a crash.
            _log_call(method, about, began, "ABORTED", error=error, trace=traceback.format_exc())
            context.abort(grpc.StatusCode.ABORTED, f"{method} failed unexpectedly: {error!r}")
        else:
            if method not in _QUIET:
                _log_call(method, about, began, "OK", **_outcome(response))
            return response

    return call


def _outcome(response: Any) -> dict[str, str]:
    """Return what a successful answer adds to the log: the id of the volume or snapshot that was created or found."""
    if (volume := getattr(response, "volume", None)) is not None:
        return {"volume_id": volume.volume_id}
    if (snapshot := getattr(response, "snapshot", None)) is not None:
        return {"snapshot_id": snapshot.snapshot_id}
    return {}


def _log_call(method: str, about: dict[str, str], began: float, code: str, **more: object) -> None:
    log(method, **about, code=code, ms=round((time.monotonic() - began) * 1000), **more)
