"""The whole program on the target local, on Pulumi's mocks: what it declares, and the order of a destroy."""

import runpy
from functools import cache

import pulumi
import pytest
from pulumi.output import Unknown
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from tests.unit.conftest import CLOUD, PV, VOLUME
from tests.unit.fresh import ROOT, fresh_components
from tests.unit.mocks import Deployed, deploy

PROGRAM = str(ROOT / "__main__.py")
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
SERVICE = "kubernetes:core/v1:Service"
NAMESPACE = "kubernetes:core/v1:Namespace"
CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
SERVER = "storage-lab:index:NfsServer"
BARRIER = "pulumi-python:dynamic/storage-lab:ReclaimBarrier"
CONTROL_PLANE = "pulumi-python:dynamic/storage-lab:ControlPlane"
INSTANCE = "pulumi-python:dynamic/storage-lab:Ec2Instance"


def run_anew(preview: bool = False, **config: str) -> Deployed:
    return deploy(
        lambda: runpy.run_path(PROGRAM, run_name="__main__"),
        outputs=CLOUD,
        config={f"storage-lab:{key}": value for key, value in {"target": "local", **config}.items()},
        preview=preview,
        stack="local",
    )


# One run of each configuration serves all that is said of it.
run = cache(run_anew)


def run_with_everybody() -> Deployed:
    """Two servers, one in a namespace of its own, and clients of both."""
    servers = '["nfs-server", "team/media"]'
    return run(servers=servers, nfsClients="2", nodes="2", storage="3Gi", reclaimTimeoutSeconds="7")


def test_the_stack_outputs_name_claim_volume_and_server() -> None:
    outputs = dict(run().outputs)
    kubeconfig = outputs.pop("kubeconfig")
    assert is_rpc_secret(kubeconfig), "whoever has it is the cluster's administrator"
    assert unwrap_rpc_secret(kubeconfig) == "a kubeconfig"
    key = outputs.pop("ec2Key")
    assert is_rpc_secret(key), "whoever has it can delete every volume"
    assert set(unwrap_rpc_secret(key)) == {"accessKeyId", "secretAccessKey"}
    server = {
        "pvName": PV,
        "volumeId": VOLUME,
        "volumeName": f"kubernetes-dynamic-{PV}",
        "claimName": "nfs-pvc",
        "nfsServerIp": "10.0.0.17",
    }
    assert outputs == {**server, "servers": {"nfs-server": server}, "ec2Endpoint": "http://127.0.0.1:4566"}


def test_the_first_preview_passes_with_the_ids_unknown() -> None:
    deployed = run(preview=True)
    assert deployed.one(DEPLOYMENT), "the preview shows the lab"
    for name in ("pvName", "volumeId", "volumeName"):
        assert isinstance(deployed.outputs[name], Unknown), f"{name} would be a guess"


def test_a_destroy_deletes_claims_then_barrier_then_the_driver() -> None:
    deployed = run_with_everybody()
    barrier = deployed.one(BARRIER)
    for type_ in (CLAIM, DEPLOYMENT, SERVICE):
        for resource in deployed.all(type_):
            assert barrier.urn in deployed.needs(resource), f"{resource.urn} could outlive the wait for its volume"
    keepers = [
        CLASS,
        CONTROL_PLANE,
        INSTANCE,
        "kubernetes:core/v1:Node",
        "kubernetes:storage.k8s.io/v1:CSINode",
        "kubernetes:storage.k8s.io/v1:CSIDriver",
        "pulumi:providers:kubernetes",
    ]
    for type_ in keepers:
        for resource in deployed.all(type_):
            assert resource.urn in deployed.needs(barrier), f"without {resource.urn} no volume is reclaimed"


def test_a_destroy_looks_for_foreign_users_first() -> None:
    deployed = run_with_everybody()
    stop = deployed.one("pulumi-python:dynamic/storage-lab:ForeignUsers")
    for type_ in (CLAIM, DEPLOYMENT, SERVICE, BARRIER):
        for resource in deployed.all(type_):
            assert resource.urn in deployed.needs(stop), f"{resource.urn} would be deleted before anybody looked"
    [barrier] = deployed.all(BARRIER)
    assert barrier.urn in stop.dependencies, "it deletes claims, also where the state has lost the servers between"
    assert stop.inputs["own"] == [
        {"namespace": "default", "claim": "nfs-pvc", "server": "nfs-server"},
        {"namespace": "team", "claim": "media-pvc", "server": "media"},
    ]
    assert (stop.inputs["storage_class"], stop.inputs["timeout_seconds"]) == ("ebs", 7)


def test_a_destroy_waits_in_the_barrier_before_it_deletes_namespaces() -> None:
    deployed = run_with_everybody()
    namespace = deployed.one(NAMESPACE)
    assert namespace.inputs["metadata"]["name"] == "team"
    assert namespace.urn in deployed.needs(deployed.one(BARRIER))


def test_servers_of_one_name_live_side_by_side_in_their_namespaces() -> None:
    deployed = run(servers='["nfs-server", "team-a/nfs-server", "team-b/nfs-server"]')
    for type_ in (CLAIM, DEPLOYMENT, SERVICE):
        places = [resource.inputs["metadata"]["namespace"] for resource in deployed.all(type_)]
        assert places == ["default", "team-a", "team-b"]
    assert set(deployed.outputs["servers"]) == {"nfs-server", "team-a/nfs-server", "team-b/nfs-server"}
    assert [namespace.name for namespace in deployed.all(NAMESPACE)] == ["team-a", "team-b"]


def test_every_setting_takes_effect() -> None:
    deployed = run(
        region="eu-west-1",
        zone="eu-west-1c",
        storage="3Gi",
        image="registry.example/nfs:2",
        nodes="3",
        reclaimTimeoutSeconds="7",
    )
    control_plane = deployed.one(CONTROL_PLANE).inputs
    assert (control_plane["cloud"], control_plane["region"]) == ("local", "eu-west-1")
    assert {instance.inputs["zone"] for instance in deployed.all(INSTANCE)} == {"eu-west-1c"}
    assert len(deployed.all(INSTANCE)) == 3
    [claim] = deployed.all(CLAIM)
    assert claim.inputs["spec"]["resources"]["requests"]["storage"] == "3Gi"
    [container] = deployed.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/nfs:2"
    assert deployed.one(BARRIER).inputs["timeout_seconds"] == 7
    assert claim.options.customTimeouts.delete == "7s"


@pytest.mark.parametrize(("configured", "waits"), [("7", "60s"), ("120", "120s")])
def test_destroy_waits_for_pods_as_long_as_configured(configured: str, waits: str) -> None:
    deployed = run(nfsClients="1", tour="true", reclaimTimeoutSeconds=configured)
    for workload in (*deployed.all(DEPLOYMENT), *deployed.all(STATEFUL_SET)):
        timeouts = workload.options.customTimeouts
        assert timeouts.delete == waits, "a Pod that is held would not be named for ten minutes, or one that ends fails"
        assert (timeouts.create, timeouts.update) == ("5m", "5m"), "the wait for a start is another one"


def test_the_barrier_looks_for_the_tag_of_the_clusters_volumes() -> None:
    tag = run().one(BARRIER).inputs["volume_tag"]
    assert tag == {"key": "storage-lab", "value": "storage-lab-local"}


def test_every_claim_grows_to_the_setting_after_its_server() -> None:
    deployed = run_with_everybody()
    growth = deployed.one("pulumi-python:dynamic/storage-lab:VolumeGrowth")
    assert growth.inputs["storage"] == "3Gi"
    assert growth.inputs["claims"] == {"default/nfs-pvc": "1Gi", "team/media-pvc": "1Gi"}, "the sizes as they are"
    of_servers = {deployment.urn for deployment in deployed.all(DEPLOYMENT) if "NfsServer" in deployment.urn}
    assert of_servers, "the servers have Deployments"
    assert of_servers <= deployed.needs(growth), "only a bound claim can grow, and its Pod binds it"


def test_pulumi_leaves_the_size_of_a_claim_alone() -> None:
    for claim in run_with_everybody().all(CLAIM):
        assert "spec.resources.requests.storage" in claim.options.ignoreChanges, (
            "after a kubectl patch of the size every up would fail, because Kubernetes makes no claim smaller"
        )


def test_a_local_program_never_loads_the_aws_packages() -> None:
    with fresh_components(without=("pulumi_aws", "pulumi_eks")):
        assert run_anew().one(DEPLOYMENT)


def test_a_bad_configuration_ends_the_program_before_it_declares() -> None:
    with pytest.raises(pulumi.RunError, match="storage-lab:storage"):
        run(storage="much")
