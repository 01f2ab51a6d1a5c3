"""Scenarios take minutes and mostly wait, so those of one module are started together."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.scenarios import PRINTED, ResultOf, Scenario

# Of one module, and modules run side by side: each of them waits for processes to start half of the time.
AT_ONCE = 3
# A test that asks for a scenario waits for all of it: six `up`s in the longest one, on cores that other modules share.
SCENARIO_SECONDS = 2400


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(SCENARIO_SECONDS))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the tests recorded. Under pytest-xdist a test's own output would be lost."""
    reports = terminalreporter.getreports("passed")
    for text in (value for report in reports for name, value in report.user_properties if name == PRINTED):
        terminalreporter.write_line(f"\n{text}")


@pytest.fixture(scope="session")
def result_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResultOf]:
    """Return the result of a scenario. The first question starts all in SCENARIOS of its module."""
    started: dict[Scenario, Future[Any]] = {}

    def start(scenario: Scenario) -> Future[Any]:
        return pool.submit(scenario, tmp_path_factory.mktemp(scenario.__name__) / "rehearsal")

    def result(scenario: Scenario) -> Any:
        if scenario not in started:
            started.update({each: start(each) for each in scenario.__globals__["SCENARIOS"]})
        return started[scenario].result()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield result
        pool.shutdown(cancel_futures=True)
