"""NfsServer: everything that the lab's text demands, and what makes it reusable."""

from functools import cache
from typing import Any

import pulumi
import pytest

from components.nfs_server import NfsServer, NfsServerArgs
from tests.unit.conftest import CLOUD, PV, VOLUME
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
    assert list(first.options.ignoreChanges) == ['metadata.annotations["storage-lab/owner"]'], (
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


def test_the_outputs_name_the_volume_that_was_made() -> None:
    deployed = lab()
    server = deployed.result
    assert deployed.value(server.pv_name) == PV
    assert deployed.value(server.volume_id) == VOLUME
    assert deployed.value(server.volume_name) == f"kubernetes-dynamic-{PV}"
    assert deployed.value(server.claim_name) == "nfs-pvc"
    assert deployed.value(server.service_ip) == "10.0.0.17"


@pytest.mark.parametrize("nothing", [None, ""])
def test_outputs_of_a_claim_without_a_volume_are_empty(nothing: object) -> None:
    unbound = {**CLOUD, BOUND_CLAIM: {"spec": {"volumeName": nothing}}}
    deployed = deploy(lambda: NfsServer("nfs-server", {}), outputs=unbound)
    server = deployed.result
    found = [deployed.value(output) for output in (server.pv_name, server.volume_id, server.volume_name)]
    assert found == ["", "", ""], "None, or a name made of it, would be in the state and in every later preview"
    assert not deployed.all(BOUND_VOLUME), "there is nothing to patch"


def test_the_first_pod_of_a_claim_is_a_reason_to_look_again() -> None:
    none = {**CLOUD, DEPLOYMENT: {"spec": {"replicas": 0}}}
    triggers = [
        deploy(lambda: NfsServer("nfs-server", {}), outputs=outputs).one(BOUND_CLAIM).options.replacement_trigger
        for outputs in (CLOUD, none)
    ]
    assert triggers[0] != triggers[1], "the next up would keep the outputs of a claim without a volume"


def test_the_volume_is_read_after_claim_and_deployment_exist() -> None:
    deployed = lab()
    bound, volume = deployed.one(BOUND_CLAIM), deployed.one(BOUND_VOLUME)
    needed = {deployed.one(CLAIM).urn, deployed.one(DEPLOYMENT).urn}
    assert needed <= deployed.needs(bound), "earlier, the claim would not be bound yet"
    assert needed <= deployed.needs(volume)


def test_the_volume_gets_the_servers_label_and_the_claim_nothing_new() -> None:
    deployed = lab(namespace="team")
    assert deployed.one(BOUND_VOLUME).inputs["metadata"] == {"name": PV, "labels": {"role": "nfs-server"}}
    assert deployed.one(BOUND_CLAIM).inputs == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "nfs-pvc", "namespace": "team", "annotations": {"pulumi.com/skipAwait": "true"}},
    }


def test_nothing_is_read_for_pulumi_would_repeat_it_in_every_update() -> None:
    assert [resource.name for resource in lab().resources.values() if resource.read] == []


def test_in_the_first_preview_no_id_is_guessed() -> None:
    deployed = lab(preview=True)
    placeholder = deployed.one(BOUND_VOLUME).inputs["metadata"]["name"]
    assert placeholder == "known-once-the-claim-is-bound", "the provider refuses a patch without a name in previews too"
    server = deployed.result
    for output in (server.pv_name, server.volume_id, server.volume_name):
        assert not deployed.is_known(output)


def test_another_claim_of_the_same_name_has_another_volume() -> None:
    deployed = lab()
    for type_ in (BOUND_CLAIM, BOUND_VOLUME):
        assert deployed.one(type_).options.replacement_trigger.string_value == "claim-uid"


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


@pytest.mark.parametrize("protect", [True, False])
def test_the_claim_is_protected_unless_the_program_says_no(protect: bool) -> None:
    deployed = lab() if protect else lab(protect=False)
    assert deployed.one(CLAIM).options.protect is protect, "a reorganised program would delete the data"


def test_a_volume_of_another_driver_has_its_own_handle() -> None:
    other = {**CLOUD, BOUND_VOLUME: {"spec": {"csi": {"volumeHandle": "disk-7", "driver": "disk.example.com"}}}}
    deployed = deploy(lambda: NfsServer("files", {}), outputs=other)
    assert deployed.value(deployed.result.volume_id) == "disk-7"
    assert deployed.value(deployed.result.volume_name) == "", "the Name tag is EC2's"


def test_a_volume_of_no_csi_driver_has_no_id() -> None:
    plain = {**CLOUD, BOUND_VOLUME: {"spec": {"hostPath": {"path": "/data"}}}}
    deployed = deploy(lambda: NfsServer("files", {}), outputs=plain)
    assert deployed.value(deployed.result.volume_id) == ""
