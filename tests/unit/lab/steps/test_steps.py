"""Each step of the exercise turns red for its reason, with a hint, while every other step stays as it was."""

import pytest

from lab.reading.snapshot import Snapshot
from lab.steps import Finding
from lab.verify import STEPS
from tests.unit.lab.fake_lab import POD, VOLUME, FakeLab, broken
from tests.unit.lab.steps.breakages import (
    BREAKAGES,
    CLAIM,
    POD_KIND,
    PV_KIND,
    forget_events,
    put,
    second_pod,
)


def look(seen: Snapshot) -> dict[str, Finding]:
    """Return what each step finds, by its key."""
    return {step.key: step.look(seen) for step in STEPS}


def test_lab_in_which_all_is_well_passes_every_step() -> None:
    findings = look(FakeLab().seen())
    assert {key for key, finding in findings.items() if not finding.ok} == set()
    assert {finding.hint for finding in findings.values()} == {""}, "a hint is for a failure"


@pytest.mark.parametrize("what", BREAKAGES)
def test_breakage_turns_its_steps_red_and_no_other(what: str) -> None:
    breakages, expected = BREAKAGES[what]
    before, after = look(FakeLab().seen()), look(broken(*breakages).seen())
    failed = {key: finding.hint for key, finding in after.items() if finding.ok is not True}
    assert set(failed) == set(expected), f"{what}: {failed}"
    for key, words in expected.items():
        assert words in failed[key], f"the hint of {key} does not help: {failed[key]}"
    assert {key: after[key].ok for key in after if key not in expected} == {
        key: before[key].ok for key in before if key not in expected
    }


def test_every_step_is_turned_red_by_a_breakage() -> None:
    reddened = {key for _, expected in BREAKAGES.values() for key in expected}
    assert reddened == {step.key for step in STEPS}, "a step that nothing turns red checks nothing"


def test_claim_without_events_is_proved_to_have_waited() -> None:
    finding = look(broken(forget_events).seen())["claim-waited"]
    assert finding.ok
    assert "this one is older" in finding.found, "it must not claim to have seen what it concluded"
    assert "node-1" in finding.found


def test_claim_that_has_the_size_in_whole_gib_need_not_ask_for_it() -> None:
    asked = put(CLAIM, "spec", "resources", "requests", "storage", "2500Mi")
    has = put(CLAIM, "status", "capacity", "storage", "3Gi")
    lab = broken(asked, has, lambda lab: lab.config.update(storage="2600Mi"))
    assert look(lab.seen())["claim-size"].ok, "an up would not change it"


def test_claim_without_a_volume_is_not_told_of_one_that_the_outputs_remember() -> None:
    lab = broken(lambda lab: lab.the(CLAIM)["spec"].pop("volumeName"), lambda lab: lab.remove(PV_KIND))
    lab.volumes.clear()
    hints = {key: finding.hint for key, finding in look(lab.seen()).items() if not finding.ok}
    assert hints["ebs-kind"] == "see the claim's steps", "deleting the claim would not help"


def test_event_of_an_earlier_claim_proves_nothing() -> None:
    earlier = put("Event", "involvedObject", "uid", "uid-of-the-claim-before")
    assert look(broken(earlier, put(CLAIM, "metadata", "annotations", {})).seen())["claim-waited"].ok is False


@pytest.mark.parametrize(
    "kind", [CLAIM, "Deployment", POD_KIND, "Service", "EndpointSlice", PV_KIND, "StorageClass", "Node"]
)
def test_missing_object_is_a_finding(kind: str) -> None:
    findings = look(broken(lambda lab: lab.remove(kind)).seen())
    failed = [finding for finding in findings.values() if not finding.ok]
    assert failed, f"nobody misses the {kind}"
    assert all(finding.hint and finding.found for finding in failed)


def test_empty_cluster_fails_every_step() -> None:
    findings = look(broken(lambda lab: (lab.things.clear(), lab.volumes.clear())).seen())
    assert {finding.ok for finding in findings.values()} == {False}


def test_pod_being_deleted_is_not_taken_for_the_next() -> None:
    def replaced(lab: FakeLab) -> None:
        second_pod(lab)
        lab.the(POD_KIND)["metadata"]["deletionTimestamp"] = "now"

    assert "kgg7b" not in look(broken(replaced).seen())["pod"].found


def test_commands_name_what_was_seen() -> None:
    seen = FakeLab().seen()
    commands = {step.key: step.command(seen) for step in STEPS}
    assert commands["claim-bound"] == "kubectl get pvc nfs-pvc"
    assert VOLUME in commands["attached"]
    assert not [command for command in commands.values() if "<" in command or "{" in command]


def test_commands_name_a_namespace_that_is_not_the_default() -> None:
    lab = FakeLab()
    lab.config["servers"] = '["team-a/nfs-server"]'
    lab.outputs["servers"] = {"team-a/nfs-server": lab.outputs["servers"]["nfs-server"]}
    for thing in lab.things:
        if "namespace" in thing["metadata"]:
            thing["metadata"]["namespace"] = "team-a"
    seen = lab.seen()
    assert [key for key, finding in look(seen).items() if not finding.ok] == []
    asked = [step.command(seen) for step in STEPS if step.key in ("claim-bound", "pod", "deployment")]
    assert all("-n team-a" in command for command in asked), asked
    assert seen.pod
    assert seen.pod["metadata"]["name"] == POD


def test_each_server_is_judged_by_its_own_objects() -> None:
    lab = FakeLab()
    lab.config["servers"] = '["nfs-server", "archive-server"]'
    first, second = lab.snapshots()
    assert {finding.ok for finding in look(first).values()} == {True}
    verdicts = {key: finding.ok for key, finding in look(second).items()}
    assert verdicts.pop("default-class"), "the class is everybody's"
    assert set(verdicts.values()) == {False}, "the first server's objects were taken for its own"
