"""What a test module says of the scenarios that its tests look at: a list SCENARIOS, and a type for their results."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Scenario = Callable[[Path], Any]
"""Rehearses something in a folder of its own, and returns what its tests look at."""

ResultOf = Callable[[Scenario], Any]
"""The fixture `result_of`: returns the result of a scenario in SCENARIOS, and waits for it."""

PRINTED = "rehearsal"
"""The property of a test's report whose values are printed when all tests are done."""
