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


def test_a_driver_that_may_go_before_the_volumes_leaves_them_and_is_found_out(stage: Stage) -> None:
    plant(stage, "__main__.py", "*cluster.ready, ", "")
    stage.lab.up()
    with pytest.raises(CommandFailed) as failure:
        stage.lab.destroy()
    assert "volumes of the lab are left" in str(failure.value)
    assert stage.left() & Counter(volume=1), "the driver was gone before it could delete the volume"
