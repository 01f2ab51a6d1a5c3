"""NfsServer: everything that the lab's text demands, and what makes it reusable."""

from functools import cache
from typing import Any

import pulumi
import pytest

from components.nfs_server import NfsServer, NfsServerArgs
from tests.unit.conftest import CLOUD, VOLUME
from tests.unit.mocks import Deployed, deploy

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"
BOUND_CLAIM = "kubernetes:core/v1:PersistentVolumeClaimPatch"
BOUND_VOLUME = "kubernetes:core/v1:PersistentVolumePatch"
COMPONENT = "storage-lab:index:NfsServer"


@cache
def lab(name: str = "nfs-server", preview: bool = False, **args: Any) -> Deployed:
    return deploy(lambda: NfsServer(name, NfsServerArgs(**args)), outputs=CLOUD, preview=preview)


def test_the_claim_is_the_one_of_the_labs_text() -> None:
    claim = lab().one(CLAIM).inputs
    assert claim["metadata"]["name"] == "nfs-pvc"
    assert claim["metadata"]["labels"] == {"role": "nfs-server"}
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}, (
        "a storageClassName, even an empty one, would keep the default class from being used"
    )


def test_the_deployment_is_the_one_of_the_labs_text() -> None:
    deployment = lab(image="k8s.gcr.io/volume-nfs:0.8").one(DEPLOYMENT).inputs
    spec = deployment["spec"]
    assert deployment["metadata"]["name"] == "nfs-server"
    assert deployment["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}, (
        "after a kubectl scale the next up would end in a conflict over the replicas"
    )
    assert spec["replicas"] == 1
    assert spec["selector"]["matchLabels"] == {"role": "nfs-server"}
    assert spec["template"]["metadata"]["labels"] == {"role": "nfs-server"}
    assert spec["strategy"] == {"type": "Recreate"}, "a rolling update would wait for ever for a ReadWriteOnce volume"
    [container] = spec["template"]["spec"]["containers"]
    assert container["image"] == "k8s.gcr.io/volume-nfs:0.8"
    assert container["securityContext"] == {"privileged": True}, "without it the server does not serve"
    assert container["readinessProbe"]["tcpSocket"] == {"port": 2049}, "without it a pod that serves nothing is ready"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"nfs": 2049, "mountd": 20048, "rpcbind": 111}


def test_the_claim_is_mounted_at_exports() -> None:
    pod = lab().one(DEPLOYMENT).inputs["spec"]["template"]["spec"]
    [volume] = pod["volumes"]
    [mount] = pod["containers"][0]["volumeMounts"]
    assert volume["persistentVolumeClaim"] == {"claimName": "nfs-pvc"}
    assert mount == {"name": volume["name"], "mountPath": "/exports"}


def test_a_claim_that_is_bound_already_is_not_waited_for() -> None:
    assert lab().one(CLAIM).inputs["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true", (
        "Pulumi waits for it to be Pending, for five minutes, and fails"
    )


@pytest.mark.parametrize("kind", [CLAIM, SERVICE])
def test_an_object_names_the_server_that_created_it(kind: str) -> None:
    first, second = (lab(name=name, server_name="files").one(kind) for name in ("files", "share"))
    owners = [one.inputs["metadata"]["annotations"]["storage-lab/owner"] for one in (first, second)]
    assert owners[0].endswith("storage-lab:index:NfsServer::files"), "it is the address in the state"
    assert owners[0] != owners[1], "the API server would let one server take over the object of the other"
    assert 'metadata.annotations["storage-lab/owner"]' in first.options.ignoreChanges, (
        "a server with an alias, or a stack of version 0.3, would have something to change"
    )


def test_the_claim_owns_the_deployment() -> None:
    [owner] = lab().one(DEPLOYMENT).inputs["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("PersistentVolumeClaim", "nfs-pvc", "claim-uid"), (
        "a Deployment that an interrupted update did not record would keep its claim from going"
    )


def test_the_service_selects_the_pod_and_has_the_ports_of_nfs() -> None:
    service = lab().one(SERVICE).inputs
    assert service["metadata"]["name"] == "nfs-server"
    assert service["spec"]["selector"] == {"role": "nfs-server"}
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == {
        "nfs": 2049,
        "mountd": 20048,
        "rpcbind": 111,
    }


def test_nothing_is_read_for_pulumi_would_repeat_it_in_every_update() -> None:
    assert [resource.name for resource in lab().resources.values() if resource.read] == []


def test_every_child_belongs_to_the_component() -> None:
    deployed = lab()
    component = deployed.one(COMPONENT)
    children = [resource for resource in deployed.resources.values() if resource is not component]
    assert len(children) == 5
    assert {child.parent for child in children} == {component.urn}, "depends_on of the component reaches only children"


def test_every_child_uses_the_components_provider() -> None:
    import pulumi_kubernetes as kubernetes

    def program() -> None:
        provider = kubernetes.Provider("elsewhere", kubeconfig="a kubeconfig")
        NfsServer("nfs-server", {}, opts=pulumi.ResourceOptions(provider=provider))

    deployed = deploy(program, outputs=CLOUD)
    provider = deployed.one("pulumi:providers:kubernetes")
    for resource in deployed.resources.values():
        if resource.type.startswith("kubernetes:"):
            assert resource.provider.startswith(provider.urn), f"{resource.name} would go to the shell's own cluster"


def test_claim_deployment_and_service_are_created_in_this_order() -> None:
    deployed = lab()
    service, deployment, claim = deployed.one(SERVICE), deployed.one(DEPLOYMENT), deployed.one(CLAIM)
    assert deployment.urn in service.dependencies, "a Service waits for an endpoint, in vain before the Deployment"
    assert claim.urn in deployment.dependencies


def test_a_deployment_has_five_minutes_to_start() -> None:
    timeouts = lab().one(DEPLOYMENT).options.customTimeouts
    assert (timeouts.create, timeouts.update) == ("5m", "5m")


def test_two_servers_in_one_namespace_never_select_each_others_pods() -> None:
    deployed = deploy(lambda: [NfsServer("nfs-server", {}), NfsServer("media", {})], outputs=CLOUD)
    for type_ in (DEPLOYMENT, SERVICE):
        names = [resource.inputs["metadata"]["name"] for resource in deployed.all(type_)]
        assert names == ["nfs-server", "media"]
    selectors = [resource.inputs["spec"]["selector"] for resource in deployed.all(SERVICE)]
    assert selectors == [{"role": "nfs-server"}, {"role": "media"}]
    claims = [claim.inputs["metadata"]["name"] for claim in deployed.all(CLAIM)]
    assert claims == ["nfs-pvc", "media-pvc"]


def test_every_argument_arrives_also_as_an_output() -> None:
    def program() -> NfsServer:
        given = {"server_name": "files", "namespace": "team", "storage": "5Gi", "image": "a/b:1", "claim_name": "kept"}
        return NfsServer("x", {key: pulumi.Output.from_input(value) for key, value in given.items()})  # type: ignore

    deployed = deploy(program, outputs=CLOUD)
    for type_ in (DEPLOYMENT, SERVICE):
        metadata = deployed.one(type_).inputs["metadata"]
        assert (metadata["name"], metadata["namespace"]) == ("files", "team")
    claim = deployed.one(CLAIM).inputs
    assert (claim["metadata"]["name"], claim["metadata"]["namespace"]) == ("kept", "team")
    assert claim["spec"]["resources"]["requests"]["storage"] == "5Gi"
    pod = deployed.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "a/b:1"
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == "kept"


def test_the_knobs_of_the_pod_arrive() -> None:
    deployed = deploy(
        lambda: NfsServer(
            "files",
            {
                "requests": {"cpu": "100m"},
                "limits": {"memory": "1Gi"},
                "node_selector": {"disk": "fast"},
                "tolerations": [{"key": "storage", "operator": "Exists"}],
                "labels": {"team": "a", "role": "mine"},
                "annotations": {"backup": "daily"},
                "storage_class": "slow",
            },
        ),
        outputs=CLOUD,
    )
    template = deployed.one(DEPLOYMENT).inputs["spec"]["template"]
    pod = template["spec"]
    assert pod["containers"][0]["resources"] == {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}
    assert pod["nodeSelector"] == {"disk": "fast"}
    assert pod["tolerations"] == [{"key": "storage", "operator": "Exists"}]
    claim = deployed.one(CLAIM).inputs
    assert claim["spec"]["storageClassName"] == "slow"
    for metadata in (template["metadata"], claim["metadata"], deployed.one(SERVICE).inputs["metadata"]):
        assert metadata["labels"] == {"team": "a", "role": "files"}, "the Service would select no Pod"
        assert metadata["annotations"]["backup"] == "daily"
    assert claim["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"
    assert deployed.one(DEPLOYMENT).inputs["spec"]["selector"]["matchLabels"] == {"role": "files"}, "it is immutable"


def test_an_existing_claim_is_used_and_stays() -> None:
    deployed = lab(existing_claim="kept")
    assert not deployed.all(CLAIM), "a destroy would delete it"
    deployment = deployed.one(DEPLOYMENT).inputs
    [volume] = deployment["spec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": "kept"}
    assert "ownerReferences" not in deployment["metadata"]
    assert deployed.value(deployed.result.volume_id) == VOLUME


def test_a_claim_from_a_snapshot_names_it_as_its_source() -> None:
    claim = lab(from_snapshot="monday").one(CLAIM)
    assert claim.inputs["spec"]["dataSource"] == {
        "apiGroup": "snapshot.storage.k8s.io",
        "kind": "VolumeSnapshot",
        "name": "monday",
    }
    assert "spec.dataSource" in claim.options.ignoreChanges, (
        "Kubernetes refuses another source, a replacement loses data"
    )
    assert "spec.dataSource" in lab().one(CLAIM).options.ignoreChanges, "a program that no longer names it would fail"


@pytest.mark.parametrize("protect", [True, False])
def test_the_claim_is_protected_unless_the_program_says_no(protect: bool) -> None:
    deployed = lab() if protect else lab(protect=False)
    assert deployed.one(CLAIM).options.protect is protect, "a reorganised program would delete the data"
