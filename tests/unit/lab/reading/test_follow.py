"""The watches go on through everything: a cluster that is away, versions that are too old, EC2 that is slow."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from lightkube.core.exceptions import ConfigError

from lab.errors import LabError
from lab.reading import follow as following
from lab.reading.ec2 import Ec2Reader, Ec2Seen
from lab.reading.follow import Follower
from lab.reading.world import EC2, KUBERNETES, Away, Changed, Ec2Told, Listed, News
from tests.unit.lab.fake_lab import FakeLab

POD = {"metadata": {"name": "a", "namespace": "default", "resourceVersion": "7"}}


class Gone(ConfigError):
    """An answer of the API server: the version is too old."""

    response = SimpleNamespace(status_code=410)


class Api:
    """A lightkube client: its lists have one Pod; its watches are `scripts`, one for each connection."""

    def __init__(self, *scripts: Any) -> None:
        self.scripts = list(scripts)
        self.connections = 0
        self.closed = 0
        self.versions: list[str] = []

    def connect(self, _kubeconfig: str) -> "Api":
        self.connections += 1
        return self

    def list(self, resource: Any, **_where: str) -> Any:
        is_pod = resource is following.resources()["Pod"]

        class Found:
            resourceVersion = "5"

            async def __aiter__(self) -> AsyncIterator[Any]:
                if is_pod:
                    yield POD

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
    for pause in ("RETRY_SECONDS", "EC2_SECONDS", "EC2_SOON_SECONDS"):
        monkeypatch.setattr(following, pause, 0.01)
    monkeypatch.setattr(Ec2Reader, "of", lambda _stack: SimpleNamespace(see=lambda *_ids: Ec2Seen()))


def told(monkeypatch: pytest.MonkeyPatch, api: Api, enough: Callable[[list[News]], bool]) -> list[News]:
    """Return the news until they are enough."""
    news: list[News] = []
    monkeypatch.setattr(following, "async_kubernetes_client", api.connect)

    async def run() -> None:
        done = asyncio.Event()

        def tell(one: News) -> None:
            news.append(one)
            if enough(news):
                done.set()

        follower = asyncio.create_task(Follower(FakeLab().stack, tell, lambda: (set(), set())).follow())
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
    assert of(news, Listed) == [Listed([{"kind": "Pod", **POD}])], "a list of kubectl's has the kind in every item"
    assert of(news, Changed) == [Changed({"kind": "Pod", **POD}), Changed({"kind": "Pod", **POD}, deleted=True)]
    assert api.versions == ["5"], "a change between list and watch is lost"
    assert api.closed == api.connections == 1


def test_cluster_that_is_away_is_listed_again_with_a_new_client(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api([ConfigError("Exec python returned 1: a warning\nthe local cloud was deleted\n")], [("MODIFIED", POD)])
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
    assert of(news, Away) == [Away(EC2, "the EC2 API does not answer: timed out")]


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
