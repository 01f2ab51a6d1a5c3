"""ReclaimBarrier: what its delete waits for, when it gives up, and what it says then."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from lightkube.core.exceptions import ConfigError

from components import reclaim_barrier
from components.dynamic_provider import Failure
from components.leftovers import Claim, EbsVolume, Leftovers, Volume
from components.reclaim_barrier import GONE_FOR_GOOD, Lookout, ReclaimBarrierProvider, Unreachable, wait_until_gone

PROPS = {
    "storage_class": "ebs",
    "kubeconfig": "a kubeconfig",
    "ec2": {"region": "us-east-1", "endpoint_url": "http://127.0.0.1:1"},
    "volume_tag": {"key": "storage-lab", "value": "storage-lab-local"},
    "timeout_seconds": 300,
}
LEFT = Leftovers(volumes=(Volume("pv-1", "Bound", "Delete", Claim("team", "data")),))
DOWN = Unreachable("the Kubernetes cluster", "connection refused")


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def pause(self, seconds: float) -> None:
        assert 0 < seconds <= reclaim_barrier.LONGEST_PAUSE, "a longer pause would be felt by the user"
        self.time += seconds


class Scene:
    """A lookout that sees what the scene says at each second."""

    def __init__(self, clock: Clock, at: Callable[[float], Leftovers | Unreachable]) -> None:
        self._clock, self._at, self._begin = clock, at, clock.now()

    def look(self) -> Leftovers:
        seen = self._at(self._clock.now() - self._begin)
        if isinstance(seen, Unreachable):
            raise seen
        return seen

    def explain(self) -> list[str]:
        return [f"holder of {left.name}" for left in self.look().volumes]


def wait(at: Callable[[float], Leftovers | Unreachable], timeout: float = 300) -> tuple[float, list[str]]:
    """How many seconds it waited and what it said."""
    clock, said = Clock(), list[str]()
    begin = clock.now()
    wait_until_gone(Scene(clock, at), timeout, clock, said.append)  # type: ignore[arg-type]
    return clock.now() - begin, said


def test_it_passes_at_once_when_nothing_is_left() -> None:
    assert wait(lambda _second: Leftovers()) == (0, [])


def test_it_passes_soon_after_the_last_volume_is_gone() -> None:
    waited, said = wait(lambda second: LEFT if second < 4 else Leftovers())
    assert 4 <= waited <= 4 + reclaim_barrier.LONGEST_PAUSE
    assert said == [], "four seconds need no word"


def test_it_says_what_it_waits_for_while_it_takes_long() -> None:
    _, said = wait(lambda second: LEFT if second < 35 else Leftovers())
    assert len(said) == 3
    assert "10 s of 300 s" in said[0] or "11 s of 300 s" in said[0]
    assert "PersistentVolume pv-1" in said[0]


def test_at_the_deadline_it_names_what_is_left_and_what_to_do() -> None:
    with pytest.raises(Failure) as failure:
        wait(lambda _second: LEFT, timeout=60)
    sentence = str(failure.value)
    assert "60 s have passed" in sentence
    assert "holder of pv-1" in sentence
    assert "run pulumi destroy again" in sentence


def test_an_ebs_volume_alone_holds_it_up() -> None:
    left = Leftovers(ebs_volumes=(EbsVolume("vol-1", "available", ()),))
    with pytest.raises(Failure):
        wait(lambda _second: left, timeout=5)


def test_an_api_server_that_restarts_is_waited_for() -> None:
    waited, _ = wait(lambda second: DOWN if second < 10 else Leftovers())
    assert waited >= 10


def test_a_cluster_that_stays_away_is_never_taken_for_an_empty_one() -> None:
    with pytest.raises(Failure, match="the Kubernetes cluster does not answer: connection refused") as failure:
        wait(lambda _second: DOWN)
    assert GONE_FOR_GOOD in str(failure.value), "the way out when it is gone for good"


def test_a_cluster_that_goes_away_in_the_middle_is_given_up_after_half_a_minute() -> None:
    clock = Clock()
    begin = clock.now()
    scene: Any = Scene(clock, lambda second: LEFT if second < 100 else DOWN)
    with pytest.raises(Failure, match="does not answer"):
        wait_until_gone(scene, 300, clock, lambda _line: None)  # type: ignore[arg-type]
    assert 125 <= clock.now() - begin <= 135


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_args: object) -> Any:
        raise error

    return fail


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GONE_FOR_GOOD, raising=False)
    monkeypatch.setattr(reclaim_barrier, "kubernetes_client", raising(ConfigError("the cloud cannot be started")))


@pytest.mark.usefixtures("no_cluster")
def test_what_the_clients_raise_becomes_a_reason() -> None:
    with pytest.raises(Unreachable, match="the Kubernetes cluster does not answer: the cloud cannot be started"):
        Lookout(PROPS).look()


@pytest.mark.usefixtures("no_cluster")
def test_with_the_switch_a_cluster_that_is_gone_has_nothing_left_but_ec2_is_still_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(GONE_FOR_GOOD, "true")
    monkeypatch.setattr(reclaim_barrier, "ec2_client", lambda _access: object())
    monkeypatch.setattr(reclaim_barrier, "in_ec2", lambda *_args: (EbsVolume("vol-1", "available", ()),))
    assert Lookout(PROPS).look().ebs_volumes, "a volume in EC2 costs money, whatever became of the cluster"


@pytest.mark.usefixtures("no_cluster")
@pytest.mark.parametrize(("ec2", "passes"), [(PROPS["ec2"], True), ({"region": "us-east-1"}, False)])
def test_with_the_switch_only_a_local_ec2_may_be_gone_too(
    monkeypatch: pytest.MonkeyPatch, ec2: dict[str, str], passes: bool
) -> None:
    monkeypatch.setenv(GONE_FOR_GOOD, "true")
    monkeypatch.setattr(reclaim_barrier, "ec2_client", raising(EndpointConnectionError(endpoint_url="there")))
    if passes:
        assert not Lookout({**PROPS, "ec2": ec2}).look()
    else:
        with pytest.raises(Unreachable, match="the EC2 API"):
            Lookout({**PROPS, "ec2": ec2}).look()


@pytest.mark.parametrize(
    ("change", "changed"),
    [({}, False), ({"__provider": "other code"}, False), ({"timeout_seconds": 9}, True), ({"kubeconfig": "b"}, True)],
)
def test_a_changed_input_is_an_update_in_place_and_changed_code_is_none(change: dict[str, Any], changed: bool) -> None:
    result = ReclaimBarrierProvider().diff("ebs", {**PROPS, "__provider": "code"}, {**PROPS, **change})
    assert result.changes is changed
    assert not result.replaces, "replacing it would wait for the volumes of a lab that lives on"


def test_what_it_stores_are_its_inputs() -> None:
    made = ReclaimBarrierProvider().create({**PROPS, "__provider": "code"})
    assert made.outs == PROPS, "delete is given nothing else"
    assert ReclaimBarrierProvider().update("ebs", {}, {**PROPS, "__provider": "code"}).outs == PROPS
