"""The program on the target eks, on Pulumi's mocks: what it declares, and in which order.

tests/planted calls the tests of `lab` and of `snapshots` on programs with an error in them, and each error must turn
its test red.
"""

import json

from pulumi.runtime.rpc import is_rpc_secret

from tests.unit.components.eks.eks_program import (
    ADDON,
    ATTACHMENT,
    BARRIER,
    CLAIM,
    CLASS,
    CLUSTER,
    DEPLOYMENT,
    FIXED,
    GROWTH,
    HOME,
    NAME,
    NETWORK_ADDONS,
    NODES,
    ROLE,
    SNAPSHOT_CLASS,
    addon,
    former_parents,
    policies,
    statement,
)
from tests.unit.mocks import Deployed


def test_cluster_is_bare_and_cheap(lab: Deployed) -> None:
    given = lab.one(CLUSTER).inputs
    assert given["name"] == NAME
    assert given["authenticationMode"] == "API", "an aws-auth ConfigMap makes destroys fail"
    assert given["skipDefaultNodeGroup"] is True
    assert given["skipDefaultSecurityGroups"] is True, "default ones end in DependencyViolation"
    assert given["createOidcProvider"] is False
    assert given["upgradePolicy"] == {"supportType": "STANDARD"}, "extended support costs $0.60 an hour"
    assert given["version"] == "1.36"


def test_coredns_is_left_to_eks(lab: Deployed) -> None:
    assert "corednsAddonOptions" not in lab.one(CLUSTER).inputs, (
        "the add-on would wait for nodes, and our nodes for the component that the add-on is a child of"
    )


def test_endpoint_is_waited_for_and_lets_nodes_in(lab: Deployed) -> None:
    given = lab.one(CLUSTER).inputs
    assert given["endpointPublicAccess"] is True, "pulumi-eks waits for the endpoint only where this is said"
    assert given["endpointPrivateAccess"] is True, "with CIDRs set, nodes would be shut out of their own cluster"


def test_nodes_are_what_the_price_says(lab: Deployed) -> None:
    given = lab.one(NODES).inputs
    assert given["amiType"] == "AL2023_x86_64_STANDARD"
    assert given["instanceTypes"] == ["t3.medium"]
    assert given["capacityType"] == "ON_DEMAND"
    assert given["scalingConfig"] == {"minSize": 1, "desiredSize": 1, "maxSize": 1}
    assert given.get("version") == "1.36", "nodes would stay behind when the control plane moves on"
    assert len(given["subnetIds"]) == 1, "in a second zone a pod could not have the volume of the first"


def test_nodes_wait_for_cluster_and_routes(lab: Deployed) -> None:
    needs = lab.needs(lab.one(NODES))
    assert lab.one(CLUSTER).urn in needs, "the group is created by the cluster's name, which nothing else waits for"
    assert lab.one("aws:ec2/route:Route").urn in needs, "nodes without a way out do not join"
    for association in lab.all("aws:ec2/routeTableAssociation:RouteTableAssociation"):
        assert association.urn in needs, "the route only counts for associated subnets"
    for attachment in policies(lab, "lab-nodes"):
        assert attachment.urn in needs, "nodes that lose their policies before they end leave interfaces behind"
    add_ons = {each.urn for each in lab.all(ADDON)}
    assert not needs & add_ons, "EKS's own kube-proxy and vpc-cni serve the node until the managed ones are there"


def test_cluster_does_not_wait_for_routes(lab: Deployed) -> None:
    needs = lab.needs(lab.one(CLUSTER))
    assert lab.one("aws:ec2/route:Route").urn not in needs, "the control plane takes ten minutes: routes fit into them"
    assert not needs & {role.urn for role in lab.all(ROLE)}, "nor for roles that it does not use"


def test_driver_waits_for_all_that_keeps_it_working(lab: Deployed) -> None:
    needs = lab.needs(addon(lab, "aws-ebs-csi-driver"))
    assert lab.one(NODES).urn in needs, "without nodes the add-on hangs DEGRADED for twenty minutes"
    assert addon(lab, "eks-pod-identity-agent").urn in needs, "without the agent the driver has no credentials"
    for network in NETWORK_ADDONS:
        assert addon(lab, network).urn in needs, "a destroy would take the network's management before its user"
    (permission,) = policies(lab, "lab-ebs")
    assert permission.urn in needs, "on the way down the driver would lose its permission with volumes still to delete"


def test_add_ons_of_every_node_do_not_wait_for_nodes(lab: Deployed) -> None:
    for name in (*NETWORK_ADDONS, "eks-pod-identity-agent"):
        needs = lab.needs(addon(lab, name))
        assert lab.one(CLUSTER).urn in needs
        assert lab.one(NODES).urn not in needs, f"{name} is a DaemonSet, healthy without nodes: waiting costs time"


def test_network_add_ons_win_and_survive_their_delete(lab: Deployed) -> None:
    for name in NETWORK_ADDONS:
        given = addon(lab, name).inputs
        assert given["resolveConflictsOnCreate"] == given["resolveConflictsOnUpdate"] == "OVERWRITE", (
            "EKS puts its own copy into every cluster, and the managed add-on would fail on it"
        )
        assert given["preserve"] is True, "a node that still drains would lose its network"


def test_network_add_ons_take_over_those_of_pulumi_eks(lab: Deployed) -> None:
    cluster = lab.one(CLUSTER).urn
    former = {name: former_parents(addon(lab, name)) for name in NETWORK_ADDONS}
    assert former["kube-proxy"] == [cluster], "an older stack would create it again: ResourceInUseException"
    assert former["vpc-cni"] == [cluster.replace("::lab", "$eks:index:VpcCniAddon::lab-vpc-cni")]
    assert [addon(lab, name).name for name in NETWORK_ADDONS] == ["lab-kube-proxy", "lab-vpc-cni"]


def test_pulumi_eks_creates_no_add_on_that_nodes_would_wait_for(lab: Deployed) -> None:
    given = lab.one(CLUSTER).inputs
    assert given["useDefaultVpcCni"] is True
    assert given["kubeProxyAddonOptions"]["enabled"] is False


def test_driver_gets_its_role_by_pod_identity(lab: Deployed) -> None:
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


def test_roles_carry_only_the_named_policies(lab: Deployed) -> None:
    carried = {(each.inputs["role"], each.inputs["policyArn"]) for each in lab.all(ATTACHMENT)}
    assert carried == {
        ("lab-nodes", "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"),
        ("lab-nodes", "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"),
        ("lab-nodes", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"),
        ("lab-ebs", "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2"),
    }, "anything wider lets a pod of the lab into the rest of the account"
    inline = [each.type for each in lab.resources.values() if each.type.startswith("aws:iam/")]
    assert set(inline) == {ROLE, ATTACHMENT}, "a policy document of our own could hold a wildcard"
    for role in lab.all(ROLE):
        assert "*" not in role.inputs["assumeRolePolicy"]
        assert not {"inlinePolicies", "managedPolicyArns"} & role.inputs.keys()


def test_provider_tags_everything(lab: Deployed) -> None:
    provider = lab.one("pulumi:providers:aws")
    assert json.loads(provider.inputs["defaultTags"]) == {"tags": {"storage-lab": NAME}}, "leftovers are found by it"
    for each in lab.resources.values():
        if each.type.startswith("aws:"):
            assert each.provider.startswith(provider.urn), f"{each.name} would go to another region, without the tag"
    handed_on = dict(lab.one(CLUSTER).options.providers)
    assert handed_on.get("aws", "").startswith(provider.urn), "the children of pulumi-eks would miss region and tag"


def test_class_is_the_default_and_encrypted(lab: Deployed) -> None:
    given = lab.one(CLASS).inputs
    assert given["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}, (
        "the lab's claim names no class, and EKS has no default one"
    )
    assert given["provisioner"] == "ebs.csi.aws.com"
    assert given["volumeBindingMode"] == "WaitForFirstConsumer", "else the volume may be made in a zone without nodes"
    assert given["reclaimPolicy"] == "Delete"
    assert given["parameters"]["encrypted"] == "true"
    assert given["parameters"]["tagSpecification_2"] == f"storage-lab={NAME}", "leftovers are found by it"


def test_volumes_grow_in_place_once_their_servers_run(lab: Deployed) -> None:
    (claim,) = [each for each in lab.all(CLAIM) if not each.read]
    growth, deployment = lab.one(GROWTH), lab.one(DEPLOYMENT)
    assert lab.one(CLASS).inputs["allowVolumeExpansion"] is True, "Kubernetes would refuse every larger size"
    assert growth.inputs["storage"] == claim.inputs["spec"]["resources"]["requests"]["storage"]
    assert list(growth.inputs["claims"]) == ["default/nfs-pvc"], "it would not grow"
    assert deployment.urn in lab.needs(growth), "the node enlarges a file system only for a Pod that has it mounted"
    assert "spec.resources.requests.storage" in claim.options.ignoreChanges, (
        "Pulumi would try to make a claim smaller that somebody made larger"
    )


def test_barrier_is_between_claims_and_driver(lab: Deployed) -> None:
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


def test_snapshot_controller_comes_before_the_driver(snapshots: Deployed) -> None:
    controller, driver = addon(snapshots, "snapshot-controller"), addon(snapshots, "aws-ebs-csi-driver")
    needs = snapshots.needs(controller)
    assert snapshots.one(NODES).urn in needs, "a Deployment: without nodes the add-on hangs DEGRADED for twenty minutes"
    for network in NETWORK_ADDONS:
        assert addon(snapshots, network).urn in needs, "its Pods need the network"
    assert controller.urn in snapshots.needs(driver), (
        "csi-provisioner looks for the CRDs only when it starts, and without them frees no snapshot that it marked"
    )


def test_snapshots_are_deleted_with_their_wish_and_found_by_tag(snapshots: Deployed) -> None:
    given = snapshots.one(SNAPSHOT_CLASS).inputs
    assert given["deletionPolicy"] == "Delete", "the EBS snapshot would cost after its VolumeSnapshot is deleted"
    assert given["parameters"].get("tagSpecification_2") == f"storage-lab={NAME}", "leftovers are found by it"
    assert snapshots.one(BARRIER).inputs["snapshot_tags"] == [
        {"storage-lab": NAME},
        {"ebs.csi.aws.com/cluster": "true", f"kubernetes.io/cluster/{NAME}": "owned"},
    ], "the second set is on snapshots of every class"


def test_barrier_is_between_snapshots_and_their_controller(snapshots: Deployed) -> None:
    class_ = snapshots.one(SNAPSHOT_CLASS)
    assert class_.urn in snapshots.needs(snapshots.one(BARRIER)), "the class would go while snapshots are left"
    for held in (addon(snapshots, "snapshot-controller"), addon(snapshots, "aws-ebs-csi-driver")):
        assert held.urn in snapshots.needs(class_), f"{held.name} would go while snapshots are still being deleted"


def test_inputs_are_compared_before_all_else(lab: Deployed) -> None:
    fixed = lab.one(FIXED, "lab")
    for each in lab.resources.values():
        if each.type.startswith("aws:") or each.type == CLUSTER:
            assert fixed.urn in lab.needs(each), f"{each.name} would be replaced before the refusal is out"


def test_kubeconfig_is_secret(lab: Deployed) -> None:
    assert is_rpc_secret(lab.outputs["kubeconfig"]), "it would be printed by `pulumi up`"
    assert is_rpc_secret(lab.one(BARRIER).inputs["kubeconfig"]), "it would be stored in clear"


def test_only_the_given_blocks_reach_the_api(lab: Deployed) -> None:
    assert lab.one(CLUSTER).inputs["publicAccessCidrs"] == [HOME], "the endpoint would be open to everybody"


def test_nothing_outlives_its_stack(lab: Deployed) -> None:
    for each in (each for each in lab.resources.values() if not each.read):
        assert not each.options.retainOnDelete, f"{each.name} would be a sure leak"
        assert not each.options.deletedWith, f"{each.name} would be a sure leak"


def test_network_is_the_planned_one(lab: Deployed) -> None:
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
