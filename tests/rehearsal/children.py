"""The children of pulumi-eks's cluster as a table: compares the stand-in with the plugin, and one release with another.

    pulumi stack export --stack dev | python -m tests.rehearsal.children

prints how the children in a stack's state differ from the table here, or nothing if they do not.
"""

import difflib
import json
import sys
from typing import Any

CLUSTER = "eks:index:Cluster"

# What pulumi-eks 4.3 and 4.4 create for the program's arguments: type, name, parent, what it needs, what it says.
TABLE = """\
aws:eks/cluster:Cluster | lab-eksCluster | lab | lab-eksRole-4b490823 lab-eksRole-role | accessConfig \
bootstrapSelfManagedAddons name roleArn tags upgradePolicy version vpcConfig
aws:iam/role:Role | lab-eksRole-role | lab-eksRole | - | assumeRolePolicy description
aws:iam/rolePolicyAttachment:RolePolicyAttachment | lab-eksRole-4b490823 | lab-eksRole | lab-eksRole-role | \
policyArn role
eks:index:ServiceRole | lab-eksRole | lab | - | -
pulumi:providers:kubernetes | lab-eks-k8s | lab | lab-eksCluster | kubeconfig
"""

# With vpc-cni and kube-proxy left on, as version 0.1 of the program has it, these come on top.
NETWORK_ADDONS = """\
aws:eks/addon:Addon | lab-kube-proxy | lab | lab-eksCluster | addonName addonVersion clusterName preserve \
resolveConflictsOnCreate resolveConflictsOnUpdate
aws:eks/addon:Addon | lab-vpc-cni | lab-vpc-cni | lab-eksCluster | addonName addonVersion clusterName \
configurationValues preserve resolveConflictsOnCreate resolveConflictsOnUpdate
eks:index:VpcCniAddon | lab-vpc-cni | lab | - | -
"""

# What the providers and the engine add to the inputs by themselves.
ADDED = {"__defaults", "__internal", "tagsAll", "region"}


def children(state: list[dict[str, Any]]) -> list[str]:
    """Return a line for each resource below the cluster of pulumi-eks, in the order of type and name.

    Inputs that a provider adds by itself are left out, as are dependencies on what is not below the cluster.
    """
    (cluster,) = [resource for resource in state if resource["type"] == CLUSTER]
    below = {cluster["urn"]: cluster}
    while more := [r for r in state if r.get("parent") in below and r["urn"] not in below]:
        below |= {resource["urn"]: resource for resource in more}
    del below[cluster["urn"]]
    return sorted(_line(resource, below) for resource in below.values())


def _line(resource: dict[str, Any], below: dict[str, Any]) -> str:
    inputs = resource.get("inputs", {}) if resource["custom"] else {}
    says = inputs.keys() - ADDED - {*inputs.get("__defaults", [])}
    if resource["type"].startswith("pulumi:providers:"):
        says.discard("version")
    needs = {name_of(urn) for urn in resource.get("dependencies", []) if urn in below}
    cells = (resource["type"], name_of(resource["urn"]), name_of(resource["parent"]))
    return " | ".join((*cells, " ".join(sorted(needs)) or "-", " ".join(sorted(says)) or "-"))


def name_of(urn: str) -> str:
    return urn.split("::")[3]


def main() -> None:
    found = children(json.load(sys.stdin)["deployment"]["resources"])
    sys.stdout.writelines(
        f"{line}\n" for line in difflib.unified_diff(TABLE.splitlines(), found, "table", "state", n=0)
    )


if __name__ == "__main__":
    main()
