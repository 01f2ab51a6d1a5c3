"""The tour judges what it observes, on both targets."""

from dataclasses import replace
from typing import Any

import pytest

from components.settings.tour_plan import WAYS, Way
from lab.tour_observations import (
    Observation,
    grown_volumes,
    judge_crash,
    judge_deletion,
    judge_growth,
    judge_objects,
    observe,
    ready_pod,
)

BY_NAME = {way.name: way for way in WAYS}
BEFORE = Observation("p-1", "u1", "node-1", "c", "pv", "vol-1", 0, ("p-1",))
AFTER = Observation("p-2", "u2", "node-1", "c", "pv", "vol-1", 0, ("p-1", "p-2"))
FORGOT = replace(AFTER, journal=("p-2",))


def pod(name: str, role: str, ready: bool = True, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": {"role": role}},
        "spec": {"nodeName": "node-1", **spec},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def bound(claim: str, pv: str, **source: Any) -> list[dict[str, Any]]:
    return [
        {
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim, "uid": f"uid-{claim}"},
            "spec": {"volumeName": pv},
        },
        {"kind": "PersistentVolume", "metadata": {"name": pv}, "spec": source},
    ]


def test_claim_is_followed_down_to_the_ebs_volume() -> None:
    things = [
        pod("dynamic-1", "dynamic", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "dynamic"}}]),
        *bound("dynamic", "pvc-1", csi={"volumeHandle": "vol-1"}),
    ]
    assert observe(things, "dynamic") == Observation(
        "dynamic-1", "uid-dynamic-1", "node-1", "uid-dynamic", "pvc-1", "vol-1"
    )


def test_share_is_followed_directly_and_through_a_claim() -> None:
    nfs = {"server": "10.0.0.9", "path": "/"}
    direct = observe([pod("a", "nfs", volumes=[{"name": "data", "nfs": nfs}])], "nfs")
    things = [
        pod("b", "static", volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "static"}}]),
        *bound("static", "tour-static", nfs=nfs),
    ]
    static = observe(things, "static")
    assert direct is not None
    assert static is not None
    assert (direct.volume, static.volume) == ("10.0.0.9:/", "10.0.0.9:/")


def test_pod_being_deleted_or_not_ready_does_not_count() -> None:
    going = pod("old", "nfs")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert ready_pod([going, pod("new", "nfs", ready=False)], "nfs") is None, "the comparison would be with itself"


def test_another_volume_fails_with_both_ids() -> None:
    assert judge_objects(BEFORE, AFTER).ok is True
    lost = judge_objects(BEFORE, replace(AFTER, pv="pv-2", volume="vol-2"))
    assert lost.ok is False
    assert "vol-1" in lost.found
    assert "vol-2" in lost.found
    assert judge_objects(BEFORE, replace(AFTER, claim_uid="c2")).ok is False, "a claim of the same name is another one"


def test_pod_that_was_not_replaced_proves_nothing() -> None:
    assert judge_objects(BEFORE, replace(AFTER, pod_uid="u1")).ok is False


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_bytes_of_each_way_are_compared_with_the_plan(way: Way) -> None:
    assert judge_deletion(way, BEFORE, AFTER).ok is way.survives_pod
    assert judge_deletion(way, BEFORE, FORGOT).ok is not way.survives_pod
    assert judge_crash(way, BEFORE, replace(AFTER, pod_uid="u1")).ok is way.survives_crash
    assert judge_crash(way, BEFORE, replace(FORGOT, pod_uid="u1")).ok is not way.survives_crash


def test_a_crashed_pods_own_new_line_is_not_the_old_one() -> None:
    again = replace(BEFORE, restarts=1)
    assert "lost" in judge_crash(BY_NAME["no-volume"], BEFORE, again).found, "the Pod has the same name after a crash"
    kept = replace(again, journal=("p-1", "p-1"))
    assert "kept" in judge_crash(BY_NAME["empty-dir"], BEFORE, kept).found


def test_a_replaced_pod_proves_nothing_about_a_crash() -> None:
    assert judge_crash(BY_NAME["dynamic"], BEFORE, AFTER).ok is False


def test_host_path_loses_its_bytes_on_another_node_only() -> None:
    elsewhere = replace(FORGOT, node="node-2")
    assert judge_deletion(BY_NAME["host-path"], BEFORE, elsewhere).ok is True
    assert judge_deletion(BY_NAME["host-path"], BEFORE, FORGOT).ok is False


@pytest.mark.parametrize("way", [way for way in WAYS if way.survives_pod], ids=lambda way: way.name)
def test_a_journal_that_could_not_be_read_is_not_kept(way: Way) -> None:
    assert judge_deletion(way, BEFORE, replace(AFTER, journal=())).ok is False
    assert judge_deletion(way, replace(BEFORE, journal=()), AFTER).ok is False


def test_growth_passes_with_a_volume_for_each_pod() -> None:
    one, three = {"data-growing-0": "vol-0"}, {f"data-growing-{n}": f"vol-{n}" for n in range(3)}
    assert judge_growth(one, three, three, 3).ok is True
    assert "vol-1, vol-2" in judge_growth(one, three, three, 3).found
    assert judge_growth(three, three, three, 3).ok is True, "a second tour finds the volumes of the first"
    assert judge_growth(one, three | {"data-growing-2": "vol-1"}, three, 3).ok is False, "two Pods share a volume"
    assert judge_growth(one, one, one, 3).ok is False, "no volume was made"
    assert judge_growth(one, three, one, 3).ok is False, "scaling down deleted the data"
    assert judge_growth({"data-growing-0": "vol-9"}, three, three, 3).ok is False, "the first one's data are lost"


def test_claim_without_volume_does_not_count_as_grown() -> None:
    things = [*bound("data-growing-0", "pvc-0", csi={"volumeHandle": "vol-0"}), *bound("data-growing-1", "", csi={})]
    assert grown_volumes(things, 3) == {"data-growing-0": "vol-0"}
