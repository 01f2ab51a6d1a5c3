"""lab verify --gone: what a destroy left turns its step red, and no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from lab.steps.gone import DestroyReport, steps_for
from tests.unit.lab.fake_lab import EBS_SNAPSHOT, PV, VOLUME, ebs_snapshots, volumes

LOCAL = DestroyReport("local", "local", resources=[], volumes=None, snapshots=None)
EKS = DestroyReport("dev", "eks", resources=[], volumes=[], snapshots=[])
FOLDER = Path("/checkout/.lab/clouds/local")

# What was found, and for each step that has to be red a part of its hint.
LEFT = {
    "a leaked volume": (replace(EKS, volumes=volumes()), {"no-volume": f"delete-volume --volume-id {VOLUME}"}),
    "a leaked snapshot": (
        replace(EKS, snapshots=ebs_snapshots()),
        {"no-snapshot": f"delete-snapshot --snapshot-id {EBS_SNAPSHOT}"},
    ),
    "a stack that holds something": (
        replace(EKS, resources=["lab"]),
        {"stack-empty": "run pulumi destroy --stack dev"},
    ),
    "a process": (replace(LOCAL, processes=["etcd"]), {"no-process": "localcloud delete .lab/clouds/local"}),
    "a folder, with the volumes in it": (
        replace(LOCAL, folder=FOLDER),
        {"no-folder": "localcloud delete .lab/clouds/local", "no-volume": str(FOLDER), "no-snapshot": str(FOLDER)},
    ),
    "a lab that was never destroyed": (
        DestroyReport("local", "local", ["lab"], volumes(), ebs_snapshots(), FOLDER, ["etcd"]),
        dict.fromkeys(
            ("stack-empty", "no-volume", "no-snapshot", "no-process", "no-folder"), "pulumi destroy --stack local"
        ),
    ),
}


@pytest.mark.parametrize("clean", [LOCAL, EKS])
def test_clean_machine_passes_every_step(clean: DestroyReport) -> None:
    findings = [step.look(clean) for step in steps_for(clean.target)]
    assert all(finding.ok and not finding.hint for finding in findings), findings


@pytest.mark.parametrize("what", LEFT)
def test_what_is_left_turns_its_steps_red_and_no_other(what: str) -> None:
    left, expected = LEFT[what]
    failed = {step.key: step.look(left).hint for step in steps_for(left.target) if not step.look(left).ok}
    assert set(failed) == set(expected)
    for key, words in expected.items():
        assert words in failed[key], f"the hint of {key} does not help: {failed[key]}"


def test_leaked_volume_is_named_as_the_console_shows_it() -> None:
    [step] = [step for step in steps_for("eks") if step.key == "no-volume"]
    found = step.look(replace(EKS, volumes=volumes())).found
    assert VOLUME in found
    assert f"kubernetes-dynamic-{PV}" in found


def test_aws_steps_ask_nothing_of_this_machine() -> None:
    assert {step.key for step in steps_for("eks")} == {"stack-empty", "no-volume", "no-snapshot"}
