"""Ctrl-C while a destroy waits: it ends soon and not as a success, and the next one goes on."""

import pytest

from tests.faults.conftest import NewScene
from tests.faults.scene import Scene, errors, interrupt, patch
from tests.faults.test_foreign import SNOOPER

RETAIN = '{"spec": {"persistentVolumeReclaimPolicy": "%s"}}'


@pytest.fixture(scope="module")
def scene(new_scene: NewScene) -> Scene:
    scene = new_scene()
    scene.lab.up()
    return scene


def _interrupted(scene: Scene, where: str, waits_for: str) -> None:
    with scene.fault("Ctrl-C", where) as saw:
        struck = scene.strike("destroy", waits_for, interrupt)
        assert not struck.early, struck.output
        assert struck.status != 0, f"{len(scene.lab.state())} resources are left, and Pulumi reports a success"
        assert "300 s have passed" not in struck.output, "it waited on"
        said = errors(struck.output)
        assert "interrupted after" in said
        saw(f"status {struck.status}: {said}")


def test_a_destroy_that_is_interrupted_while_others_use_the_storage_fails(scene: Scene) -> None:
    file = scene.lab.folder / "foreign.yaml"
    file.write_text(SNOOPER)
    scene.lab.kubectl("apply", "-f", str(file))
    scene.lab.kubectl("wait", "pod/snooper", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")
    _interrupted(scene, "destroy, waiting for a Pod", "waiting for Pod")
    scene.check_standing()
    scene.lab.kubectl("delete", "--wait=true", "--timeout=60s", "-f", str(file))


def test_a_destroy_that_is_interrupted_at_the_barrier_fails(scene: Scene) -> None:
    volume = scene.lab.outputs()["pvName"]
    patch(scene, "pv", volume, RETAIN % "Retain")
    _interrupted(scene, "destroy, at the barrier", "waiting for PersistentVolume")
    assert scene.witness.volumes(), "the volume is there, so the destroy has not done its work"
    patch(scene, "pv", volume, RETAIN % "Delete")
    scene.lab.destroy()
    scene.check_gone()
