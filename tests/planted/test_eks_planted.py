"""Errors planted into the program on the target eks: each must turn the test red that is there to see it.

A test that lets its error pass is worth nothing, so this is the test of the tests.
"""

import inspect
import json
from collections.abc import Callable, Iterable

import pytest

from tests.planted.errors import Error, Pick, does_not_wait, inputs, of_type, options, output, waits
from tests.unit.components.eks import test_eks_program as eks
from tests.unit.components.eks.eks_program import (
    ATTACHMENT,
    BARRIER,
    CLAIM,
    CLASS,
    CLUSTER,
    FIXED,
    GROWTH,
    HOME,
    NETWORK_ADDONS,
    NODES,
    ROLE,
    addon,
    policies,
    program,
)
from tests.unit.mocks import Deployed, Registered

Test = Callable[[Deployed], None]


def _addons(*names: str) -> Pick:
    return lambda lab: [addon(lab, name) for name in names]


def _policies(role: str) -> Pick:
    return lambda lab: policies(lab, role)


def _role(name: str) -> Pick:
    return lambda lab: [lab.one(ROLE, name)]


def _everything(lab: Deployed) -> Iterable[Registered]:
    return lab.resources.values()


def _of_the_server(lab: Deployed) -> Iterable[Registered]:
    return [each for each in lab.resources.values() if "NfsServer" in each.urn]


def _trust(**statement: object) -> Callable[[str], str]:
    """Return a change of a role's policy of trust."""

    def change(policy: str) -> str:
        document = json.loads(policy)
        document["Statement"][0].update(statement)
        return json.dumps(document)

    return change


cluster, nodes, claim = of_type(CLUSTER), of_type(NODES), of_type(CLAIM, but_read=True)
growth = of_type(GROWTH)
storage_class, barrier, comparison = of_type(CLASS), of_type(BARRIER), of_type(FIXED)
route, association = of_type("aws:ec2/route:Route"), of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")
vpc, subnets, aws = of_type("aws:ec2/vpc:Vpc"), of_type("aws:ec2/subnet:Subnet"), of_type("pulumi:providers:aws")
driver, agent, network = _addons("aws-ebs-csi-driver"), _addons("eks-pod-identity-agent"), _addons(*NETWORK_ADDONS)
node_policies, driver_policies = _policies("lab-nodes"), _policies("lab-ebs")

# For each test of the program the errors that it must see.
ERRORS: dict[Test, dict[str, Error]] = {
    eks.test_cluster_is_bare_and_cheap: {
        "extended support": inputs(cluster, upgradePolicy={"supportType": "EXTENDED"}),
        "a group of nodes of pulumi-eks": inputs(cluster, skipDefaultNodeGroup=False),
        "rights kept in a ConfigMap": inputs(cluster, authenticationMode="CONFIG_MAP"),
        "default security groups": inputs(cluster, skipDefaultSecurityGroups=False),
    },
    eks.test_coredns_is_left_to_eks: {"coredns enabled": inputs(cluster, corednsAddonOptions={"enabled": True})},
    eks.test_endpoint_is_waited_for_and_lets_nodes_in: {
        "nodes shut out": inputs(cluster, endpointPrivateAccess=False),
        "endpoint not waited for": inputs(cluster, endpointPublicAccess=False),
    },
    eks.test_nodes_are_what_the_price_says: {
        "a larger type": inputs(nodes, instanceTypes=["m7i.large"]),
        "two nodes": inputs(nodes, scalingConfig={"minSize": 1, "desiredSize": 2, "maxSize": 2}),
        "nodes left behind by an upgrade": inputs(nodes, version=None),
        "nodes in two zones": inputs(nodes, subnetIds=["lab-0-id", "lab-1-id"]),
    },
    eks.test_nodes_wait_for_cluster_and_routes: {
        "nodes before their cluster": does_not_wait(nodes, cluster),
        "nodes before their route": does_not_wait(nodes, route),
        "nodes before their subnet has the route": does_not_wait(nodes, association),
        "nodes without their policies": does_not_wait(nodes, node_policies),
        "nodes wait for the add-ons": waits(nodes, network),
    },
    eks.test_cluster_does_not_wait_for_routes: {
        "cluster waits for the route": waits(cluster, route),
        "cluster waits for the nodes' role": waits(cluster, _role("lab-nodes")),
    },
    eks.test_driver_waits_for_all_that_keeps_it_working: {
        "driver before nodes": does_not_wait(driver, nodes),
        "driver before the agent": does_not_wait(driver, agent),
        "driver before the network": does_not_wait(driver, network),
        "driver without its permissions": does_not_wait(driver, driver_policies),
    },
    eks.test_add_ons_of_every_node_do_not_wait_for_nodes: {
        "agent waits for nodes": waits(agent, nodes),
        "network waits for nodes": waits(network, nodes),
        "agent before the cluster": does_not_wait(agent, cluster),
    },
    eks.test_network_add_ons_win_and_survive_their_delete: {
        "software deleted with its add-on": inputs(network, preserve=False),
        "EKS's own copy is a conflict": inputs(network, resolveConflictsOnCreate="NONE"),
    },
    eks.test_network_add_ons_take_over_those_of_pulumi_eks: {
        "add-ons of older stacks forgotten": options(network, lambda request: request.ClearField("aliases")),
    },
    eks.test_pulumi_eks_creates_no_add_on_that_nodes_would_wait_for: {
        "pulumi-eks makes vpc-cni": inputs(cluster, useDefaultVpcCni=False),
        "pulumi-eks makes kube-proxy": inputs(cluster, kubeProxyAddonOptions={"enabled": True}),
    },
    eks.test_driver_gets_its_role_by_pod_identity: {
        "wrong service account": inputs(
            driver, podIdentityAssociations=lambda found: [{**found[0], "serviceAccount": "ebs-csi-node-sa"}]
        ),
        "no session tags": inputs(_role("lab-ebs"), assumeRolePolicy=_trust(Action=["sts:AssumeRole"])),
    },
    eks.test_roles_carry_only_the_named_policies: {
        "wildcard policy": inputs(driver_policies, policyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
        "everybody may take the role on": inputs(_role("lab-nodes"), assumeRolePolicy=_trust(Principal={"AWS": "*"})),
        "a policy in the role": inputs(_role("lab-ebs"), inlinePolicies=[{"name": "all"}]),
        "a policy of its own": inputs(of_type(ATTACHMENT), policyArn="arn:aws:iam::123456789012:policy/all"),
    },
    eks.test_provider_tags_everything: {
        "no tags": inputs(aws, defaultTags=json.dumps({"tags": {}})),
        "another provider for the cluster": options(cluster, lambda request: request.ClearField("providers")),
    },
    eks.test_class_is_the_default_and_encrypted: {
        "no default class": inputs(storage_class, metadata={"name": "ebs", "annotations": {}}),
        "Immediate binding": inputs(storage_class, volumeBindingMode="Immediate"),
        "volumes that stay": inputs(storage_class, reclaimPolicy="Retain"),
        "not encrypted": inputs(storage_class, parameters=lambda found: {**found, "encrypted": "false"}),
    },
    eks.test_volumes_grow_in_place_once_their_servers_run: {
        "class that does not expand": inputs(storage_class, allowVolumeExpansion=False),
        "growth to another size": inputs(growth, storage="9Gi"),
        "a claim left small": inputs(growth, claims={}),
        "growth before its server": does_not_wait(growth, _of_the_server),
        "Pulumi sets sizes too": options(claim, lambda request: request.ClearField("ignoreChanges")),
    },
    eks.test_barrier_is_between_claims_and_driver: {
        "class without its driver": does_not_wait(storage_class, driver),
        "claims without the barrier": does_not_wait(claim, barrier),
        "barrier without its class": does_not_wait(barrier, storage_class),
    },
    eks.test_inputs_are_compared_before_all_else: {
        "inputs compared too late": does_not_wait(_everything, comparison),
        "cluster made before the comparison": does_not_wait(
            cluster, lambda lab: [*comparison(lab), *vpc(lab), *subnets(lab)]
        ),
    },
    eks.test_kubeconfig_is_secret: {
        "kubeconfig in clear": output("kubeconfig", "in clear"),
        "kubeconfig in clear in the state": inputs(barrier, kubeconfig="in clear"),
    },
    eks.test_only_the_given_blocks_reach_the_api: {
        "public CIDRs ignored": inputs(cluster, publicAccessCidrs=["0.0.0.0/0"]),
    },
    eks.test_nothing_outlives_its_stack: {
        "cluster kept on delete": options(cluster, lambda request: setattr(request, "retainOnDelete", True)),
        "volumes deleted with their cluster": options(claim, lambda request: setattr(request, "deletedWith", "urn")),
    },
    eks.test_network_is_the_planned_one: {
        "no names in the VPC": inputs(vpc, enableDnsHostnames=False),
        "nodes without an address": inputs(subnets, mapPublicIpOnLaunch=False),
        "subnets unknown to load balancers": inputs(subnets, tags={"kubernetes.io/role/elb": "0"}),
    },
}
PLANTED = [
    pytest.param(test, error, id=f"{test.__name__.removeprefix('test_')}, {name}")
    for test, errors in ERRORS.items()
    for name, error in errors.items()
]


@pytest.fixture(scope="module")
def lab() -> Deployed:
    return program(publicAccessCidrs=[HOME])


@pytest.mark.parametrize(("test", "error"), PLANTED)
def test_planted_error_turns_its_test_red(lab: Deployed, test: Test, error: Error) -> None:
    broken = error(lab)
    with pytest.raises(AssertionError):
        test(broken)


def test_every_test_of_the_program_has_an_error_to_see() -> None:
    named = {name: test for name, test in vars(eks).items() if name.startswith("test_")}
    of_the_program = {name for name, test in named.items() if list(inspect.signature(test).parameters) == ["lab"]}
    assert of_the_program == {test.__name__ for test in ERRORS}, "a test that no error turns red may be worth nothing"


def test_error_that_changes_nothing_is_no_error(lab: Deployed) -> None:
    with pytest.raises(AssertionError, match="has this error already"):
        does_not_wait(cluster, route)(lab)
