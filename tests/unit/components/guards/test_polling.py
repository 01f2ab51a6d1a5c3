"""Waiting until something is gone: how long, what is said meanwhile, and how it ends."""

from collections.abc import Callable

import pytest

from components.access.clients import GONE_FOR_GOOD, Unreachable
from components.access.dynamic_provider import Failure
from components.guards import polling as waiting
from components.guards.polling import poll_until_empty

DOWN = Unreachable("the Kubernetes cluster does not answer: connection refused")


class Clock(waiting.Clock):
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.interrupted_at = float("inf")
        self.now = lambda: self.time
        self.pause = self._pause

    def _pause(self, seconds: float) -> bool:
        assert 0 < seconds <= waiting.LONGEST_PAUSE, "a longer pause would be felt by the user"
        self.time += seconds
        return self.time >= self.interrupted_at


class Scene:
    """What there is to see at each second, and what was said about it."""

    def __init__(self, at: Callable[[float], str | Unreachable]) -> None:
        self.clock = Clock()
        self.said: list[str] = []
        self._at = at

    @property
    def waited(self) -> float:
        return self.clock.time - 1000

    def look(self) -> str:
        seen = self._at(self.waited)
        if isinstance(seen, Unreachable):
            raise seen
        return seen

    def wait(self, timeout: float = 300) -> None:
        poll_until_empty(self.look, lambda: Failure(f"{self.look()} is left"), timeout, self.clock, self.said.append)


def test_it_returns_at_once_when_there_is_nothing() -> None:
    scene = Scene(lambda _second: "")
    scene.wait()
    assert (scene.waited, scene.said) == (0, [])


def test_it_returns_soon_after_the_last_thing_is_gone() -> None:
    scene = Scene(lambda second: "pv-1" if second < 2.5 else "")
    scene.wait()
    assert 2.5 <= scene.waited <= 2.5 + waiting.LONGEST_PAUSE
    assert scene.said == [], "the usual second or two need no word"


def test_it_says_what_it_waits_for_soon_and_then_now_and_then() -> None:
    scene = Scene(lambda second: "pv-1" if second < 35 else "")
    scene.wait()
    assert len(scene.said) == 4
    assert scene.said[0] in ("3 s of 300 s: waiting for pv-1", "4 s of 300 s: waiting for pv-1")


def test_at_the_deadline_it_fails_with_the_explanation() -> None:
    scene = Scene(lambda _second: "pv-1")
    with pytest.raises(Failure, match="pv-1 is left"):
        scene.wait(timeout=60)
    assert 60 <= scene.waited <= 62


def test_a_cluster_that_restarts_is_waited_for() -> None:
    scene = Scene(lambda second: DOWN if second < 10 else "")
    scene.wait()
    assert scene.waited >= 10


def test_a_cluster_that_stays_away_is_never_taken_for_an_empty_one() -> None:
    with pytest.raises(Failure, match="the Kubernetes cluster does not answer: connection refused") as failure:
        Scene(lambda _second: DOWN).wait()
    assert GONE_FOR_GOOD in str(failure.value), "the way out when it is gone for good"


def test_a_silent_cluster_is_given_up_after_half_a_minute() -> None:
    scene = Scene(lambda second: "pv-1" if second < 100 else DOWN)
    with pytest.raises(Failure, match="does not answer"):
        scene.wait()
    assert 125 <= scene.waited <= 135


def test_a_silent_cluster_at_the_deadline_is_named() -> None:
    with pytest.raises(Failure, match="does not answer"):
        Scene(lambda second: "pv-1" if second < 58 else DOWN).wait(timeout=60)


def test_an_interruption_ends_the_wait_and_names_what_is_left() -> None:
    scene = Scene(lambda _second: "pv-1")
    scene.clock.interrupted_at = scene.clock.time + 10
    with pytest.raises(Failure, match=r"interrupted after .* pv-1.* run the command again"):
        scene.wait()
    assert scene.waited <= 10 + waiting.LONGEST_PAUSE
