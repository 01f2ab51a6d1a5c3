"""NfsClients: many Pods on one share, by an address that nodes know, gone before their server."""

from tests.unit.mocks import Deployed, Registered
from tests.unit.test_program import CLAIM, DEPLOYMENT, SERVICE, run, run_with_everybody

VOLUME = "kubernetes:core/v1:PersistentVolume"
CLIENTS = "storage-lab:index:NfsClients"


def of_the_clients(deployed: Deployed, *types: str) -> list[Registered]:
    components = {one.urn for one in deployed.all(CLIENTS)}
    return [one for type_ in types for one in deployed.all(type_) if one.parent in components]


def test_the_share_is_reached_by_address_and_port_in_every_namespace() -> None:
    deployed = run_with_everybody()
    for volume in of_the_clients(deployed, VOLUME):
        assert volume.inputs["spec"]["nfs"] == {"server": "10.0.0.17", "path": "/"}, (
            "a node mounts the share, and no node resolves the name of a Service"
        )
    places = [one.inputs["metadata"]["namespace"] for one in of_the_clients(deployed, CLAIM, DEPLOYMENT)]
    assert sorted(set(places)) == ["default", "team"]


def test_volume_and_claim_are_for_many_and_for_each_other_only() -> None:
    deployed = run_with_everybody()
    claims = {one.inputs["spec"]["volumeName"]: one.inputs for one in of_the_clients(deployed, CLAIM)}
    assert set(claims) == {"default.nfs-server-share", "team.media-share"}
    for volume in of_the_clients(deployed, VOLUME):
        spec, claim = volume.inputs["spec"], claims[volume.inputs["metadata"]["name"]]
        assert spec["claimRef"] == {key: claim["metadata"][key] for key in ("namespace", "name")}
        assert spec["accessModes"] == claim["spec"]["accessModes"] == ["ReadWriteMany"]
        assert (spec["storageClassName"], claim["spec"]["storageClassName"]) == ("", ""), (
            "the default class would step in"
        )
        assert spec["capacity"] == claim["spec"]["resources"]["requests"] == {"storage": "3Gi"}
        assert spec["persistentVolumeReclaimPolicy"] == "Retain", "nobody can delete a share by its PersistentVolume"


def test_a_server_that_is_gone_does_not_hold_the_clients_for_ever() -> None:
    [volume] = of_the_clients(run(nfsClients="3"), VOLUME)
    options = volume.inputs["spec"]["mountOptions"]
    assert "nfsvers=4.1" in options, "version 3 needs more ports than 2049"
    assert "soft" in options, "hard waits for ever, and so would every destroy"
    seconds = sum(int(one.partition("=")[2]) for one in options if one.startswith("timeo=")) / 10
    retries = sum(int(one.partition("=")[2]) for one in options if one.startswith("retrans="))
    assert 0 < sum(seconds * (turn + 1) for turn in range(retries + 1)) <= 60, "a node would hang for minutes"


def test_the_asked_number_of_clients_is_spread_over_the_nodes() -> None:
    deployed = run(nfsClients="3")
    assert len(deployed.all("kubernetes:core/v1:Node")) == 2, "on one node nothing is shared between nodes"
    workloads = {one.inputs["metadata"]["name"]: one.inputs["spec"] for one in of_the_clients(deployed, DEPLOYMENT)}
    assert set(workloads) == {"nfs-server-writer", "nfs-server-reader"}
    for name, spec in workloads.items():
        assert spec["replicas"] == 3
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"] == labels
        assert "role" not in labels, "a server selects by role, and might take the client for one of its own"
        [spread] = spec["template"]["spec"]["topologySpreadConstraints"]
        assert (spread["topologyKey"], spread["maxSkew"]) == ("kubernetes.io/hostname", 1)
        assert spread["labelSelector"]["matchLabels"] == labels, "it would count other Pods"
        [container] = spec["template"]["spec"]["containers"]
        assert container["volumeMounts"][0]["readOnly"] is (name == "nfs-server-reader")


def test_a_destroy_deletes_clients_before_server_and_nodes() -> None:
    deployed = run_with_everybody()
    for server in ("nfs-server", "team/media"):
        ahead = {deployed.one(DEPLOYMENT, server).urn, deployed.one(SERVICE, server).urn}
        component = deployed.one(CLIENTS, f"{server}-clients")
        of_it = [one for one in of_the_clients(deployed, DEPLOYMENT, CLAIM, VOLUME) if one.parent == component.urn]
        assert len(of_it) == 4
        for one in of_it:
            assert ahead <= deployed.needs(one), f"{one.name} would hang on a share whose server is gone"
    stop = deployed.one("pulumi-python:dynamic/storage-lab:ForeignUsers")
    for one in of_the_clients(deployed, DEPLOYMENT):
        assert one.urn in deployed.needs(stop)
