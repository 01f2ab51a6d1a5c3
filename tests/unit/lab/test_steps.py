"""Each step of the exercise: what makes it red, with which hint, while every other one stays as it was."""

import pytest

from lab.steps import STEPS, look
from tests.unit.lab.breakages import (
    BREAKAGES,
    CLAIM,
    POD_KIND,
    PV_KIND,
    forget_events,
    put,
    second_pod,
    stranger,
)
from tests.unit.lab.world import POD, VOLUME, World, broken


def test_a_lab_in_which_all_is_well_passes_every_step() -> None:
    findings = look(World().seen())
    assert {key for key, finding in findings.items() if not finding.ok} == set()
    assert {finding.hint for finding in findings.values()} == {""}, "a hint is for a failure"


@pytest.mark.parametrize("what", BREAKAGES)
def test_what_is_broken_turns_its_step_red_and_no_other(what: str) -> None:
    breakages, expected = BREAKAGES[what]
    before, after = look(World().seen()), look(broken(*breakages).seen())
    failed = {key: finding.hint for key, finding in after.items() if finding.ok is not True}
    assert set(failed) == set(expected), f"{what}: {failed}"
    for key, words in expected.items():
        assert words in failed[key], f"the hint of {key} does not help: {failed[key]}"
    assert {key: after[key].ok for key in after if key not in expected} == {
        key: before[key].ok for key in before if key not in expected
    }


def test_every_step_is_made_red_by_something() -> None:
    reddened = {key for _, expected in BREAKAGES.values() for key in expected}
    assert reddened == {step.key for step in STEPS}, "a step that nothing turns red checks nothing"


def test_events_that_expired_are_no_reason_to_doubt_that_the_claim_waited() -> None:
    finding = look(broken(forget_events).seen())["claim-waited"]
    assert finding.ok
    assert "the event is gone" in finding.found, "it must not claim to have seen what it concluded"
    assert "node-1" in finding.found


def test_an_event_of_an_earlier_claim_of_that_name_proves_nothing() -> None:
    earlier = put("Event", "involvedObject", "uid", "uid-of-the-claim-before")
    assert look(broken(earlier, put(CLAIM, "metadata", "annotations", {})).seen())["claim-waited"].ok is False


@pytest.mark.parametrize(
    "kind", [CLAIM, "Deployment", POD_KIND, "Service", "EndpointSlice", PV_KIND, "StorageClass", "Node"]
)
def test_what_is_not_there_is_a_finding_and_no_crash(kind: str) -> None:
    findings = look(broken(lambda world: world.remove(kind)).seen())
    failed = [finding for finding in findings.values() if not finding.ok]
    assert failed, f"nobody misses the {kind}"
    assert all(finding.hint and finding.found for finding in failed)


def test_an_empty_cluster_fails_every_step_without_a_crash() -> None:
    findings = look(broken(lambda world: (world.things.clear(), world.volumes.clear())).seen())
    assert {finding.ok for finding in findings.values()} == {False}


def test_the_pod_on_its_way_out_does_not_stand_for_the_one_that_came_after() -> None:
    def replaced(world: World) -> None:
        second_pod(world)
        world.the(POD_KIND)["metadata"]["deletionTimestamp"] = "now"

    assert "kgg7b" not in look(broken(replaced).seen())["pod"].found


def test_a_pod_that_has_ended_is_no_user_of_the_claim() -> None:
    findings = look(broken(stranger("node-2", phase="Succeeded")).seen())
    assert findings["pod"].ok, f"it holds nothing any more: {findings['pod'].hint}"


def test_commands_name_what_the_learner_has() -> None:
    seen = World().seen()
    commands = {step.key: step.command(seen) for step in STEPS}
    assert commands["claim-bound"] == "kubectl get pvc nfs-pvc"
    assert VOLUME in commands["attached"]
    assert not [command for command in commands.values() if "<" in command or "{" in command]


def test_commands_say_the_namespace_where_it_is_not_the_default() -> None:
    world = World()
    world.config["servers"] = '["team-a/nfs-server"]'
    world.outputs["servers"] = {"team-a/nfs-server": world.outputs["servers"]["nfs-server"]}
    for thing in world.things:
        if "namespace" in thing["metadata"]:
            thing["metadata"]["namespace"] = "team-a"
    seen = world.seen()
    assert [key for key, finding in look(seen).items() if not finding.ok] == []
    asked = [step.command(seen) for step in STEPS if step.key in ("claim-bound", "pod", "deployment")]
    assert all("-n team-a" in command for command in asked), asked
    assert seen.pod
    assert seen.pod["metadata"]["name"] == POD


def test_each_of_several_servers_is_judged_by_its_own_things() -> None:
    world = World()
    world.config["servers"] = '["nfs-server", "archive-server"]'
    first, second = world.snapshots()
    assert {finding.ok for finding in look(first).values()} == {True}
    verdicts = {key: finding.ok for key, finding in look(second).items()}
    assert verdicts.pop("default-class"), "the class is everybody's"
    assert set(verdicts.values()) == {False}, "the other one's things were taken for its own"
