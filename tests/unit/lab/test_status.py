"""lab status: the chain as a tree, once or at every change."""

import io
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lab import status as statuses
from lab.chain import MISSING, Chain, chain_of
from tests.unit.lab.fake_lab import EBS_SNAPSHOT, INSTANCE, MADE, POD, PV, VOLUME, FakeLab, broken, with_snapshots

NOW = datetime.fromisoformat(MADE) + timedelta(minutes=7)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(*chains: Chain) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=500)
    with console.capture() as capture:
        console.print(statuses.picture(chains, NOW))
    return capture.get()


def test_tree_goes_from_the_deployment_to_the_instance() -> None:
    lines = drawn(chain_of(FakeLab().seen())).splitlines()
    kinds = [
        "Deployment nfs-server", f"Pod {POD}", "PersistentVolumeClaim nfs-pvc", f"PersistentVolume {PV}",
        "VolumeAttachment csi-86367afb", f"EBS volume {VOLUME}", f"EC2 instance {INSTANCE}",
    ]  # fmt: skip
    assert len(lines) == len(kinds), lines
    for depth, (shown, kind) in enumerate(zip(lines, kinds, strict=True)):
        assert kind in shown, lines
        assert shown.index(kind.split()[0]) == 4 * depth, "each hangs below what holds it"
        assert " 7m" in shown or "6m" in shown or depth == len(lines) - 1, "the age is missing"


def test_snapshots_hang_below_their_claim() -> None:
    lines = drawn(chain_of(with_snapshots().seen())).splitlines()
    [at] = [number for number, line in enumerate(lines) if "VolumeSnapshot monday  ready" in line]
    assert "PersistentVolumeClaim nfs-pvc" in lines[at - 1]
    assert f"1Gi; EBS snapshot {EBS_SNAPSHOT}, completed" in lines[at]
    assert f"PersistentVolume {PV}" in lines[at + 1], "the chain goes on below the claim"


def test_chains_of_several_servers_hang_below_their_names() -> None:
    here = chain_of(FakeLab().seen())
    lines = drawn(here, replace(here, server="team-a/nfs-server")).splitlines()
    assert [line for line in lines if line.startswith("NfsServer")] == [
        f"NfsServer {here.server}", "NfsServer team-a/nfs-server",
    ]  # fmt: skip
    assert sum("Deployment nfs-server" in line for line in lines) == 2


def watched(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, *labs: FakeLab) -> str:
    """Return what `status --watch` shows of one lab after the other, until Ctrl-C."""
    from rich.console import Console

    looks = iter([[chain_of(lab.seen())] for lab in labs])

    def look() -> list[Chain]:
        if chains := next(looks, None):
            return chains
        raise KeyboardInterrupt

    monkeypatch.setattr(statuses, "PAUSE_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        statuses.watch(look, Console(file=out, width=500))
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_watch_shows_a_change(monkeypatch: pytest.MonkeyPatch, out: io.StringIO) -> None:
    gone = broken(lambda lab: lab.remove("Pod"))
    shown = watched(monkeypatch, out, FakeLab(), gone)
    assert shown.index(f"Pod {POD}") < shown.index(f"Pod  {MISSING}")


def test_watch_in_a_pipe_is_silent_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = watched(monkeypatch, io.StringIO(), FakeLab(), FakeLab(), FakeLab(), broken(lambda lab: lab.remove("Pod")))
    assert shown.count("Deployment nfs-server") == 2, "a log of what did not happen"
