"""News in, chains and sentences out: a recorded day of a lab, told again."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.chain import MISSING
from lab.live import ASKING, Live, broken_links
from lab.reading.ec2 import Ec2Seen
from lab.reading.world import EC2, KUBERNETES, Away, Changed, Ec2Told, Listed, News, StackRead
from tests.unit.lab.fake_lab import INSTANCE, POD, VOLUME, FakeLab
from tests.unit.lab.watch.recorded import recorded, stack

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(live: Live, *news: News, now: datetime = NOON) -> list[str]:
    return [str(sentence) for one in news for sentence in live.take(one, now)]


def ec2(lab: FakeLab) -> Ec2Told:
    return Ec2Told(
        Ec2Seen(
            {one["VolumeId"]: one for one in lab.volumes},
            {one["InstanceId"]: one for one in lab.instances},
            {one["SnapshotId"]: one for one in lab.ebs_snapshots},
        )
    )


def watched(lab: FakeLab | None = None) -> tuple[Live, FakeLab]:
    """Return a model that knows a whole lab, and the lab."""
    lab = lab or FakeLab()
    live = Live(lab.stack)
    told(live, Listed(deepcopy(lab.things)), ec2(lab))
    live.look()
    return live, lab


def changed(lab: FakeLab, kind: str, **status: Any) -> Changed:
    thing = deepcopy(lab.the(kind))
    thing["status"] = {**thing.get("status", {}), **status}
    return Changed(thing)


def in_order(said: Sequence[str], *words: str) -> list[str]:
    """Return the words that no sentence has, each looked for after the one before."""
    rest = iter(said)
    return [word for word in words if not any(word in line for line in rest)]


def the_day() -> list[str]:
    live = Live(stack())
    return [str(sentence) for at, news in recorded() for sentence in live.take(news, at)]


def test_deleted_pod_is_told_with_the_volume_that_stays() -> None:
    missing = in_order(
        the_day(),
        "nfs-server: the chain holds, from Pod nfs-server-",
        "is being deleted.",
        "is created for Deployment nfs-server.",
        "is gone; the volume vol-99f696dc05a59a2c9 stays, still attached to node-1.",
        "is ready on node-1, with the volume vol-99f696dc05a59a2c9 at /exports.",
    )
    assert missing == []


def test_crashed_container_is_told_as_such() -> None:
    missing = in_order(
        the_day(),
        "ended with exit code 143; the Pod, its node and its volumes stay.",
        "is started again (restart 1).",
        "is no longer ready.",
        "is ready on node-1",
    )
    assert missing == []


def test_scaling_to_zero_and_back_moves_the_volume() -> None:
    missing = in_order(
        the_day(),
        "Deployment nfs-server is scaled from 1 to 0.",
        "Service nfs-server leads to no Pod.",
        "vol-99f696dc05a59a2c9 is detached from node-1.",
        "EC2: vol-99f696dc05a59a2c9 is available, 1 GiB, attached to nothing.",
        "Deployment nfs-server is scaled from 0 to 1.",
        "Kubernetes warns about Pod nfs-server-",
        "vol-99f696dc05a59a2c9 is attached to node-1.",
    )
    assert missing == []


def test_cluster_that_went_and_came_back_is_told_once() -> None:
    said = the_day()
    assert in_order(said, "Kubernetes does not answer: the connection was closed.", "Kubernetes answers again.") == []
    live, _ = watched()
    away = Away(KUBERNETES, "All connection attempts failed")
    assert len(told(live, away, away, away)) == 1, "a sentence for every attempt buries the others"


def test_changes_while_the_cluster_was_away_are_told() -> None:
    live, lab = watched()
    told(live, Away(KUBERNETES, "gone"))
    lab.remove("Pod")
    said = told(live, Listed(lab.things))
    assert in_order(said, "Kubernetes answers again.", f"Pod {POD} is gone; the volume {VOLUME} stays") == []


def test_first_list_is_one_sentence() -> None:
    live, lab = Live(FakeLab().stack), FakeLab()
    assert told(live, Listed(lab.things)) == [], "EC2 has not told yet whether the chain holds"
    assert told(live, ec2(lab)) == [
        f"12:00:00 nfs-server: the chain holds, from Pod {POD} to the volume {VOLUME} on the instance {INSTANCE}."
    ]


def test_broken_chain_is_told_at_the_start() -> None:
    lab = FakeLab()
    lab.remove("Pod")
    live = Live(lab.stack)
    said = told(live, Listed(lab.things), ec2(lab))
    assert len(said) == 1
    assert f"the chain is broken at nfs-server (Pod {MISSING}" in said[0]


def test_ec2_that_has_not_answered_is_not_a_broken_chain() -> None:
    live = Live(FakeLab().stack)
    told(live, Listed(FakeLab().things))
    [chain] = live.look()
    assert [link.state for link in chain.links][-2:] == [ASKING, ASKING]
    assert broken_links(chain) == ""
    assert VOLUME in [link.name for link in chain.links], "Kubernetes knows the volume already"
    assert live.last_change() is None


def test_ec2_away_is_told_and_kubernetes_goes_on() -> None:
    live, lab = watched()
    assert "EC2 does not answer: the EC2 API is slow. Asking again." in told(live, Away(EC2, "the EC2 API is slow"))[0]
    assert f"Pod {POD} is no longer ready." in told(live, changed(lab, "Pod", conditions=[]))[0]
    assert told(live, ec2(lab)) == ["12:00:00 EC2 answers again."]


def test_link_that_changed_last_is_marked() -> None:
    live, lab = watched()
    told(live, changed(lab, "PersistentVolume", phase="Released"), now=NOON)
    live.look()
    told(live, changed(lab, "Pod", conditions=[]), now=NOON + timedelta(seconds=1))
    live.look()
    assert live.last_change() == ("nfs-server", "Pod", 0)
    assert set(live.changed) == {("nfs-server", "Pod", 0), ("nfs-server", "PersistentVolume", 0)}


def test_volume_that_somebody_detaches_in_the_console_is_told() -> None:
    live, lab = watched()
    lab.volumes[0] = {**lab.volumes[0], "State": "available", "Attachments": []}
    assert told(live, ec2(lab)) == [f"12:00:00 EC2: {VOLUME} is available, 1 GiB, attached to nothing."]
    assert told(live, ec2(lab)) == [], "nothing is new"
    lab.volumes.clear()
    assert told(live, ec2(lab)) == [f"12:00:00 EC2: {VOLUME} does not exist."]


def test_volume_is_asked_for_until_ec2_has_deleted_it() -> None:
    live, lab = watched()
    lab.remove("PersistentVolume")
    lab.outputs["servers"] = {}
    told(live, Listed(lab.things))
    assert VOLUME in live.ec2_ids().volumes, "nobody would tell when the volume is deleted"
    lab.volumes.clear()
    told(live, ec2(lab))
    assert VOLUME not in live.ec2_ids().volumes


def test_namespaces_of_others_are_not_told() -> None:
    live, lab = watched()
    pod = deepcopy(lab.the("Pod"))
    pod["metadata"] |= {"namespace": "kube-system", "name": "coredns"}
    assert told(live, Changed(pod)) == []


def test_warning_is_told_once_in_one_line() -> None:
    live, _ = watched()
    event = {
        "kind": "Event", "type": "Warning", "reason": "FailedMount", "message": "no\n  such volume",
        "metadata": {"name": "a", "namespace": "default"}, "involvedObject": {"kind": "Pod", "name": POD},
    }  # fmt: skip
    again = {**event, "count": 2}
    assert told(live, Changed(event), Changed(again)) == [
        f"12:00:00 Kubernetes warns about Pod {POD}: FailedMount: no such volume"
    ]
    about = {"kind": "Pod", "namespace": "team-a", "name": POD}
    elsewhere = {**event, "metadata": {"name": "b", "namespace": "default"}, "involvedObject": about}
    assert told(live, Changed(elsewhere)) == [
        f"12:00:00 Kubernetes warns about Pod team-a/{POD}: FailedMount: no such volume"
    ]


def test_clients_and_tour_stand_beside_the_chain() -> None:
    lab = FakeLab()
    lab.config |= {"nfsClients": "1", "tour": "true"}
    for kind in ("writer", "reader"):
        pod = deepcopy(lab.the("Pod"))
        pod["metadata"] |= {
            "name": kind,
            "labels": {"nfs-server": "nfs-server", "nfs-client": kind},
            "ownerReferences": [],
        }
        lab.things.append(pod)
    lab.things[-1]["status"]["conditions"] = []
    live, _ = watched(lab)
    [chain], tour = live.look(), live.tour()
    assert tour
    beside = {link.name: link for link in (*chain.beside, *tour.links)}
    assert beside["nfs-server"].state == "1/1 writers ready, 0/1 readers ready"
    assert not beside["nfs-server"].well
    assert beside["host-path"].state == MISSING
    assert "growing" in beside


def test_configuration_that_changes_is_watched_from_then_on() -> None:
    live, lab = watched()
    lab.config |= {"servers": '["nfs-server", "team-a/nfs-server"]', "tour": "true"}
    assert told(live, StackRead(lab.stack)) == []
    assert [chain.server for chain in live.look()] == ["nfs-server", "team-a/nfs-server"]
    assert live.tour()
    pod = deepcopy(lab.the("Pod"))
    pod["metadata"] |= {"namespace": "team-a", "uid": "another"}
    assert told(live, Changed(pod)), "the new server's namespace is not told"


def test_what_an_up_made_in_a_new_namespace_is_told_when_the_stack_has_it() -> None:
    live, lab = watched()
    pod, foreign = deepcopy(lab.the("Pod")), deepcopy(lab.the("Pod"))
    pod["metadata"] |= {"namespace": "team-a", "uid": "another"}
    foreign["metadata"] |= {"namespace": "kube-system", "uid": "foreign"}
    assert told(live, Changed(pod), Changed(foreign), now=NOON) == [], "the stack has neither namespace"
    told(live, Changed(lab.the("Pod"), deleted=True), now=NOON + timedelta(seconds=1))
    lab.config |= {"servers": '["nfs-server", "team-a/nfs-server"]'}
    said = told(live, StackRead(lab.stack), now=NOON + timedelta(seconds=2))
    assert said, "the birth of the new server would never be told"
    assert all(line.startswith("12:00:00 ") and "team-a/" in line for line in said), said
    whens = [sentence.when for sentence in live.timeline]
    assert whens == sorted(whens), "the timeline is in the order of time"
    assert told(live, StackRead(lab.stack)) == [], "once"
