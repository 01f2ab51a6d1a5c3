"""SavedBeforeAnswered: no answer before its state is on disk, none at all where it cannot be."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.ec2_emulator import Message, Receive, SavedBeforeAnswered, Scope, Send


class Server:
    """An application with a counter for its state, and the answers that got through to its client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.saves = 0
        self.sent: list[Message] = []
        self.on_disk_when_answered: list[str | None] = []
        self.told: list[tuple[str, Any]] = []
        self.wrapped = SavedBeforeAnswered(
            self._answer,
            folder,
            lambda: {"ec2": lambda: self.count},
            self._encode,
            lambda *what: self.told.append(what),
        )

    def request(self, *, changes: bool) -> None:
        self.count += changes
        asyncio.run(self.wrapped({"type": "http"}, self._receive, self._send))

    @property
    def file(self) -> Path:
        return self.folder / "ec2.json"

    async def requests(self, number: int) -> None:
        """As many at the same time, each of which changes the state on its way to its answer."""
        await asyncio.gather(*(self.wrapped({"type": "http", "turns": i % 3}, self._receive, self._send_checked)
                               for i in range(number)))  # fmt: skip

    async def _send_checked(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            saved = json.loads(self.file.read_text())["ec2"] if self.file.exists() else 0
            assert saved >= message["count"], "an answer went out whose change a kill would lose"
        await self._send(message)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "turns" in scope:
            for _ in range(scope["turns"]):
                await asyncio.sleep(0)
            self.count += 1
        await send({"type": "http.response.start", "status": 200, "headers": [], "count": self.count})
        await send({"type": "http.response.body", "body": b"done"})

    async def _receive(self) -> Message:
        return {"type": "http.request"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        self.on_disk_when_answered.append(self.file.read_text() if self.file.exists() else None)

    def _encode(self, service: str, state: Any) -> str:
        self.saves += 1
        return json.dumps({service: state})


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_the_state_is_on_disk_before_the_first_byte_of_the_answer(server: Server) -> None:
    server.request(changes=True)
    assert server.on_disk_when_answered == ['{"ec2": 1}'] * 2, "a kill right after the answer would lose the change"


def test_a_request_that_changes_nothing_writes_nothing(server: Server) -> None:
    server.request(changes=True)
    server.file.unlink()
    server.request(changes=False)
    assert not server.file.exists(), "every poll of a volume would cost a write to disk"


def test_a_change_that_cannot_be_saved_is_a_server_error(tmp_path: Path) -> None:
    server = Server(tmp_path / "gone")
    server.request(changes=True)
    assert [message.get("status") for message in server.sent] == [500, None], "it must not pass for done"
    assert b"InternalError" in server.sent[1]["body"], "AWS clients retry this code"


def test_it_stays_an_error_until_it_could_be_saved(tmp_path: Path) -> None:
    server = Server(tmp_path / "gone")
    server.request(changes=True)
    server.request(changes=False)
    assert server.sent[2]["status"] == 500, "a mere read would show a volume that a crash may still lose"
    server.folder.mkdir()
    server.request(changes=False)
    assert server.sent[4]["status"] == 200
    assert server.file.exists(), "once there is room, the change is saved with the next answer"


def test_a_state_that_could_not_be_saved_removes_no_bytes(tmp_path: Path) -> None:
    server = Server(tmp_path / "gone")
    server.request(changes=True)
    assert server.told == [], "the folder of a volume would be removed whose deletion a crash takes back"
    server.folder.mkdir()
    server.request(changes=False)
    assert server.told == [("ec2", 1)]


def test_answers_that_are_ready_together_share_one_save(server: Server) -> None:
    asyncio.run(server.requests(100))
    assert len(server.sent) == 200, "some were not answered"
    assert server.saves <= 3, "a hundred volumes at once would cost a hundred copies of the whole state"


def test_a_request_that_takes_long_does_not_hold_up_the_others(server: Server) -> None:
    async def with_a_slow_one() -> None:
        released = asyncio.Event()

        async def wait(scope: Scope, receive: Receive, send: Send) -> None:
            await released.wait()

        server.wrapped._application, quick = wait, server.wrapped._application
        slow = asyncio.ensure_future(server.wrapped({"type": "http"}, server._receive, server._send))
        await asyncio.sleep(0)
        server.wrapped._application = quick
        await asyncio.wait_for(server.requests(1), timeout=5)
        released.set()
        await slow

    asyncio.run(with_a_slow_one())
    assert len(server.sent) == 2, "the quick request was not answered before the slow one"


def test_a_client_that_hangs_up_leaves_others_their_save(server: Server) -> None:
    async def one_hangs_up() -> None:
        gone = asyncio.ensure_future(server.requests(1))
        stays = asyncio.ensure_future(server.requests(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    asyncio.run(one_hangs_up())
    assert server.sent, "its answer never came"
    assert json.loads(server.file.read_text()) == {"ec2": 2}
