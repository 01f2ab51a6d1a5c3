"""Runs a blocking function beside the program.

At its end the program does not wait for a question: the threads of an executor would keep a Ctrl-C waiting until an API
that is slow has answered. It waits for what has to clean up after itself.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(function: Callable[[], T], *, cleans_up: bool = False) -> Future[T]:
    """Return the result to come of the function, which runs in a thread of its own from now on.

    The program ends without it, unless it `cleans_up`.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            future.set_result(function())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=not cleans_up).start()
    return future


async def in_background(function: Callable[[], T], *, cleans_up: bool = False) -> T:
    """Return what the function returns, or raise what it raises, while the event loop goes on."""
    return await asyncio.wrap_future(start(function, cleans_up=cleans_up))
