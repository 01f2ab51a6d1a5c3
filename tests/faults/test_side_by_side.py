"""Two labs at once: in two folders, and as two stacks of one folder, started in the same second."""

from pathlib import Path

import pytest

from localcloud.record.record import read
from tests.faults.conftest import NewScene
from tests.faults.scene import Scene


@pytest.mark.parametrize("where", ["two folders", "two stacks of one folder"])
def test_two_labs_of_the_same_second_have_nothing_in_common(new_scene: NewScene, tmp_path: Path, where: str) -> None:
    one = new_scene(tmp_path / "one")
    other = new_scene(tmp_path / "other") if where == "two folders" else new_scene(tmp_path / "one", "second")
    with one.fault("two labs in the same second", where) as saw:
        _together(one, other, "up")
        facts = [read(scene.lab.cloud) for scene in (one, other)]
        assert facts[0] is not None
        assert facts[1] is not None
        assert not set(facts[0].ports.values()) & set(facts[1].ports.values()), "they share a port"
        assert facts[0].cluster_id != facts[1].cluster_id, "they share a cluster"
        one.check_standing()
        other.check_standing()
        assert not one.witness.volumes() & other.witness.volumes(), "they share a volume"
        one.lab.destroy()
        one.check_gone()
        other.check_standing()
        other.lab.destroy()
        other.check_gone()
        saw("both up, ports, data and volumes apart; the end of one leaves the other alone")


def _together(one: Scene, other: Scene, command: str) -> None:
    """The same command on both, at the same time."""
    running = [scene.start(command) for scene in (one, other)]
    for scene, process in zip((one, other), running, strict=True):
        ended = scene.finish(process)
        assert ended.status == 0, ended.output
