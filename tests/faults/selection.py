"""Which cases of the fault tier `make test` runs: the telling ones, marked `@pytest.mark.telling` or named here.

Every module of faults has at least one (tests/unit/test_selection.py); `make test-faults` runs them all.
"""

from collections.abc import Collection
from typing import Any

import pytest


def cases(names: Collection[str], *, telling: Collection[str]) -> list[Any]:
    """Return the parameters of a test, those named in `telling` with the mark."""
    assert set(telling) <= set(names), f"no such case: {set(telling) - set(names)}"
    return [pytest.param(name, marks=[pytest.mark.telling] if name in telling else []) for name in names]
