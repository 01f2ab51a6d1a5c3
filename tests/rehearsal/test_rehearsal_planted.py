"""The test of the rehearsal itself: programs whose order is broken on purpose must fail in it, or be seen to leak."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import CommandFailed
from tests.rehearsal.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage", {"reclaimTimeoutSeconds": 3}) as made:
        yield made


def plant(stage: Stage, file: str, right: str, wrong: str) -> None:
    target = stage.lab.folder / file
    text = target.read_text()
    assert right in text, f"{file} has changed: plant this error anew"
    target.write_text(text.replace(right, wrong))


def failure_of_up(stage: Stage) -> str:
    with pytest.raises(CommandFailed) as failure:
        stage.lab.up()
    return str(failure.value)


def test_coredns_with_the_cluster_is_the_deadlock_of_the_facts(stage: Stage) -> None:
    right = "skip_default_node_group=True,"
    plant(stage, "components/eks_cluster.py", right, f'{right} coredns_addon_options={{"enabled": True}},')
    assert "EKS Add-On coredns: timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED')" in (
        failure_of_up(stage)
    ), "the add-on waits for nodes, and the nodes wait for the component that the add-on is a child of"


def test_nodes_that_do_not_wait_for_the_cluster_fail(stage: Stage) -> None:
    plant(stage, "components/eks_cluster.py", "needs=[control_plane, *routes]", "needs=[*routes]")
    assert "No cluster found for name" in failure_of_up(stage)


def test_a_destroy_that_does_not_wait_for_the_volumes_leaks_them(stage: Stage) -> None:
    looks, sees_nothing = "return self._in_kubernetes() or self._in_ec2()", "return Leftovers()"
    plant(stage, "components/reclaim_barrier.py", looks, sees_nothing)
    stage.lab.up()
    stage.lab.destroy()
    assert stage.left() == Counter(volume=1), "the driver went before it could delete the volume, and nobody said so"
