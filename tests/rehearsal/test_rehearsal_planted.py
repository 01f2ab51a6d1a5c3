"""The test of the rehearsal itself: programs whose order is broken on purpose must fail in it, or be seen to leak."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkout import CommandFailed
from tests.rehearsal.stage import Stage

Performances = Callable[[Callable[[Path], Any]], Any]


def plant(stage: Stage, file: str, right: str, wrong: str) -> None:
    target = stage.lab.folder / file
    text = target.read_text()
    assert right in text, f"{file} has changed: plant this error anew"
    target.write_text(text.replace(right, wrong))


def failure_of_up(stage: Stage) -> str:
    with pytest.raises(CommandFailed) as failure:
        stage.lab.up()
    return str(failure.value)


def coredns_with_the_cluster(folder: Path) -> str:
    with Stage(folder) as stage:
        right = "skip_default_node_group=True,"
        plant(stage, "components/eks/cluster.py", right, f'{right} coredns_addon_options={{"enabled": True}},')
        return failure_of_up(stage)


def nodes_before_the_cluster(folder: Path) -> str:
    with Stage(folder) as stage:
        plant(stage, "components/eks/cluster.py", "needs=[control_plane, *place.routes]", "needs=[*place.routes]")
        return failure_of_up(stage)


def volumes_not_waited_for(folder: Path) -> Counter[str]:
    with Stage(folder) as stage:
        looks, sees_nothing = "return self._in_kubernetes() or self._in_ec2()", "return Inventory()"
        plant(stage, "components/guards/reclaim_barrier.py", looks, sees_nothing)
        stage.lab.up()
        stage.lab.destroy()
        return stage.left()


PERFORMANCES = [volumes_not_waited_for, coredns_with_the_cluster, nodes_before_the_cluster]


def test_coredns_with_the_cluster_is_a_deadlock(performances: Performances) -> None:
    degraded = "EKS Add-On coredns: timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED')"
    assert degraded in performances(coredns_with_the_cluster), (
        "the add-on waits for nodes, and the nodes wait for the component that the add-on is a child of"
    )


def test_nodes_that_do_not_wait_for_the_cluster_fail(performances: Performances) -> None:
    assert "No cluster found for name" in performances(nodes_before_the_cluster)


def test_a_destroy_that_does_not_wait_for_the_volumes_leaks_them(performances: Performances) -> None:
    assert performances(volumes_not_waited_for) == Counter(volume=1), (
        "the driver went before it could delete the volume, and nobody said so"
    )
