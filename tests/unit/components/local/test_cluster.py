"""LocalCluster: the control plane, and nodes that Kubernetes takes for real ones."""

import os

import pytest
from pulumi_kubernetes import Provider

from components.access.kubernetes_provider import kubernetes_provider
from components.local.cluster import LocalCluster
from tests.unit.conftest import CLOUD
from tests.unit.mocks import Deployed, deploy

CONTROL_PLANE = "pulumi-python:dynamic/storage-lab:ControlPlane"
INSTANCE = "pulumi-python:dynamic/storage-lab:Ec2Instance"
PROVIDER = "pulumi:providers:kubernetes"
NODE = "kubernetes:core/v1:Node"
CSI_NODE = "kubernetes:storage.k8s.io/v1:CSINode"
CSI_DRIVER = "kubernetes:storage.k8s.io/v1:CSIDriver"


@pytest.fixture(scope="module")
def deployed() -> Deployed:
    def program() -> LocalCluster:
        args = {"cloud": "local", "cluster_name": "storage-lab-local", "region": "eu-west-1", "zone": "eu-west-1b"}
        return LocalCluster("lab", {**args, "nodes": 2})  # type: ignore[typeddict-item]

    return deploy(program, outputs=CLOUD)


def test_a_node_is_one_that_volumes_can_be_attached_to(deployed: Deployed) -> None:
    node = deployed.one(NODE, "node-1").inputs
    annotations, labels = node["metadata"]["annotations"], node["metadata"]["labels"]
    assert annotations["volumes.kubernetes.io/controller-managed-attach-detach"] == "true", (
        "without it no VolumeAttachment is ever made"
    )
    assert labels["topology.kubernetes.io/zone"] == "eu-west-1b", "the provisioner reads the volume's zone from it"
    assert labels["topology.kubernetes.io/region"] == "eu-west-1"
    assert labels["kubernetes.io/hostname"] == "node-1"
    assert labels["kubernetes.io/os"] == "linux"
    assert node["spec"]["providerID"] == "aws:///eu-west-1b/node-1-id"


def test_the_driver_on_a_node_is_the_instance_in_ec2(deployed: Deployed) -> None:
    [driver] = deployed.one(CSI_NODE, "node-2").inputs["spec"]["drivers"]
    assert driver == {
        "name": "ebs.csi.aws.com",
        "nodeID": "node-2-id",
        "topologyKeys": ["topology.kubernetes.io/zone"],
        "allocatable": {"count": 25},
    }


def test_the_driver_is_announced_as_the_real_one_is(deployed: Deployed) -> None:
    driver = deployed.one(CSI_DRIVER).inputs
    assert driver["metadata"]["name"] == "ebs.csi.aws.com"
    assert driver["spec"] == {"attachRequired": True, "podInfoOnMount": False, "fsGroupPolicy": "File"}


def test_every_node_has_its_own_instance_in_the_clouds_zone(deployed: Deployed) -> None:
    instances = {instance.name: instance.inputs for instance in deployed.all(INSTANCE)}
    assert {name: inputs["node"] for name, inputs in instances.items()} == {"node-1": "node-1", "node-2": "node-2"}
    assert {inputs["zone"] for inputs in instances.values()} == {"eu-west-1b"}
    assert instances["node-1"]["ec2"] == {"region": "eu-west-1", "endpoint_url": "http://127.0.0.1:4566"}


def test_a_node_cannot_be_moved_to_another_instance(deployed: Deployed) -> None:
    assert list(deployed.one(NODE, "node-1").options.replaceOnChanges) == ["spec.providerID"]
    assert list(deployed.one(CSI_NODE, "node-1").options.replaceOnChanges) == ["spec.drivers"]
    for type_ in (NODE, CSI_NODE):
        assert deployed.one(type_, "node-1").options.deleteBeforeReplace, "a second one cannot have the same name"


def test_the_folder_is_recorded_before_anything_runs_there(deployed: Deployed) -> None:
    folder = deployed.one("pulumi-python:dynamic/storage-lab:CloudFolder")
    assert folder.inputs["cloud"] == "local"
    assert folder.urn in deployed.one(CONTROL_PLANE).dependencies, "a killed creation would leave processes behind"


def test_everything_kubernetes_goes_to_this_cluster(deployed: Deployed) -> None:
    provider = deployed.one(PROVIDER)
    assert provider.inputs["clusterIdentifier"] == "a-cluster", (
        "by it a new kubeconfig of the same cluster is told from another cluster"
    )
    for resource in deployed.resources.values():
        if resource.type.startswith("kubernetes:"):
            assert resource.provider.startswith(provider.urn), f"{resource.name} would go to the shell's own cluster"


def test_nothing_outlives_the_control_plane(deployed: Deployed) -> None:
    control_plane = deployed.one(CONTROL_PLANE)
    for type_ in (PROVIDER, NODE, CSI_NODE, CSI_DRIVER, INSTANCE):
        for resource in deployed.all(type_):
            assert control_plane.urn in deployed.needs(resource), (
                f"{resource.name} would be deleted from a dead cluster"
            )


def test_an_instance_outlives_its_node(deployed: Deployed) -> None:
    instance = deployed.one(INSTANCE, "node-1").urn
    assert instance in deployed.needs(deployed.one(NODE, "node-1"))
    assert instance in deployed.needs(deployed.one(CSI_NODE, "node-1")), "volumes are detached from it by the driver"


def test_a_class_can_wait_for_all_that_provisioning_needs(deployed: Deployed) -> None:
    ready = {deployed.value(resource.urn) for resource in deployed.result.ready}
    assert ready == {resource.urn for type_ in (NODE, CSI_NODE, CSI_DRIVER) for resource in deployed.all(type_)}


def test_the_kubeconfig_is_a_secret_output(deployed: Deployed) -> None:
    cluster = deployed.result
    assert deployed.value(cluster.access.kubeconfig) == "a kubeconfig"
    assert deployed.is_secret(cluster.access.kubeconfig)
    assert deployed.value(cluster.access.ec2["endpoint_url"]) == "http://127.0.0.1:4566"


def test_all_children_belong_to_the_component(deployed: Deployed) -> None:
    component = deployed.one("storage-lab:index:LocalCluster")
    assert {resource.parent for resource in deployed.resources.values()} - {component.parent} == {component.urn}


def test_a_switch_of_the_shell_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DELETE_UNREACHABLE", "SKIP_UPDATE_UNREACHABLE", "ENABLE_SERVER_SIDE_APPLY"):
        monkeypatch.setenv(f"PULUMI_K8S_{name}", "false")

    def program() -> Provider:
        return kubernetes_provider("lab", kubeconfig="a kubeconfig")

    inputs = deploy(program).one(PROVIDER).inputs
    assert inputs == {"kubeconfig": "a kubeconfig"}, "a destroy does not run the program, and would obey for ever"
    assert os.environ["PULUMI_K8S_DELETE_UNREACHABLE"] == "false", "in this one command it is meant to act"
