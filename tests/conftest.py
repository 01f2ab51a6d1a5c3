"""For every tier."""

import atexit
import gc
import signal
from pathlib import Path

import pytest

from tests.faults.report import FaultTable

FAULTS = Path(__file__).with_name("faults")

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every command that they strike.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What the imports make lives to the end: looking through it for garbage, again and again, would cost a second, and once
# more when all is over, half of one.
gc.disable()
atexit.register(gc.freeze)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FaultTable())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FAULTS in item.path.parents:
            item.add_marker("thorough")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
