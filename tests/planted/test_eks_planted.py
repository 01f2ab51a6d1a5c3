"""Errors planted in a copy of the program: each must break the law that is there to see it.

A law that lets its error pass is worth nothing, so this is the test of the tests.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit import test_eks_program as eks
from tests.unit.components.eks.eks_program import HOME, program
from tests.unit.fresh import ROOT
from tests.unit.mocks import Deployed

Law = Callable[[Deployed], None]
# Name of the error, file, what stands there, what stands there instead, the law that must break.
ERRORS: dict[str, tuple[str, str, str, Law]] = {
    "driver before nodes": (
        "components/eks/driver.py",
        'needs=[args["nodes"], agent, *role.permissions]',
        "needs=[agent, *role.permissions]",
        eks.the_driver_comes_after_nodes_agent_and_permissions,
    ),
    "driver without its permissions": (
        "components/eks/driver.py",
        "agent, *role.permissions]",
        "agent]",
        eks.the_driver_comes_after_nodes_agent_and_permissions,
    ),
    "coredns enabled": (
        "components/eks/cluster.py",
        "skip_default_node_group=True,",
        'skip_default_node_group=True, coredns_addon_options={"enabled": True},',
        eks.coredns_is_left_to_eks,
    ),
    "class without its driver": (
        "__main__.py",
        "*cluster.ready, ",
        "",
        eks.claims_go_before_the_barrier_and_the_barrier_before_the_driver,
    ),
    "claims without the barrier": (
        "__main__.py",
        "after(storage.barrier)",
        "after(storage.storage_class)",
        eks.claims_go_before_the_barrier_and_the_barrier_before_the_driver,
    ),
    "no default class": (
        "components/storage_class.py",
        'is-default-class": "true"',
        'is-default-class": "false"',
        eks.the_class_is_the_default_one_and_encrypted,
    ),
    "Immediate binding": (
        "components/storage_class.py",
        '"WaitForFirstConsumer"',
        '"Immediate"',
        eks.the_class_is_the_default_one_and_encrypted,
    ),
    "wrong service account": (
        "components/eks/driver.py",
        '"ebs-csi-controller-sa"',
        '"ebs-csi-node-sa"',
        eks.the_driver_gets_its_role_by_pod_identity,
    ),
    "no session tags": (
        "components/eks/driver.py",
        '"sts:AssumeRole", "sts:TagSession"',
        '"sts:AssumeRole"',
        eks.the_driver_gets_its_role_by_pod_identity,
    ),
    "wildcard policy": (
        "components/eks/driver.py",
        '"service-role/AmazonEBSCSIDriverPolicyV2"',
        '"AdministratorAccess"',
        eks.roles_carry_only_the_named_managed_policies,
    ),
    "everybody may take the role on": (
        "components/eks/service_role.py",
        '{"Service": service}',
        '{"AWS": "*"}',
        eks.roles_carry_only_the_named_managed_policies,
    ),
    "public CIDRs ignored": (
        "components/eks/cluster.py",
        'list(self._args["public_access_cidrs"]) or None',
        "None",
        eks.only_the_given_blocks_reach_the_api,
    ),
    "nodes shut out": (
        "components/eks/cluster.py",
        "endpoint_private_access=True",
        "endpoint_private_access=False",
        eks.the_api_waits_for_its_name_and_lets_nodes_in,
    ),
    "nodes before their routes": (
        "components/eks/cluster.py",
        "needs=[control_plane, *place.routes]",
        "needs=[control_plane]",
        eks.nodes_come_after_the_cluster_and_a_way_to_the_internet,
    ),
    "agent waits for nodes": (
        "components/eks/driver.py",
        'needs=[args["cluster"]]',
        'needs=[args["nodes"]]',
        eks.the_agent_overlaps_with_the_nodes,
    ),
    "no tags": (
        "components/eks/cluster.py",
        "{LAB_TAG: self.cluster_name}",
        "{}",
        eks.everything_is_tagged_by_the_provider,
    ),
    "another provider for the cluster": (
        "components/eks/cluster.py",
        "provider_credential_opts={},\n            opts=self._child(),",
        "provider_credential_opts={},\n            opts=pulumi.ResourceOptions(parent=self, "
        "depends_on=[self._frozen]),",
        eks.everything_is_tagged_by_the_provider,
    ),
    "inputs compared too late": (
        "components/eks/cluster.py",
        ", depends_on=[self._frozen])",
        ")",
        eks.nothing_is_made_before_the_inputs_are_compared,
    ),
    "kubeconfig in clear": (
        "components/eks/cluster.py",
        "pulumi.Output.secret(control_plane.kubeconfig_json)",
        "control_plane.kubeconfig_json",
        eks.the_kubeconfig_is_secret,
    ),
    "nodes left behind by an upgrade": (
        "components/eks/nodes.py",
        '            version=args["kubernetes_version"],\n',
        "",
        eks.the_nodes_are_what_the_price_says,
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_a_planted_error_breaks_its_law(error: str, tmp_path: Path) -> None:
    file, right, wrong, law = ERRORS[error]
    shutil.copytree(ROOT / "components", tmp_path / "components")
    shutil.copy(ROOT / "__main__.py", tmp_path)
    text = (tmp_path / file).read_text()
    assert right in text, f"{file} has changed: plant this error anew"
    (tmp_path / file).write_text(text.replace(right, wrong))
    broken = program(tmp_path, publicAccessCidrs=[HOME])
    with pytest.raises((AssertionError, KeyError)):
        law(broken)
