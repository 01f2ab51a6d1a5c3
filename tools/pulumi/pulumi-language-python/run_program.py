"""Runs a Pulumi program: the Python half of this language host's Run.

Reads the request that the host left in PULUMI_LAB_RUN, points the SDK at the engine, and executes the project's
program. Exit code 0: registered everything; 32: failed, and the user was told why; anything else: the host reports it.
"""

# ruff: noqa: E402
import signal

# A Ctrl-C of the terminal reaches the whole group: the engine decides what it means and then hangs up on us. First of
# all, for the imports take a second in which somebody may change their mind.
signal.signal(signal.SIGINT, signal.SIG_IGN)

import asyncio
import contextlib
import gc
import json
import logging
import os
import runpy
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pulumi
import pulumi.runtime
from pulumi.runtime.proto import engine_pb2

BAIL = 32
# A program keeps nearly all that it makes and ends in seconds: looking for garbage as often as Python does by default
# finds none.
OBJECTS_BEFORE_COLLECTION = 100_000
# How long the last debug messages may take to arrive.
FLUSH_SECONDS = 2.0


class DebugMessages:
    """The SDK's debug messages, sent without waiting for the engine's answer.

    The SDK logs a handful for each resource, also when nobody asked for them, and stands still until each has arrived:
    a quarter of the time in which a program with hundreds of resources registers them.
    """

    def __init__(self, engine: Any) -> None:
        self._send = engine.Log
        self._sent: list[grpc.Future] = []
        engine.Log = self._log

    def _log(self, request: Any) -> object:
        if request.severity != engine_pb2.DEBUG:
            return self._send(request)
        self._sent = [one for one in self._sent if not one.done()] if len(self._sent) > 100 else self._sent
        self._sent.append(self._send.future(request))
        return None

    def flush(self) -> None:
        deadline = time.monotonic() + FLUSH_SECONDS
        for one in self._sent:
            # An engine that has gone, or that is too busy for what it will not show, is no reason to fail.
            with contextlib.suppress(grpc.RpcError, grpc.FutureTimeoutError, grpc.FutureCancelledError):
                one.result(max(0.0, deadline - time.monotonic()))


def told(message: str) -> int:
    pulumi.log.error(message)
    return BAIL


def of_the_program(error: BaseException) -> str:
    """The traceback from the program's first frame on: how it was started is no news to its author."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, f in enumerate(frames) if f.filename.endswith("__main__.py")), 0)
    return "".join(traceback.format_list(frames[first:]) + traceback.format_exception_only(error))


def run(program: str, parallel: int) -> int:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(4 * parallel, 4)))
    # The SDK gathers and reports the failures of its own tasks; asyncio's echo of them is noise.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    def execute() -> None:
        runpy.run_path(program, run_name="__main__")

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(execute))
        return 0
    except pulumi.RunError as error:
        return told(str(error))
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.UNAVAILABLE:  # the engine has gone: it knows why
            return BAIL
        return told(f"the engine answered: {error.details()}")
    except Exception as error:
        return told(f"Program failed with an unhandled exception:\n{of_the_program(error)}")
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        sys.stdout.flush()
        sys.stderr.flush()


def main() -> int:
    request = json.loads(os.environ.pop("PULUMI_LAB_RUN"))
    program = request["program"]
    folder = program if os.path.isdir(program) else os.path.dirname(program)
    sys.path[0] = folder
    sys.argv[0] = program
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=request["project"],
            stack=request["stack"],
            organization=request["organization"] or "organization",
            root_directory=request["root"],
            monitor=request["monitor"],
            engine=request["engine"],
            parallel=request["parallel"],
            dry_run=request["dry_run"],
        )
    )
    pulumi.runtime.set_all_config(request["config"] or {}, request["secret_keys"] or [])
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
    debug = DebugMessages(pulumi.runtime.settings.get_engine())
    status = run(program, request["parallel"] or 0)
    debug.flush()
    return status


status = main()
# Threads of the SDK's gRPC channels may still wait on an engine that has gone.
os._exit(status)
