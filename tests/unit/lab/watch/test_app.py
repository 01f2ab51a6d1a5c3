"""The view, driven by Textual's pilot on recorded news."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from lab.errors import LabError
from lab.reading.commands import CommandFailed
from lab.reading.world import Changed, Listed, StackRead
from tests.unit.lab.fake_lab import snapshot_things
from tests.unit.lab.test_live import ec2
from tests.unit.lab.test_live_class import a_class, pods_deleted
from tests.unit.lab.watch.recorded import recorded, stack
from tests.unit.lab.watch.replay import Replay, running, screen, until

DAY = list(recorded())
# How long the recording is until the first Pod is gone.
GONE = next(number for number, (_, news) in enumerate(DAY) if getattr(news, "deleted", False)) + 1
END = "Kubernetes answers again."


def played(replay: Replay, scene: Callable[[Pilot[Any]], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> None:
    async def run() -> None:
        async with running(replay, size) as pilot:
            await scene(pilot)

    asyncio.run(run())


def test_80_columns_show_every_link_with_its_state() -> None:
    replay = Replay(DAY[:GONE])

    async def scene(pilot: Pilot[Any]) -> None:
        shown = await until(pilot, replay, "is gone; the volume")
        lines = shown.splitlines()
        assert max(map(len, lines)) <= 80
        states = ["Deployment", "Pod", "PersistentVolumeClaim", "PersistentVolume", "VolumeAttachment", "EBS volume"]
        for kind in [*states, "EC2 instance"]:
            assert [line for line in lines if f" {kind} " in line], shown
        for state in ("Bound", "attached", "in-use", "running"):
            assert state in shown.split(), f"{state} is a colour, and no word"

    played(replay, scene)


def test_60_columns_take_from_the_names_and_not_from_the_states() -> None:
    replay = Replay(DAY[:GONE])

    async def scene(pilot: Pilot[Any]) -> None:
        shown = await until(pilot, replay, "EC2 instance")
        for word in ("Bound", "attached", "in-use", "running", "Quit"):
            assert word in shown.split(), shown

    played(replay, scene, (60, 20))


@pytest.mark.parametrize("told_to_end", [signal.SIGTERM, signal.SIGHUP])
def test_view_whose_window_is_closed_ends(told_to_end: signal.Signals) -> None:
    replay = Replay()

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, END)
        os.kill(os.getpid(), told_to_end)
        while pilot.app.is_running:
            await asyncio.sleep(0.01)

    played(replay, scene)


def test_change_is_marked_and_told() -> None:
    replay = Replay(DAY[:GONE])

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, "is gone; the volume")
        replay.tell(*DAY[GONE:])
        shown = await until(pilot, replay, END)
        [marked] = [line for line in shown.splitlines() if "▶" in line]
        assert "nfs-server-576868c54d-v6fzb" in marked
        assert "Running, ready" in marked

    played(replay, scene)


def test_key_shows_its_command_before_it_types_it() -> None:
    replay = Replay()
    replay.answer = lambda: 'pod "nfs-server-576868c54d-v6fzb" deleted'

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, END)
        await pilot.press("d")
        await until(pilot, replay, "$ kubectl delete pod nfs-server-576868c54d-v6fzb")
        await pilot.press("enter")
        assert replay.typed == [], "Enter alone deletes nothing"
        await pilot.press("y")
        shown = await until(pilot, replay, 'pod "nfs-server-576868c54d-v6fzb" deleted')
        assert replay.typed == [("delete", "pod", "nfs-server-576868c54d-v6fzb")]
        assert "$ kubectl delete pod nfs-server-576868c54d-v6fzb" in shown, "what was typed is not in the timeline"

    played(replay, scene)


@pytest.mark.parametrize("leave", ["escape", "n"])
def test_dialog_can_be_left(leave: str) -> None:
    replay = Replay()

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, END)
        await pilot.press("z")
        await until(pilot, replay, "$ kubectl scale deployment/nfs-server --replicas=0")
        await pilot.press(leave)
        await until(pilot, replay, END)
        assert replay.typed == []

    played(replay, scene)


def test_command_can_be_copied() -> None:
    replay = Replay()

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, END)
        await pilot.press("r")
        await until(pilot, replay, "tail -n 5 /exports/lines")
        await pilot.press("c")
        await pilot.pause()
        assert replay.app.clipboard == "kubectl exec deployment/nfs-server -- tail -n 5 /exports/lines"
        await pilot.press("enter")
        await until(pilot, replay, "pod deleted")

    played(replay, scene)


def test_failed_command_is_told() -> None:
    replay = Replay()

    def fail() -> str:
        raise CommandFailed("error dialing backend: no such host")

    replay.answer = fail

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, END)
        await pilot.press("w", "enter")
        await until(pilot, replay, "error dialing backend: no such host")

    played(replay, scene)


def test_class_has_a_table_and_the_chosen_servers_chain() -> None:
    lab = a_class(200)
    now = DAY[0][0]
    replay = Replay([(now, Listed(lab.things)), (now, ec2(lab))], lab.stack)

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, "200 servers: every chain holds")
        await pilot.press("down", "down")
        await until(pilot, replay, "─team-2/nfs-server─")
        replay.tell(*((now, news) for news in pods_deleted(lab)))
        shown = await until(pilot, replay, "✗ Pod not there")
        assert "EC2 instance" in shown, "the table leaves no room for the chain"
        await pilot.press("z")
        await until(pilot, replay, "$ kubectl scale deployment/nfs-server --replicas=0 -n team-2")

    played(replay, scene)


def test_resize_draws_for_the_new_width() -> None:
    replay = Replay()

    async def scene(pilot: Pilot[Any]) -> None:
        shown = await until(pilot, replay, END)
        assert "gp3" not in shown
        await pilot.resize_terminal(160, 40)
        await until(pilot, replay, "1 GiB gp3")
        await pilot.resize_terminal(50, 12)
        await pilot.pause()
        assert max(map(len, screen(replay.app).splitlines())) <= 50

    played(replay, scene)


def test_cluster_that_is_away_is_told_at_the_top() -> None:
    away = next(number for number, (_, news) in enumerate(DAY) if type(news).__name__ == "Away")
    replay = Replay(DAY[: away + 1])

    async def scene(pilot: Pilot[Any]) -> None:
        shown = await until(pilot, replay, "Asking again")
        assert "Kubernetes does not answer" in shown.splitlines()[0]
        assert "EC2 instance" in shown, "what was known last stays"
        replay.tell(*DAY[away + 1 :])
        await until(pilot, replay, "following Kubernetes and EC2")

    played(replay, scene)


def test_lab_that_is_not_up_ends_the_view_with_its_sentence() -> None:
    replay = Replay()

    def nothing_up() -> Any:
        raise LabError("nothing of it is up")

    replay.app._read = nothing_up  # type: ignore[method-assign]

    async def run() -> None:
        async with replay.app.run_test() as pilot, asyncio.timeout(20):
            while replay.app.is_running:
                await pilot.pause(0.02)

    asyncio.run(run())
    assert str(replay.app.return_value) == "nothing of it is up"


def test_no_colour_leaves_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    replay = Replay()

    async def scene(pilot: Pilot[Any]) -> None:
        shown = await until(pilot, replay, END)
        assert replay.app.no_color
        assert "Running, ready" in shown

    played(replay, scene)


def test_key_for_snapshots_is_offered_where_they_can_be_taken() -> None:
    replay = Replay(DAY[:2])
    ready, content, class_ = snapshot_things()

    async def scene(pilot: Pilot[Any]) -> None:
        shown = await until(pilot, replay, "Scale 0/1")
        assert "Snapshot" not in shown
        await pilot.press("s")
        replay.tell(*((replay.now, Changed(thing)) for thing in (class_, content, ready)))
        shown = await until(pilot, replay, "s Snapshot")
        assert max(map(len, shown.splitlines())) <= 80, "the foot of the screen has no room for a sixth key"
        await until(pilot, replay, "nfs-pvc-x7k2p ready to use")
        await pilot.press("s")
        await until(pilot, replay, "volumeSnapshotClassName: ebs-snapshots")
        await until(pilot, replay, "KUBECONFIG=.lab/clouds/local/kubeconfig")
        await pilot.press("enter")
        await until(pilot, replay, "$ kubectl create -f -")
        assert replay.typed == [("create", "-f", "-")]

    played(replay, scene)


def test_servers_that_come_with_an_update_are_shown() -> None:
    replay = Replay(DAY[:2])

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, "the chain holds")
        for servers in ('["nfs-server", "archive"]', '["archive", "photos", "nfs-server"]'):
            replay.tell((replay.now, StackRead(stack(servers=servers))))
            await until(pilot, replay, " ".join(["✗", "Deployment", "not", "there"]))
            await until(pilot, replay, "archive")
        await until(pilot, replay, "photos")
        replay.tell((replay.now, StackRead(stack())))
        await pilot.pause(0.3)
        assert "archive" not in screen(replay.app)

    played(replay, scene)


def test_slow_ec2_is_shown_with_its_time() -> None:
    replay = Replay(DAY[:2])

    async def scene(pilot: Pilot[Any]) -> None:
        await until(pilot, replay, "following Kubernetes and EC2")
        replay.now += timedelta(minutes=1)
        await until(pilot, replay, "EC2 is slow, and is shown as of 09:49:48")

    played(replay, scene)


def test_japanese_learner_reads_japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    replay = Replay(DAY[:GONE])

    async def scene(pilot: Pilot[Any]) -> None:
        shown = await until(pilot, replay, "はなくなりました。")
        assert "できごと" in shown
        await until(pilot, replay, "d Pod削除")
        assert "Bound" in shown, "what kubectl prints too stays as it is"
        await pilot.press("z")
        await until(pilot, replay, "0台にしますか")
        await until(pilot, replay, "$ kubectl scale deployment/nfs-server --replicas=0")

    played(replay, scene)
