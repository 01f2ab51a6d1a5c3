"""Runs a blocking function beside the program, which does not wait for it at its end.

The threads of an executor would keep a Ctrl-C waiting until an API that is slow has answered.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(function: Callable[[], T]) -> Future[T]:
    """Return the result to come of the function, which runs in a thread of its own from now on."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            future.set_result(function())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


async def in_background(function: Callable[[], T]) -> T:
    """Return what the function returns, or raise what it raises, while the event loop goes on."""
    return await asyncio.wrap_future(start(function))
