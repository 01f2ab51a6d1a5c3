"""The data of the cloud gone and the state kept, the state gone and the data kept."""

import shutil
import subprocess

import pytest

from tests.faults.conftest import NewScene
from tests.faults.scene import Scene, errors, summary
from tests.faults.test_kills import kill

GONE_FOR_GOOD = {"PULUMI_K8S_DELETE_UNREACHABLE": "true"}


@pytest.fixture(scope="module")
def scene(new_scene: NewScene) -> Scene:
    return new_scene()


@pytest.mark.parametrize("cloud", ["stopped", "running"])
@pytest.mark.parametrize("command", ["up", "destroy"])
def test_a_lost_data_folder_is_noticed_and_one_variable_makes_it_right(scene: Scene, command: str, cloud: str) -> None:
    lab = scene.lab
    lab.up()
    with scene.fault(f"data folder of a {cloud} cloud gone", f"then {command}") as saw:
        if cloud == "stopped":
            kill(scene)
        # A cloud that runs makes parts of it anew meanwhile.
        subprocess.run(["rm", "-rf", lab.cloud], check=False)
        scene.witness.forget()
        refused = getattr(lab, command)(expect=None)
        assert refused.returncode != 0, "another cluster must not pass for the one that the stack knows"
        assert "its data is gone" in refused.stdout
        assert "PULUMI_K8S_DELETE_UNREACHABLE=true pulumi" in refused.stdout, "the way out is not in the message"
        again = getattr(lab, command)(env=GONE_FOR_GOOD)
        saw(f"{errors(refused.stdout)}; with the variable: {summary(again.stdout)}")
        if command == "up":
            scene.check_standing()
        else:
            scene.check_gone()


def test_a_lost_state_leaves_an_orphan_that_up_takes_over(scene: Scene) -> None:
    lab = scene.lab
    lab.up()
    before = lab.outputs()
    with scene.fault("state gone, data kept", "then up") as saw:
        _forget(scene)
        said = lab.up().stdout
        assert "is there already" in said, "taking over what is there has to be said"
        saw(next(line.strip() for line in said.splitlines() if "is there already" in line)[-120:])
        assert lab.outputs()["volumeId"] == before["volumeId"], "a second volume for the same claim"
        scene.check_standing()


def test_a_lost_state_leaves_an_orphan_that_one_command_removes(scene: Scene) -> None:
    lab = scene.lab
    lab.up()
    with scene.fault("state gone, data kept", "then delete") as saw:
        _forget(scene)
        lab.run("python", "-m", "localcloud", "delete", str(lab.cloud))
        saw("python -m localcloud delete .lab/clouds/local")
        assert lab.processes() == []
        assert not lab.cloud.exists()
        # With the cloud went its EC2, volumes included: nothing of it is anywhere.
        scene.witness.forget()
        lab.up()
        scene.check_standing()


def _forget(scene: Scene) -> None:
    shutil.rmtree(scene.lab.folder / ".lab" / "state" / ".pulumi")
    scene.lab.pulumi("stack", "select", "--create", scene.lab.stack)
