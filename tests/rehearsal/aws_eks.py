"""The EKS types of pulumi-aws that the program and pulumi-eks use, carried to the operations of EKS."""

import time
from collections.abc import Callable, Iterable

from tests.rehearsal.aws_kind import TAGGED, Clients, Kind, Props, found

CREATE_SECONDS = 240.0  # for a cluster, whose processes really start
PLAYED_TWENTY_MINUTES = 6.0
# What the program and pulumi-eks say of a cluster's network.
VPC_CONFIG = frozenset({"subnetIds", "endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs"})


def _wait(what: str, status: Callable[[], str | None], wanted: Iterable[str | None], seconds: float) -> None:
    """Poll, as the provider does. Raises RuntimeError with the provider's sentence after `seconds`."""
    deadline = time.monotonic() + seconds
    while (now := status()) not in wanted:
        if now and now.endswith("FAILED"):
            raise RuntimeError(f"waiting for {what}: unexpected state '{now}'")
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"waiting for {what}: timeout while waiting for state to become 'ACTIVE' (last state: '{now}')"
            )
        time.sleep(0.05)


def _status(aws: Clients, kind: str, **names: str) -> str | None:
    answer = found(lambda: getattr(aws("eks"), f"describe_{kind}")(**names))
    return answer[kind]["status"] if answer else None


def _create_cluster(aws: Clients, p: Props) -> str:
    config = {key: value for key, value in p["vpcConfig"].items() if key in VPC_CONFIG}
    aws("eks").create_cluster(
        name=p["name"], version=p["version"], roleArn=p["roleArn"], resourcesVpcConfig=config,
        accessConfig=p["accessConfig"], upgradePolicy=p["upgradePolicy"], tags=p["tagsAll"],
    )  # fmt: skip
    _wait("EKS Cluster", lambda: _status(aws, "cluster", name=p["name"]), ["ACTIVE"], CREATE_SECONDS)
    return p["name"]


def _read_cluster(aws: Clients, id_: str, _props: Props) -> Props | None:
    answer = found(lambda: aws("eks").describe_cluster(name=id_))
    if not answer:
        return None
    cluster = answer["cluster"]
    return {
        "arn": cluster["arn"],
        "endpoint": cluster["endpoint"],
        "certificateAuthority": {"data": cluster["certificateAuthority"]["data"]},
        "version": cluster["version"],
        "status": cluster["status"],
        "vpcConfig": {key: value for key, value in cluster["resourcesVpcConfig"].items() if key in VPC_CONFIG},
    }


def _update_cluster(aws: Clients, id_: str, old: Props, new: Props) -> None:
    eks = aws("eks")
    if old["version"] != new["version"]:
        update = eks.update_cluster_version(name=id_, version=new["version"])["update"]
        eks.describe_update(name=id_, updateId=update["id"])
    if old["vpcConfig"] != new["vpcConfig"]:
        # Blocks are sent only if there are any: an empty list changes nothing.
        config = {
            key: value for key, value in new["vpcConfig"].items() if key in VPC_CONFIG - {"subnetIds"} and value != []
        }
        eks.update_cluster_config(name=id_, resourcesVpcConfig=config)


def _delete_cluster(aws: Clients, id_: str, _props: Props) -> None:
    aws("eks").delete_cluster(name=id_)
    _wait("EKS Cluster", lambda: _status(aws, "cluster", name=id_), [None], CREATE_SECONDS)


def _create_group(aws: Clients, p: Props) -> str:
    scaling = {key: int(value) for key, value in p["scalingConfig"].items()}
    aws("eks").create_nodegroup(
        clusterName=p["clusterName"], nodegroupName=p["nodeGroupName"], nodeRole=p["nodeRoleArn"],
        subnets=p["subnetIds"], amiType=p["amiType"], instanceTypes=p["instanceTypes"], capacityType=p["capacityType"],
        scalingConfig=scaling, version=p["version"], tags=p["tagsAll"],
    )  # fmt: skip
    names = {"clusterName": p["clusterName"], "nodegroupName": p["nodeGroupName"]}
    _wait("EKS Node Group", lambda: _status(aws, "nodegroup", **names), ["ACTIVE"], CREATE_SECONDS)
    return f"{p['clusterName']}:{p['nodeGroupName']}"


def _group(id_: str) -> dict[str, str]:
    cluster, _, group = id_.partition(":")
    return {"clusterName": cluster, "nodegroupName": group}


def _read_group(aws: Clients, id_: str, _props: Props) -> Props | None:
    answer = found(lambda: aws("eks").describe_nodegroup(**_group(id_)))
    if not answer:
        return None
    group = answer["nodegroup"]
    return {"arn": group["nodegroupArn"], "status": group["status"], "version": group["version"]}


def _update_group(aws: Clients, id_: str, old: Props, new: Props) -> None:
    if old["version"] != new["version"]:
        aws("eks").update_nodegroup_version(**_group(id_), version=new["version"])
    if old["scalingConfig"] != new["scalingConfig"]:
        scaling = {key: int(value) for key, value in new["scalingConfig"].items()}
        aws("eks").update_nodegroup_config(**_group(id_), scalingConfig=scaling)


def _delete_group(aws: Clients, id_: str, _props: Props) -> None:
    aws("eks").delete_nodegroup(**_group(id_))
    _wait("EKS Node Group", lambda: _status(aws, "nodegroup", **_group(id_)), [None], CREATE_SECONDS)


def _create_addon(aws: Clients, p: Props) -> str:
    extra = {"resolveConflicts": p["resolveConflictsOnCreate"]} if "resolveConflictsOnCreate" in p else {}
    extra |= {key: p[key] for key in ("podIdentityAssociations", "configurationValues") if p.get(key)}
    names = {"clusterName": p["clusterName"], "addonName": p["addonName"]}
    aws("eks").create_addon(**names, addonVersion=p["addonVersion"], tags=p["tagsAll"], **extra)
    _wait(f"EKS Add-On {p['addonName']}", lambda: _status(aws, "addon", **names), ["ACTIVE"], PLAYED_TWENTY_MINUTES)
    return f"{p['clusterName']}:{p['addonName']}"


def _addon(id_: str) -> dict[str, str]:
    cluster, _, addon = id_.partition(":")
    return {"clusterName": cluster, "addonName": addon}


ADDON_OUTPUTS = {"arn": "addonArn", "addonVersion": "addonVersion", "configurationValues": "configurationValues"}


def _read_addon(aws: Clients, id_: str, _props: Props) -> Props | None:
    answer = found(lambda: aws("eks").describe_addon(**_addon(id_)))
    if not answer:
        return None
    addon = answer["addon"]
    return {key: addon[name] for key, name in ADDON_OUTPUTS.items()}


def _update_addon(aws: Clients, id_: str, old: Props, new: Props) -> None:
    said = ("addonVersion", "configurationValues", "podIdentityAssociations")
    changed = {key: new.get(key, []) for key in said if new.get(key) != old.get(key)}
    if changed:
        conflicts = {"resolveConflicts": new["resolveConflictsOnUpdate"]} if "resolveConflictsOnUpdate" in new else {}
        aws("eks").update_addon(**_addon(id_), **changed, **conflicts)


def _delete_addon(aws: Clients, id_: str, p: Props) -> None:
    aws("eks").delete_addon(**_addon(id_), preserve=bool(p.get("preserve")))


EKS: dict[str, Kind] = {
    "aws:eks/cluster:Cluster": Kind(
        inputs=TAGGED
        | {"name", "version", "roleArn", "vpcConfig", "accessConfig", "upgradePolicy", "bootstrapSelfManagedAddons"},
        create=_create_cluster,
        read=_read_cluster,
        update=_update_cluster,
        delete=_delete_cluster,
        replaces=frozenset({"name", "roleArn"}),
        keeps=frozenset({"version", "accessConfig", "upgradePolicy", "vpcConfig.publicAccessCidrs"}),
    ),
    "aws:eks/nodeGroup:NodeGroup": Kind(
        inputs=TAGGED
        | {
            "clusterName",
            "nodeGroupName",
            "version",
            "nodeRoleArn",
            "subnetIds",
            "amiType",
            "instanceTypes",
            "capacityType",
            "scalingConfig",
        },
        create=_create_group,
        read=_read_group,
        update=_update_group,
        delete=_delete_group,
        replaces=frozenset(
            {"clusterName", "nodeGroupName", "nodeRoleArn", "subnetIds", "amiType", "instanceTypes", "capacityType"}
        ),
        named="nodeGroupName",
        keeps=frozenset({"version", "amiType", "instanceTypes", "capacityType"}),
    ),
    "aws:eks/addon:Addon": Kind(
        inputs=TAGGED
        | {
            "clusterName",
            "addonName",
            "addonVersion",
            "configurationValues",
            "podIdentityAssociations",
            "preserve",
            "resolveConflictsOnCreate",
            "resolveConflictsOnUpdate",
        },
        create=_create_addon,
        read=_read_addon,
        update=_update_addon,
        delete=_delete_addon,
        replaces=frozenset({"clusterName", "addonName"}),
        keeps=frozenset({"addonVersion", "configurationValues"}),
    ),
}
