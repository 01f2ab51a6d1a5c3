"""Ages are written as kubectl writes them."""

from datetime import UTC, datetime, timedelta

import pytest

from lab.reading.objects import age

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "shown"), [(-5, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")])
def test_ages_are_written_as_kubectl_writes_them(seconds: int, shown: str) -> None:
    assert age(NOW, NOW + timedelta(seconds=seconds)) == shown
