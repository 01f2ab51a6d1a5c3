"""The program on the target eks, on Pulumi's mocks: what it declares, in which order, and that errors in it are seen.

Each law is checked on the program as it is, and each planted error, put into a copy of the source, must break a law.
"""

import json
from collections.abc import Callable

import pytest
from pulumi.runtime.rpc import is_rpc_secret

from tests.unit.components.eks.eks_program import (
    ATTACHMENT,
    BARRIER,
    CLAIM,
    CLASS,
    CLUSTER,
    FIXED,
    HOME,
    NAME,
    NODES,
    ROLE,
    addon,
    policies,
    program,
    statement,
)
from tests.unit.mocks import Deployed


@pytest.fixture(scope="module")
def lab() -> Deployed:
    return program(publicAccessCidrs=[HOME])


# The laws.


def the_cluster_is_bare_and_cheap(lab: Deployed) -> None:
    given = lab.one(CLUSTER).inputs
    assert given["name"] == NAME
    assert given["authenticationMode"] == "API", "an aws-auth ConfigMap makes destroys fail"
    assert given["skipDefaultNodeGroup"] is True
    assert given["skipDefaultSecurityGroups"] is True, "default ones end in DependencyViolation"
    assert given["createOidcProvider"] is False
    assert given["upgradePolicy"] == {"supportType": "STANDARD"}, "extended support costs 0.60 $ an hour"
    assert given["version"] == "1.36"


def coredns_is_left_to_eks(lab: Deployed) -> None:
    assert "corednsAddonOptions" not in lab.one(CLUSTER).inputs, (
        "the add-on would wait for nodes, and our nodes for the component that the add-on is a child of"
    )


def the_api_waits_for_its_name_and_lets_nodes_in(lab: Deployed) -> None:
    given = lab.one(CLUSTER).inputs
    assert given["endpointPublicAccess"] is True, "pulumi-eks waits for the endpoint only where this is said"
    assert given["endpointPrivateAccess"] is True, "with CIDRs set, nodes would be shut out of their own cluster"


def the_nodes_are_what_the_price_says(lab: Deployed) -> None:
    given = lab.one(NODES).inputs
    assert given["amiType"] == "AL2023_x86_64_STANDARD"
    assert given["instanceTypes"] == ["t3.medium"]
    assert given["capacityType"] == "ON_DEMAND"
    assert given["scalingConfig"] == {"minSize": 1, "desiredSize": 1, "maxSize": 1}
    assert given["version"] == "1.36", "nodes would stay behind when the control plane moves on"
    assert len(given["subnetIds"]) == 1, "in a second zone a pod could not have the volume of the first"


def nodes_come_after_the_cluster_and_a_way_to_the_internet(lab: Deployed) -> None:
    needs = lab.needs(lab.one(NODES))
    assert lab.one(CLUSTER).urn in needs, "the group is made by the cluster's name, which nothing else waits for"
    assert lab.one("aws:ec2/route:Route").urn in needs, "nodes without a way out do not join"
    for association in lab.all("aws:ec2/routeTableAssociation:RouteTableAssociation"):
        assert association.urn in needs, "the route only counts for associated subnets"
    for attachment in policies(lab, "lab-nodes"):
        assert attachment.urn in needs, "nodes that lose their policies before they go leave interfaces behind"


def the_cluster_does_not_wait_for_routes(lab: Deployed) -> None:
    needs = lab.needs(lab.one(CLUSTER))
    assert lab.one("aws:ec2/route:Route").urn not in needs, "the control plane takes ten minutes: routes fit into them"
    assert not needs & {role.urn for role in lab.all(ROLE)}, "nor for roles that it does not use"


def the_driver_comes_after_nodes_agent_and_permissions(lab: Deployed) -> None:
    needs = lab.needs(addon(lab, "aws-ebs-csi-driver"))
    assert lab.one(NODES).urn in needs, "without nodes the add-on hangs DEGRADED for twenty minutes"
    assert addon(lab, "eks-pod-identity-agent").urn in needs, "without the agent the driver has no credentials"
    (permission,) = policies(lab, "lab-ebs")
    assert permission.urn in needs, "on the way down the driver would lose its permission with volumes still to delete"


def the_agent_overlaps_with_the_nodes(lab: Deployed) -> None:
    needs = lab.needs(addon(lab, "eks-pod-identity-agent"))
    assert lab.one(CLUSTER).urn in needs
    assert lab.one(NODES).urn not in needs, "a DaemonSet is healthy without nodes: waiting only costs time"


def the_driver_gets_its_role_by_pod_identity(lab: Deployed) -> None:
    given = addon(lab, "aws-ebs-csi-driver").inputs
    role = lab.one(ROLE, "lab-ebs")
    (identity,) = given["podIdentityAssociations"]
    assert identity == {
        "serviceAccount": "ebs-csi-controller-sa",
        "roleArn": "arn:aws:iam::123456789012:role/lab-ebs",
    }, "the driver's controller runs as this account and no other"
    trust = statement(role)
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert set(trust["Action"]) == {"sts:AssumeRole", "sts:TagSession"}, "Pod Identity tags its sessions"


def roles_carry_only_the_named_managed_policies(lab: Deployed) -> None:
    carried = {(each.inputs["role"], each.inputs["policyArn"]) for each in lab.all(ATTACHMENT)}
    assert carried == {
        ("lab-nodes", "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"),
        ("lab-nodes", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"),
        ("lab-nodes", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"),
        ("lab-ebs", "arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicyV2"),
    }, "anything wider lets a pod of the lab into the rest of the account"
    inline = [each.type for each in lab.resources.values() if each.type.startswith("aws:iam/")]
    assert set(inline) == {ROLE, ATTACHMENT}, "a policy document of our own could hold a wildcard"
    for role in lab.all(ROLE):
        assert "*" not in role.inputs["assumeRolePolicy"]
        assert not {"inlinePolicies", "managedPolicyArns"} & role.inputs.keys()


def everything_is_tagged_by_the_provider(lab: Deployed) -> None:
    provider = lab.one("pulumi:providers:aws")
    assert json.loads(provider.inputs["defaultTags"]) == {"tags": {"storage-lab": NAME}}, "leftovers are found by it"
    for each in lab.resources.values():
        if each.type.startswith("aws:"):
            assert each.provider.startswith(provider.urn), f"{each.name} would go to another region, without the tag"
    handed_on = dict(lab.one(CLUSTER).options.providers)
    assert handed_on["aws"].startswith(provider.urn), "the children of pulumi-eks would miss region and tag"


def the_class_is_the_default_one_and_encrypted(lab: Deployed) -> None:
    given = lab.one(CLASS).inputs
    assert given["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}, (
        "the lab's claim names no class, and EKS has no default one"
    )
    assert given["provisioner"] == "ebs.csi.aws.com"
    assert given["volumeBindingMode"] == "WaitForFirstConsumer", "else the volume may be made in a zone without nodes"
    assert given["reclaimPolicy"] == "Delete"
    assert given["parameters"]["encrypted"] == "true"
    assert given["parameters"]["tagSpecification_2"] == f"storage-lab={NAME}", "leftovers are found by it"


def claims_go_before_the_barrier_and_the_barrier_before_the_driver(lab: Deployed) -> None:
    (claim,) = [each for each in lab.all(CLAIM) if not each.read]
    barrier, class_ = lab.one(BARRIER), lab.one(CLASS)
    driver = addon(lab, "aws-ebs-csi-driver")
    assert barrier.urn in lab.needs(claim), "a claim deleted after the barrier leaves its volume to nobody"
    assert class_.urn in lab.needs(barrier)
    for held in (
        driver,
        lab.one(NODES),
        addon(lab, "eks-pod-identity-agent"),
        lab.one(CLUSTER),
        *policies(lab, "lab-ebs"),
    ):
        assert held.urn in lab.needs(class_), f"{held.name} would go while volumes are still being deleted"


def nothing_is_made_before_the_inputs_are_compared(lab: Deployed) -> None:
    fixed = lab.one(FIXED, "lab")
    for each in lab.resources.values():
        if each.type.startswith("aws:") or each.type == CLUSTER:
            assert fixed.urn in lab.needs(each), f"{each.name} would be replaced before the refusal is out"


def the_kubeconfig_is_secret(lab: Deployed) -> None:
    assert is_rpc_secret(lab.outputs["kubeconfig"]), "it would be printed by `pulumi up`"
    assert is_rpc_secret(lab.one(BARRIER).inputs["kubeconfig"]), "it would be stored in clear"


def only_the_given_blocks_reach_the_api(lab: Deployed) -> None:
    assert lab.one(CLUSTER).inputs["publicAccessCidrs"] == [HOME], "the endpoint would be open to everybody"


def nothing_outlives_its_stack(lab: Deployed) -> None:
    for each in (each for each in lab.resources.values() if not each.read):
        assert not each.options.retainOnDelete, f"{each.name} would be a sure leak"
        assert not each.options.deletedWith, f"{each.name} would be a sure leak"


LAWS: list[Callable[[Deployed], None]] = [
    the_cluster_is_bare_and_cheap,
    coredns_is_left_to_eks,
    the_api_waits_for_its_name_and_lets_nodes_in,
    the_nodes_are_what_the_price_says,
    nodes_come_after_the_cluster_and_a_way_to_the_internet,
    the_cluster_does_not_wait_for_routes,
    the_driver_comes_after_nodes_agent_and_permissions,
    the_agent_overlaps_with_the_nodes,
    the_driver_gets_its_role_by_pod_identity,
    roles_carry_only_the_named_managed_policies,
    everything_is_tagged_by_the_provider,
    the_class_is_the_default_one_and_encrypted,
    claims_go_before_the_barrier_and_the_barrier_before_the_driver,
    nothing_is_made_before_the_inputs_are_compared,
    the_kubeconfig_is_secret,
    only_the_given_blocks_reach_the_api,
    nothing_outlives_its_stack,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_program_keeps(law: Callable[[Deployed], None], lab: Deployed) -> None:
    law(lab)


SUBNETS = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")


@pytest.fixture(scope="module")
def other() -> Deployed:
    """Everything that can be configured, configured otherwise."""
    network = {"vpcId": "vpc-0123456789abcdef0", "subnetIds": list(SUBNETS)}
    nodes = {"nodes": 3, "nodeType": "t3.large", "spot": True, "kubernetesVersion": "1.35"}
    return program(partition="aws-cn", subnets=SUBNETS, **network, **nodes)


def test_by_default_the_api_is_open_to_whoever_has_credentials(other: Deployed) -> None:
    assert "publicAccessCidrs" not in other.one(CLUSTER).inputs, "a learner's address changes between two days"


def test_size_type_spot_and_version_reach_the_nodes(other: Deployed) -> None:
    given = other.one(NODES).inputs
    assert given["scalingConfig"] == {"minSize": 3, "desiredSize": 3, "maxSize": 3}
    assert given["instanceTypes"] == ["t3.large"]
    assert given["capacityType"] == "SPOT"
    assert given["version"] == other.one(CLUSTER).inputs["version"] == "1.35"


def test_a_given_vpc_is_used_as_it_is_and_the_nodes_go_to_its_first_subnet(other: Deployed) -> None:
    assert not [each.name for each in other.resources.values() if each.type.startswith("aws:ec2/")]
    assert other.one(CLUSTER).inputs["vpcId"] == "vpc-0123456789abcdef0"
    assert other.one(CLUSTER).inputs["subnetIds"] == list(SUBNETS)
    assert other.one(NODES).inputs["subnetIds"] == [SUBNETS[0]]


def test_arns_follow_the_partition(other: Deployed) -> None:
    arns = [each.inputs["policyArn"] for each in other.all(ATTACHMENT)]
    assert {arn.split(":")[1] for arn in arns} == {"aws-cn"}, "there is no arn:aws in China"


def test_the_network_is_the_planned_one(lab: Deployed) -> None:
    vpc = lab.one("aws:ec2/vpc:Vpc").inputs
    assert (vpc["enableDnsSupport"], vpc["enableDnsHostnames"]) == (True, True), "the private endpoint is found by name"
    subnets = [each.inputs for each in lab.all("aws:ec2/subnet:Subnet")]
    assert [(each["availabilityZone"], each["cidrBlock"]) for each in subnets] == [
        ("us-east-1a", "10.42.0.0/20"),
        ("us-east-1b", "10.42.16.0/20"),
    ]
    for each in subnets:
        assert each["mapPublicIpOnLaunch"] is True, "without a NAT gateway nodes need an address of their own"
        assert each["tags"]["kubernetes.io/role/elb"] == "1"
    assert lab.one(NODES).inputs["subnetIds"] == ["lab-0-id"], "the nodes' zone is the first one"
    costly = ("natGateway", "eip", "loadBalancer", "launchTemplate")
    assert not [t for t in (each.type for each in lab.resources.values()) if any(word in t for word in costly)]
