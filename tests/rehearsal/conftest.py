"""The plays of a rehearsal take a while and wait a lot: those that the selected tests need are begun together."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

AT_ONCE = 3  # on two cores; each of them waits for processes to start half of the time

Perform = Callable[[Path], Any]


@pytest.fixture(scope="session")
def performances(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Perform], Any]]:
    """Gives the result of one of the functions in PERFORMANCES of the selected modules; waits for it if need be."""
    modules = dict.fromkeys(item.module for item in request.session.items if isinstance(item, pytest.Function))
    plays: list[Perform] = [perform for module in modules for perform in getattr(module, "PERFORMANCES", [])]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun: dict[Perform, Future[Any]] = {
            perform: pool.submit(perform, tmp_path_factory.mktemp(perform.__name__) / "stage") for perform in plays
        }
        yield lambda perform: begun[perform].result()
        pool.shutdown(cancel_futures=True)
