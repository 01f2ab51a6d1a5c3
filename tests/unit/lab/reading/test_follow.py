"""The watches go on through everything: a cluster that is away, versions that are too old, EC2 that is slow."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from lightkube.core.exceptions import ConfigError

from lab.errors import LabError
from lab.reading import follow as following
from lab.reading.ec2 import Ec2Reader, Ec2Seen
from lab.reading.follow import Follower
from lab.reading.stack import Stack
from lab.reading.world import EC2, KUBERNETES, Away, Changed, Ec2Told, Listed, News, StackRead
from tests.unit.lab.fake_lab import FakeLab

PAUSES = [name for name in vars(following) if name.endswith("_SECONDS") and name != "SILENT_SECONDS"]
POD = {"metadata": {"name": "a", "namespace": "default", "resourceVersion": "7"}}

SNAPSHOT = {"metadata": {"name": "s", "namespace": "default", "resourceVersion": "8"}}
DEPLOYMENT = {"kind": "Deployment", "metadata": {"name": "b", "namespace": "default", "resourceVersion": "9"}}


class Gone(ConfigError):
    """An answer of the API server: the version is too old."""

    response = SimpleNamespace(status_code=410)


class NotServed(ConfigError):
    """An answer of the API server: it does not have the kind."""

    response = SimpleNamespace(status_code=404)


class Api:
    """A lightkube client: its lists have one Pod; its watches are `scripts`, one for each connection. It has snapshots
    from `served` questions for them on."""

    def __init__(self, *scripts: Any, served: int = 0) -> None:
        self.scripts = list(scripts)
        self.unserved = served
        self.connections = 0
        self.closed = 0
        self.versions: list[str] = []

    def connect(self, _kubeconfig: str) -> "Api":
        self.connections += 1
        return self

    def list(self, resource: Any, **_where: str) -> Any:
        is_pod = resource is following.resources()["Pod"]
        is_snapshot = resource is following.resources()["VolumeSnapshot"]
        self.unserved -= is_snapshot
        not_served = is_snapshot and self.unserved >= 0

        class Found:
            resourceVersion = "5"

            async def __aiter__(self) -> AsyncIterator[Any]:
                if not_served:
                    raise NotServed("404 page not found")
                if is_pod:
                    yield POD
                if is_snapshot:
                    yield SNAPSHOT

        return Found()

    async def watch(self, resource: Any, resource_version: str, **_where: str) -> AsyncIterator[Any]:
        if resource is following.resources()["Pod"]:
            self.versions.append(resource_version)
            for one in self.scripts.pop(0) if self.scripts else ():
                if isinstance(one, Exception):
                    raise one
                yield one
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in PAUSES:
        monkeypatch.setattr(following, pause, 0.01)
    monkeypatch.setattr(Ec2Reader, "of", lambda _stack: SimpleNamespace(see=lambda *_ids: Ec2Seen()))


def told(
    monkeypatch: pytest.MonkeyPatch,
    api: Api,
    enough: Callable[[list[News]], bool],
    read: Callable[[], Stack] = lambda: FakeLab().stack,
) -> list[News]:
    """Return the news until they are enough."""
    news: list[News] = []
    monkeypatch.setattr(following, "async_kubernetes_client", api.connect)

    async def run() -> None:
        done = asyncio.Event()

        def tell(one: News) -> None:
            news.append(one)
            if enough(news):
                done.set()

        follower = asyncio.create_task(Follower(FakeLab().stack, tell, lambda: (set(), set()), read).follow())
        async with asyncio.timeout(20):
            await done.wait()
        follower.cancel()
        await asyncio.wait([follower])

    asyncio.run(run())
    return news


def of(news: list[News], kind: Any) -> list[Any]:
    return [one for one in news if isinstance(one, kind)]


def test_list_comes_first_and_changes_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([("MODIFIED", POD), ("DELETED", POD)])
    news = told(monkeypatch, api, lambda news: len(of(news, Changed)) == 2)
    assert of(news, Listed) == [Listed([{"kind": "Pod", **POD}, {"kind": "VolumeSnapshot", **SNAPSHOT}])], (
        "a list of kubectl's has the kind in every item"
    )
    assert of(news, Changed) == [Changed({"kind": "Pod", **POD}), Changed({"kind": "Pod", **POD}, deleted=True)]
    assert api.versions == ["5"], "a change between list and watch is lost"
    assert api.closed == api.connections == 1


@pytest.mark.parametrize("warning", ["", "a warning\n"])
def test_cluster_that_is_away_is_listed_again_with_a_new_client(monkeypatch: pytest.MonkeyPatch, warning: str) -> None:
    said = f"Exec /a/python returned 1: {warning}the local cloud was deleted\n"
    api = Api([ConfigError(said)], [("MODIFIED", POD)])
    news = told(monkeypatch, api, lambda news: bool(of(news, Changed)))
    assert [one for one in of(news, Away) if one.api == KUBERNETES] == [Away(KUBERNETES, "the local cloud was deleted")]
    assert len(of(news, Listed)) == 2, "what changed meanwhile would stay unknown"
    assert api.closed == api.connections == 2, "only a new client asks the credential plugin, which revives a cloud"


def test_version_that_is_too_old_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    news = told(monkeypatch, Api([Gone("too old")]), lambda news: len(of(news, Listed)) == 2)
    assert of(news, Away) == []


def test_silent_watch_goes_on_from_the_last_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SILENT_SECONDS", 0.05)
    api = Api([("MODIFIED", POD)])
    told(monkeypatch, api, lambda _news: len(api.versions) > 2)
    assert api.versions[:3] == ["5", "7", "7"]
    assert api.connections == 1, "silence is not a failure"


def test_ec2_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([LabError("the EC2 API does not answer: timed out")])

    def see(*_ids: Any) -> Ec2Seen:
        for error in answers:
            raise error
        return Ec2Seen()

    monkeypatch.setattr(Ec2Reader, "of", lambda _stack: SimpleNamespace(see=see))
    news = told(monkeypatch, Api(), lambda news: bool(of(news, Ec2Told)))
    assert of(news, Away) == [Away(EC2, "timed out")]


def test_end_does_not_wait_for_an_api_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    ended: list[bool] = []

    def see(*_ids: Any) -> Ec2Seen:
        ended.append(answer.wait(60))
        return Ec2Seen()

    monkeypatch.setattr(Ec2Reader, "of", lambda _stack: SimpleNamespace(see=see))
    told(monkeypatch, Api(), lambda news: bool(of(news, Listed)))
    assert ended == [], "Ctrl-C waits until EC2 has answered"
    answer.set()


def test_snapshots_are_watched_as_soon_as_the_api_server_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    news = told(monkeypatch, Api(served=3), lambda news: len(of(news, Listed)) == 2)
    first, second = ([thing["kind"] for thing in one.things] for one in of(news, Listed))
    assert (first, second) == (["Pod"], ["Pod", "VolumeSnapshot"])
    assert of(news, Away) == [], "a lab without snapshots is not in trouble"


def test_snapshots_that_are_turned_off_are_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    watch = api.watch

    async def refused_once(resource: Any, resource_version: str, **where: str) -> AsyncIterator[Any]:
        if resource is following.resources()["VolumeSnapshot"] and api.connections == 1:
            raise NotServed("404 page not found")
        async for one in watch(resource, resource_version, **where):
            yield one

    monkeypatch.setattr(api, "watch", refused_once)
    news = told(monkeypatch, api, lambda news: len(of(news, Listed)) == 2)
    assert of(news, Away) == []


def test_kind_that_every_cluster_has_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers so is not the lab's API server."""
    api = Api([NotServed("404 page not found")])
    news = told(monkeypatch, api, lambda news: bool([one for one in of(news, Away) if one.api == KUBERNETES]))
    assert of(news, Away)[-1].why == "404 page not found"


def other_stack() -> Stack:
    return FakeLab(config={"target": "local", "tour": "true"}).stack


def test_stack_is_read_again_after_a_deployment_came(monkeypatch: pytest.MonkeyPatch) -> None:
    script = [("MODIFIED", POD), ("ADDED", DEPLOYMENT)]
    news = told(monkeypatch, Api(script), lambda news: bool(of(news, StackRead)), other_stack)
    assert of(news, StackRead) == [StackRead(other_stack())]


def test_stack_that_is_built_anew_has_another_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    def rebuilt() -> Stack:
        return replace(FakeLab().stack, outputs={"kubeconfig": "the next", "servers": {"nfs-server": {}}})

    asked: list[str] = []
    api = Api([ConfigError("the local cloud was deleted")])
    connect = api.connect

    def connect_to(kubeconfig: str) -> Any:
        asked.append(kubeconfig)
        if kubeconfig != "the next" and len(asked) > 1:
            raise ConfigError("the local cloud was deleted")
        return connect(kubeconfig)

    monkeypatch.setattr(api, "connect", connect_to)
    told(monkeypatch, api, lambda news: len(of(news, Listed)) == 2, rebuilt)
    assert asked[-1] == "the next", "the learner would have to start the view again"
