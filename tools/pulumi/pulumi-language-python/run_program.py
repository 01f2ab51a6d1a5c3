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
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import grpc
import pulumi
import pulumi.runtime

BAIL = 32


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
    return run(program, request["parallel"] or 0)


status = main()
# Threads of the SDK's gRPC channels may still wait on an engine that has gone.
os._exit(status)
