"""Errors planted in a copy of the program: each must turn the test red that is there to see it.

A test that lets its error pass is worth nothing, so this is the test of the tests.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.planted.plant import plant
from tests.unit.components.eks import test_eks_program as eks
from tests.unit.components.eks.eks_program import HOME, program
from tests.unit.fresh import ROOT
from tests.unit.mocks import Deployed

Test = Callable[[Deployed], None]
# Of each error: what the program says, what the error says instead, and the test that must turn red.
ERRORS: dict[str, tuple[str, str, Test]] = {
    "driver before nodes": (
        'needs=[args["nodes"], *args["network"], agent, *role.permissions]',
        'needs=[*args["network"], agent, *role.permissions]',
        eks.test_driver_waits_for_all_that_keeps_it_working,
    ),
    "driver without its permissions": (
        "agent, *role.permissions]",
        "agent]",
        eks.test_driver_waits_for_all_that_keeps_it_working,
    ),
    "coredns enabled": (
        "skip_default_node_group=True,",
        'skip_default_node_group=True, coredns_addon_options={"enabled": True},',
        eks.test_coredns_is_left_to_eks,
    ),
    "class without its driver": (
        "after(*cluster.ready, *namespaces)",
        "after(*namespaces)",
        eks.test_barrier_is_between_claims_and_driver,
    ),
    "claims without the barrier": (
        "after(storage.barrier)",
        "after(storage.storage_class)",
        eks.test_barrier_is_between_claims_and_driver,
    ),
    "no default class": (
        'is-default-class": "true"',
        'is-default-class": "false"',
        eks.test_class_is_the_default_and_encrypted,
    ),
    "Immediate binding": (
        '"WaitForFirstConsumer"',
        '"Immediate"',
        eks.test_class_is_the_default_and_encrypted,
    ),
    "wrong service account": (
        '"ebs-csi-controller-sa"',
        '"ebs-csi-node-sa"',
        eks.test_driver_gets_its_role_by_pod_identity,
    ),
    "no session tags": (
        '"sts:AssumeRole", "sts:TagSession"',
        '"sts:AssumeRole"',
        eks.test_driver_gets_its_role_by_pod_identity,
    ),
    "wildcard policy": (
        '"service-role/AmazonEBSCSIDriverPolicyV2"',
        '"AdministratorAccess"',
        eks.test_roles_carry_only_the_named_policies,
    ),
    "everybody may take the role on": (
        '{"Service": service}',
        '{"AWS": "*"}',
        eks.test_roles_carry_only_the_named_policies,
    ),
    "public CIDRs ignored": (
        'list(self._args["public_access_cidrs"])',
        '["0.0.0.0/0"]',
        eks.test_only_the_given_blocks_reach_the_api,
    ),
    "nodes shut out": (
        "endpoint_private_access=True",
        "endpoint_private_access=False",
        eks.test_endpoint_is_waited_for_and_lets_nodes_in,
    ),
    "nodes before their routes": (
        "needs=[control_plane, *network.routes]",
        "needs=[control_plane]",
        eks.test_nodes_wait_for_cluster_and_routes,
    ),
    "nodes wait for the add-ons": (
        "needs=[control_plane, *network.routes]",
        "needs=[control_plane, *network.routes, *addons.addons]",
        eks.test_nodes_wait_for_cluster_and_routes,
    ),
    "pulumi-eks makes vpc-cni": (
        "use_default_vpc_cni=True",
        "use_default_vpc_cni=False",
        eks.test_pulumi_eks_creates_no_add_on_that_nodes_would_wait_for,
    ),
    "add-ons of older stacks forgotten": (
        "aliases=[former]",
        "aliases=[]",
        eks.test_network_add_ons_take_over_those_of_pulumi_eks,
    ),
    "software deleted with its add-on": (
        '"preserve": True',
        '"preserve": False',
        eks.test_network_add_ons_win_and_survive_their_delete,
    ),
    "agent waits for nodes": (
        'needs=[args["cluster"]]',
        'needs=[args["nodes"]]',
        eks.test_add_ons_of_every_node_do_not_wait_for_nodes,
    ),
    "no tags": (
        "{LAB_TAG: self.cluster_name}",
        "{}",
        eks.test_provider_tags_everything,
    ),
    "another provider for the cluster": (
        "provider_credential_opts={},\n            opts=self._child(),",
        "provider_credential_opts={},\n            opts=pulumi.ResourceOptions(parent=self, "
        "depends_on=[self._frozen]),",
        eks.test_provider_tags_everything,
    ),
    "inputs compared too late": (
        ", depends_on=[self._frozen])",
        ")",
        eks.test_inputs_are_compared_before_all_else,
    ),
    "kubeconfig in clear": (
        "pulumi.Output.secret(control_plane.kubeconfig_json)",
        "control_plane.kubeconfig_json",
        eks.test_kubeconfig_is_secret,
    ),
    "nodes left behind by an upgrade": (
        '            version=args["kubernetes_version"],\n',
        "",
        eks.test_nodes_are_what_the_price_says,
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_planted_error_turns_its_test_red(error: str, tmp_path: Path) -> None:
    right, wrong, test = ERRORS[error]
    shutil.copytree(ROOT / "components", tmp_path / "components")
    shutil.copy(ROOT / "__main__.py", tmp_path)
    plant(tmp_path, right, wrong)
    broken = program(tmp_path, publicAccessCidrs=[HOME])
    with pytest.raises(AssertionError):
        test(broken)
