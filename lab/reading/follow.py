"""Follows a lab: Kubernetes by its watches, EC2 by a question now and then, because EC2 tells nothing by itself."""

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, NoReturn

from components.access.clients import async_kubernetes_client, unreachable_errors
from lab.errors import LabError
from lab.reading.background import in_background
from lab.reading.ec2 import NO_ANSWER, Ec2Ids, Ec2Reader
from lab.reading.objects import Thing
from lab.reading.stack import Stack
from lab.reading.things import ALL_KINDS, KINDS, SNAPSHOT_KINDS, Key, key_of
from lab.reading.world import EC2, KUBERNETES, Away, Changed, Ec2Told, Listed, News, StackRead

# Between two questions to EC2 while nothing moves. After Kubernetes has moved a volume, EC2 is asked soon.
EC2_SECONDS, EC2_SOON_SECONDS = 10.0, 0.5
EC2_KINDS = ("VolumeAttachment", "PersistentVolume", "VolumeSnapshotContent")
# A watch that is silent that long is begun again: so a cluster that vanished without a word is found out.
SILENT_SECONDS = 60
# Between two attempts to reach a cluster that is away.
RETRY_SECONDS = 1.0
# Between two looks whether the API server has come to have snapshots.
SERVED_SECONDS = 10.0
# Pulumi is asked again after a Deployment has come or gone, and while the cluster is away, because after a destroy and
# another `up` it has another kubeconfig. A question takes a second of processor.
STACK_SECONDS, STACK_AWAY_SECONDS = 2.0, 10.0
NOT_FOUND, GONE = 404, 410


class Anew(Exception):
    """The kinds have to be listed again, and nothing is wrong."""


class Follower:
    """Tells the news of a stack. `ec2_ids` returns the volumes and instances to ask EC2 about, `read` the stack."""

    def __init__(
        self, stack: Stack, tell: Callable[[News], None], ec2_ids: Callable[[], Ec2Ids], read: Callable[[], Stack]
    ) -> None:
        self._stack, self._news, self._ec2_ids, self._read = stack, tell, ec2_ids, read
        self._ec2_soon, self._stack_soon = asyncio.Event(), asyncio.Event()
        self._deployments: set[Key] = set()
        self._away = False

    async def follow(self) -> None:
        """Follow both APIs until cancelled. One that is away is news, and is asked again and again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_kubernetes())
            group.create_task(self._follow_ec2())
            group.create_task(self._follow_stack())

    def _tell(self, news: News) -> None:
        self._news(news)
        if isinstance(news, Listed) or (isinstance(news, Changed) and news.thing["kind"] in EC2_KINDS):
            self._ec2_soon.set()
        known = set(self._deployments)
        match news:
            case Listed(things):
                self._deployments = {key_of(thing) for thing in things if thing["kind"] == "Deployment"}
                # What was there at the first list is what the stack was read with.
                known = known or self._deployments
                self._away = False
            case Changed(thing, deleted) if thing["kind"] == "Deployment":
                (self._deployments.discard if deleted else self._deployments.add)(key_of(thing))
            case Away(api) if api == KUBERNETES:
                self._away = True
            case _:
                return
        if self._away or self._deployments != known:
            self._stack_soon.set()

    async def _follow_kubernetes(self) -> NoReturn:
        errors = await in_background(unreachable_errors)
        while True:
            away: list[BaseException] = []
            try:
                await self._list_and_watch()
            except* Anew:
                pass
            except* (*errors, TimeoutError, LabError) as group:
                away = _leaves(group)
            if away:
                self._tell(Away(KUBERNETES, _reason(away[0])))
            await asyncio.sleep(RETRY_SECONDS)

    async def _list_and_watch(self) -> None:
        """List all kinds and watch them, until one of them fails. A new client restarts a local cloud that is down."""
        client = await in_background(lambda: async_kubernetes_client(self._stack.kubeconfig))
        try:
            kinds = list(resources())
            # The first question gets the credential, and the others use it.
            first = await _list(client, kinds[0])
            async with asyncio.TaskGroup() as group:
                others = [group.create_task(_list(client, kind)) for kind in kinds[1:]]
            lists = dict(zip(kinds, [first, *(task.result() for task in others)], strict=True))
            self._tell(Listed([thing for things, _ in lists.values() for thing in things]))
            async with asyncio.TaskGroup() as group:
                for kind, (_, version) in lists.items():
                    if version:
                        group.create_task(self._watch(client, kind, version))
                if missing := [kind for kind, (_, version) in lists.items() if not version]:
                    group.create_task(_wait_until_served(client, missing))
        finally:
            await client.close()

    async def _watch(self, client: Any, kind: str, version: str) -> NoReturn:
        while True:
            changes = client.watch(resources()[kind], resource_version=version, **_everywhere(kind))
            try:
                while True:
                    async with asyncio.timeout(SILENT_SECONDS):
                        change, thing = await anext(changes)
                    version = thing["metadata"]["resourceVersion"]
                    self._tell(Changed({"kind": kind, **thing}, deleted=change == "DELETED"))
            except TimeoutError:
                continue
            except Exception as error:
                # The version from which the watch goes on is too old, or the kind of the snapshots was removed.
                if _status(error) == GONE or (kind in SNAPSHOT_KINDS and _status(error) == NOT_FOUND):
                    raise Anew from None
                raise
            finally:
                await changes.aclose()

    async def _follow_stack(self) -> NoReturn:
        while True:
            await self._stack_soon.wait()
            self._stack_soon.clear()
            await asyncio.sleep(STACK_AWAY_SECONDS if self._away else STACK_SECONDS)
            with suppress(LabError):  # in the middle of an `up` or a destroy: what is known stays
                stack = await in_background(self._read)
                if stack != self._stack:
                    self._stack = stack
                    self._tell(StackRead(stack))

    async def _follow_ec2(self) -> NoReturn:
        reader: Ec2Reader | None = None
        await self._ec2_soon.wait()
        while True:
            self._ec2_soon.clear()
            try:
                # Made again after a failure: a local cloud that was built anew has another key.
                reader = reader or await in_background(lambda: Ec2Reader.of(self._stack))
                seen = await in_background(lambda made=reader: made.see(self._ec2_ids()))
                self._tell(Ec2Told(seen))
            except LabError as error:
                reader = None
                self._tell(Away(EC2, str(error).removeprefix(NO_ANSWER)))
            with suppress(TimeoutError):
                async with asyncio.timeout(EC2_SECONDS):
                    await self._ec2_soon.wait()
                await asyncio.sleep(EC2_SOON_SECONDS)


@cache
def resources() -> dict[str, Any]:
    """Return lightkube's class for every kind; it leaves an object the JSON that it is."""
    from lightkube import generic_resource

    made: dict[str, Any] = {}
    for kind, api in ALL_KINDS.items():
        scope = "namespaced" if api.namespaced else "global"
        made[kind] = getattr(generic_resource, f"create_{scope}_resource")(api.group, "v1", kind, api.plural)
    return made


async def _list(client: Any, kind: str) -> tuple[Sequence[Thing], str]:
    """Return the objects of a kind, and the version from which a watch goes on; no version where it is not served."""
    try:
        found = client.list(resources()[kind], **_everywhere(kind))
        # A list does not repeat its kind in every item.
        things = [{"kind": kind, **thing} async for thing in found]
    except Exception as error:
        if kind in KINDS or _status(error) != NOT_FOUND:
            raise
        return [], ""
    return things, found.resourceVersion


async def _wait_until_served(client: Any, kinds: Sequence[str]) -> NoReturn:
    """Raise Anew when the API server has one of the kinds."""
    while True:
        await asyncio.sleep(SERVED_SECONDS)
        for kind in kinds:
            if (await _list(client, kind))[1]:
                raise Anew


def _everywhere(kind: str) -> dict[str, str]:
    return {"namespace": "*"} if ALL_KINDS[kind].namespaced else {}


def _leaves(error: BaseException) -> list[BaseException]:
    """Return the exceptions in a group, and in the groups within it."""
    inner: Sequence[BaseException] = getattr(error, "exceptions", ())
    return [leaf for one in inner for leaf in _leaves(one)] or [error]


def _status(error: BaseException) -> int | None:
    """Return the HTTP status of an answer that is an error; None where there is no answer."""
    return getattr(
        getattr(error, "status", None), "code", getattr(getattr(error, "response", None), "status_code", None)
    )


def _reason(error: BaseException) -> str:
    """Return why a cluster does not answer: the last line, in which a credential plugin says why it failed."""
    if type(error).__name__ in ("RemoteProtocolError", "ReadError"):
        return "the connection was closed"
    lines = str(error).strip().splitlines()
    # Of a plugin that fails, lightkube tells the path and the status first.
    return re.sub(r"^Exec \S+ returned -?\d+: ", "", lines[-1]) if lines else type(error).__name__
