"""PersistenceTour: the ways side by side, nothing of them left behind, and none that outlives its server."""

from collections.abc import Sequence
from typing import Any

import pytest

from components.guards.foreign_users import foreign_users
from components.settings import BadSettings, parse
from components.settings.tour_plan import GROWTH, OWNED_CLAIMS, SIGNED, STATEFUL_SET, WAYS, grown_claim
from tests.unit.components.guards.kubernetes_objects import Kubernetes, claim, pod, replica_set, using
from tests.unit.mocks import Deployed, Registered
from tests.unit.test_program import BARRIER, CLAIM, CONTROL_PLANE, DEPLOYMENT, NAMESPACE, SERVICE, run

VOLUME = "kubernetes:core/v1:PersistentVolume"
SET = "kubernetes:apps/v1:StatefulSet"
STOP = "pulumi-python:dynamic/storage-lab:ForeignUsers"
TOUR = "storage-lab:index:PersistenceTour"


def of_the_tour(deployed: Deployed, *types: str) -> list[Registered]:
    component = deployed.one(TOUR)
    return [one for type_ in types for one in deployed.all(type_) if one.parent == component.urn]


def pods(deployed: Deployed) -> dict[str, Any]:
    return {
        one.inputs["metadata"]["name"]: one.inputs["spec"]["template"]["spec"]
        for one in of_the_tour(deployed, DEPLOYMENT)
    }


def sources(deployed: Deployed) -> dict[str, Any]:
    """What each way keeps its data in, without the volume's name."""
    return {
        way: [{key: value for key, value in volume.items() if key != "name"} for volume in spec.get("volumes", [])]
        for way, spec in pods(deployed).items()
    }


def test_there_is_no_tour_and_no_client_unless_asked_for() -> None:
    deployed = run()
    assert not deployed.all(TOUR)
    assert not deployed.all("storage-lab:index:NfsClients")
    assert not deployed.all(NAMESPACE)
    assert deployed.one(STOP).inputs["own"] == [{"namespace": "default", "claim": "nfs-pvc", "server": "nfs-server"}]


def test_the_ways_stand_side_by_side_each_with_another_keeper() -> None:
    assert sources(run(tour="true")) == {
        "no-volume": [],
        "empty-dir": [{"emptyDir": {}}],
        "host-path": [{"hostPath": {"path": "/var/lib/storage-lab-tour", "type": "DirectoryOrCreate"}}],
        "nfs": [{"nfs": {"server": "10.0.0.17", "path": "/"}}],
        "static": [{"persistentVolumeClaim": {"claimName": "static"}}],
        "dynamic": [{"persistentVolumeClaim": {"claimName": "dynamic"}}],
    }


def test_every_pod_signs_a_journal_in_the_place_that_its_way_keeps() -> None:
    for way, spec in pods(run(tour="true")).items():
        [container] = spec["containers"]
        assert f"hostname >> /data/{way}.journal" in container["command"][-1]
        mounts = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
        assert mounts == (["/data"] if way != "no-volume" else []), "a journal elsewhere would tell of another way"
        assert container["readinessProbe"]["exec"]["command"] == ["test", "-e", SIGNED]
        assert f"&& touch {SIGNED} &&" in container["command"][-1]
        assert not SIGNED.startswith("/data/"), "a container would be ready with the signature of one before"


def test_only_its_own_claim_can_bind_the_static_volume() -> None:
    deployed = run(tour="true")
    [volume] = of_the_tour(deployed, VOLUME)
    [static] = [one for one in of_the_tour(deployed, CLAIM) if one.inputs["metadata"]["name"] == "static"]
    spec = volume.inputs["spec"]
    assert spec["claimRef"] == {"namespace": "tour", "name": "static"}
    assert spec["nfs"] == {"server": "10.0.0.17", "path": "/"}
    assert spec["persistentVolumeReclaimPolicy"] == "Retain", "Delete has no meaning for an NFS share, and would fail"
    assert (spec["storageClassName"], static.inputs["spec"]["storageClassName"]) == ("", ""), (
        "without it on the claim, the default class would make an EBS volume and nothing would be static"
    )
    assert static.inputs["spec"]["volumeName"] == "tour-static"


def test_the_dynamic_claim_names_neither_class_nor_volume() -> None:
    [dynamic] = [one for one in of_the_tour(run(tour="true"), CLAIM) if one.inputs["metadata"]["name"] == "dynamic"]
    assert dynamic.inputs["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


def test_claims_outlive_a_pod_of_the_stateful_set_but_not_the_set() -> None:
    growing = run(tour="true").one(SET).inputs
    assert growing["spec"]["persistentVolumeClaimRetentionPolicy"] == {
        "whenScaled": "Retain",
        "whenDeleted": "Delete",
    }, "the claims are not in Pulumi's state: each that stays is an EBS volume that nobody deletes"
    [template] = growing["spec"]["volumeClaimTemplates"]
    [container] = growing["spec"]["template"]["spec"]["containers"]
    assert [mount["name"] for mount in container["volumeMounts"]] == [template["metadata"]["name"]]
    assert growing["spec"]["replicas"] == 1
    assert growing["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}, (
        "after a kubectl scale the next up would end in a conflict over the replicas"
    )


def test_selectors_are_those_of_their_pods_and_nobody_elses() -> None:
    workloads = of_the_tour(run(tour="true"), DEPLOYMENT, SET)
    labels = [one.inputs["spec"]["selector"]["matchLabels"] for one in workloads]
    assert labels == [one.inputs["spec"]["template"]["metadata"]["labels"] for one in workloads]
    assert len(labels) == len(WAYS) + 1, "two share a selector"
    assert {one["role"] for one in labels} == {*(way.name for way in WAYS), STATEFUL_SET}


def test_a_destroy_deletes_the_tour_before_server_and_barrier() -> None:
    deployed = run(tour="true")
    [server] = [one for one in deployed.all(SERVICE) if one.name == "nfs-server"]
    first = [server, deployed.one(DEPLOYMENT, "nfs-server"), deployed.one(BARRIER), deployed.one(CONTROL_PLANE)]
    everything = of_the_tour(deployed, DEPLOYMENT, SET, CLAIM, VOLUME)
    assert len(everything) == len(WAYS) + 1 + 2 + 1
    for one in everything:
        for keeper in first:
            assert keeper.urn in deployed.needs(one), f"{one.name} could outlive {keeper.name}, and hang or leak"
    nodes = deployed.all("kubernetes:core/v1:Node")
    component = deployed.one(TOUR)
    assert {node.urn for node in nodes} <= component.dependencies, (
        "turned off, the tour takes a node along: its Pods there would have nobody left to end them"
    )


def test_foreign_users_are_looked_for_before_the_tour_is_deleted() -> None:
    deployed = run(tour="true")
    stop = deployed.one(STOP)
    for one in of_the_tour(deployed, DEPLOYMENT, SET, CLAIM):
        assert one.urn in deployed.needs(stop), f"{one.name} would be deleted before anybody looked"
    assert stop.inputs["own"][1:] == list(OWNED_CLAIMS)


def test_the_barrier_comes_before_the_tours_namespace_is_deleted() -> None:
    deployed = run(tour="true")
    namespace = deployed.one(NAMESPACE)
    assert namespace.inputs["metadata"]["name"] == "tour"
    assert namespace.urn in deployed.needs(deployed.one(BARRIER))


def test_an_unrecorded_workload_is_deleted_with_the_barriers_claim() -> None:
    deployed = run(tour="true")
    assert {"namespace": "tour", "claim": "dynamic", "server": "dynamic"} in deployed.one(BARRIER).inputs["own_claims"]
    for name in ("dynamic", STATEFUL_SET):
        [workload] = [one for one in of_the_tour(deployed, DEPLOYMENT, SET) if one.inputs["metadata"]["name"] == name]
        [owner] = workload.inputs["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("PersistentVolumeClaim", "dynamic"), name


def cluster(*more: Any) -> Kubernetes:
    """The tour grown to its full size."""
    grown: Sequence[str] = [grown_claim(ordinal) for ordinal in range(max(GROWTH))]
    return Kubernetes(
        claim("dynamic", namespace="tour"),
        replica_set("dynamic-5f", of="Deployment dynamic", namespace="tour"),
        pod("dynamic-5f-1", using("dynamic"), namespace="tour", of="ReplicaSet dynamic-5f"),
        *(claim(name, namespace="tour") for name in grown),
        *(pod(name, using(name), namespace="tour", of=f"StatefulSet {STATEFUL_SET}") for name in grown),
        *more,
    )


def test_no_claim_of_the_grown_stateful_set_is_foreign() -> None:
    further = claim("data-growing-17", namespace="tour")
    assert foreign_users(cluster(further), "ebs", OWNED_CLAIMS) == []


@pytest.mark.parametrize(
    ("stranger", "said"),
    [
        (claim("data-growing-mine", namespace="tour"), "claim tour/data-growing-mine has its volume from"),
        (claim("data-growing-0", namespace="default"), "claim default/data-growing-0 has its volume from"),
        (pod("snooper", using("data-growing-1"), namespace="tour"), "Pod tour/snooper uses the lab's claim"),
    ],
)
def test_others_in_the_tours_namespace_are_foreign_all_the_same(stranger: Any, said: str) -> None:
    [line] = foreign_users(cluster(stranger), "ebs", OWNED_CLAIMS)
    assert line.startswith(said)


def test_with_the_tour_there_are_two_nodes_and_volumes_enough() -> None:
    assert parse({"target": "local", "tour": "true"}).nodes == 2
    servers = [f"s{number}" for number in range(49)]
    text = "[" + ",".join(f'"{name}"' for name in servers) + "]"
    assert parse({"target": "local", "tour": "true", "servers": text}).nodes == 3, (
        "49 servers and 4 volumes of the tour"
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tour": "yes"}, 'storage-lab:tour "yes" is neither; accepted is true or false'),
        ({"tour": "true", "nodes": "1"}, 'storage-lab:nodes "1" is too few for tour and nfsClients'),
        ({"tour": "true", "servers": '["tour/nfs-server"]'}, "has one in the namespace tour, which is the tour's"),
        ({"nfsClients": "51"}, 'storage-lab:nfsClients "51" cannot be used; accepted is a whole number from 0 to 50'),
        ({"nfsClients": "1", "nodes": "1"}, 'storage-lab:nodes "1" is too few for tour and nfsClients'),
    ],
)
def test_a_bad_choice_is_one_sentence(values: dict[str, str], said: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        parse({"target": "local", **values})
    [problem] = refusal.value.problems
    assert said in problem
