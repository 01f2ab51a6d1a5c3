"""The resource types of pulumi-aws that the program uses, each carried to the AWS operations it stands for.

botocore checks every argument against AWS's own models, and the emulator every reference. A type or an input that is
not known here is an error: the rehearsal must not pass over what it does not play.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

Props = dict[str, Any]
Clients = Callable[[str], Any]
PATIENCE = 60.0  # seconds for a cluster, whose processes really start
PLAYED_TWENTY_MINUTES = 6.0


@dataclass(frozen=True)
class Kind:
    """One resource type: how it comes, looks, changes and goes.

    `create` returns the id, `read` the outputs beyond the inputs or None where it is gone. `replaces` are the inputs
    that AWS cannot change in place, `named` the input that is given a name of its own where it has none.
    """

    inputs: frozenset[str]
    create: Callable[[Clients, Props], str]
    read: Callable[[Clients, str, Props], Props | None]
    delete: Callable[[Clients, str, Props], None]
    update: Callable[[Clients, str, Props, Props], None] | None = None
    replaces: frozenset[str] = field(default=frozenset())
    named: str | None = None


def _tags(props: Props) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(props["tagsAll"].items())]


def _specified(kind: str, props: Props) -> list[Props]:
    return [{"ResourceType": kind, "Tags": _tags(props)}]


def found(ask: Callable[[], Any]) -> Any | None:
    """What was asked for, or None where AWS says that there is no such thing."""
    try:
        return ask()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NotFound" in code or code == "NoSuchEntity":
            return None
        raise


def _described(operation: str, key: str, ids: str, attribute: str) -> Callable[[Clients, str, Props], Props | None]:
    """A `read` for the ordinary nouns of EC2: Describe by id."""

    def read(aws: Clients, id_: str, _props: Props) -> Props | None:
        answer = found(lambda: getattr(aws("ec2"), operation)(**{ids: [id_]}))
        return {"arn": f"arn:aws:ec2:us-east-1:000000000000:{attribute}/{id_}"} if answer and answer[key] else None

    return read


# Network.


def _create_vpc(aws: Clients, p: Props) -> str:
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock=p["cidrBlock"], TagSpecifications=_specified("vpc", p))["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": p["enableDnsSupport"]})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": p["enableDnsHostnames"]})
    return vpc


def _create_subnet(aws: Clients, p: Props) -> str:
    ec2 = aws("ec2")
    subnet = ec2.create_subnet(
        VpcId=p["vpcId"], CidrBlock=p["cidrBlock"], AvailabilityZone=p["availabilityZone"],
        TagSpecifications=_specified("subnet", p),
    )["Subnet"]["SubnetId"]  # fmt: skip
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": p["mapPublicIpOnLaunch"]})
    return subnet


def _create_gateway(aws: Clients, p: Props) -> str:
    ec2 = aws("ec2")
    made = ec2.create_internet_gateway(TagSpecifications=_specified("internet-gateway", p))["InternetGateway"]
    ec2.attach_internet_gateway(InternetGatewayId=made["InternetGatewayId"], VpcId=p["vpcId"])
    return made["InternetGatewayId"]


def _delete_gateway(aws: Clients, id_: str, p: Props) -> None:
    aws("ec2").detach_internet_gateway(InternetGatewayId=id_, VpcId=p["vpcId"])
    aws("ec2").delete_internet_gateway(InternetGatewayId=id_)


def _create_table(aws: Clients, p: Props) -> str:
    made = aws("ec2").create_route_table(VpcId=p["vpcId"], TagSpecifications=_specified("route-table", p))
    return made["RouteTable"]["RouteTableId"]


def _create_route(aws: Clients, p: Props) -> str:
    aws("ec2").create_route(
        RouteTableId=p["routeTableId"], DestinationCidrBlock=p["destinationCidrBlock"], GatewayId=p["gatewayId"]
    )
    return f"r-{p['routeTableId']}"


def _read_route(aws: Clients, _id: str, p: Props) -> Props | None:
    answer = found(lambda: aws("ec2").describe_route_tables(RouteTableIds=[p["routeTableId"]]))
    routes = answer["RouteTables"][0]["Routes"] if answer and answer["RouteTables"] else []
    there = any(route.get("DestinationCidrBlock") == p["destinationCidrBlock"] for route in routes)
    return {"state": "active"} if there else None


def _delete_route(aws: Clients, _id: str, p: Props) -> None:
    aws("ec2").delete_route(RouteTableId=p["routeTableId"], DestinationCidrBlock=p["destinationCidrBlock"])


def _create_association(aws: Clients, p: Props) -> str:
    return aws("ec2").associate_route_table(RouteTableId=p["routeTableId"], SubnetId=p["subnetId"])["AssociationId"]


def _read_association(aws: Clients, id_: str, p: Props) -> Props | None:
    answer = found(lambda: aws("ec2").describe_route_tables(RouteTableIds=[p["routeTableId"]]))
    tables = answer["RouteTables"] if answer else []
    return {} if any(a["RouteTableAssociationId"] == id_ for t in tables for a in t["Associations"]) else None


# Roles.


def _create_role(aws: Clients, p: Props) -> str:
    extra = {"Description": p["description"]} if "description" in p else {}
    aws("iam").create_role(RoleName=p["name"], AssumeRolePolicyDocument=p["assumeRolePolicy"], Tags=_tags(p), **extra)
    return p["name"]


def _read_role(aws: Clients, id_: str, _props: Props) -> Props | None:
    answer = found(lambda: aws("iam").get_role(RoleName=id_))
    return {"arn": answer["Role"]["Arn"]} if answer else None


def _delete_role(aws: Clients, id_: str, _props: Props) -> None:
    for profile in aws("iam").list_instance_profiles_for_role(RoleName=id_)["InstanceProfiles"]:
        raise RuntimeError(f"role {id_} is still in instance profile {profile['InstanceProfileName']}")
    aws("iam").delete_role(RoleName=id_)


MANAGED_POLICIES = {
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
    "service-role/AmazonEBSCSIDriverPolicyV2",
}


def _attach_policy(aws: Clients, p: Props) -> str:
    # The emulator would make up any policy that it is asked for.
    if p["policyArn"].partition("::aws:policy/")[2] not in MANAGED_POLICIES:
        raise RuntimeError(f"NoSuchEntity: Policy {p['policyArn']} does not exist or is not attachable")
    aws("iam").attach_role_policy(RoleName=p["role"], PolicyArn=p["policyArn"])
    return f"{p['role']}/{p['policyArn']}"


def _read_attachment(aws: Clients, _id: str, p: Props) -> Props | None:
    answer = found(lambda: aws("iam").list_attached_role_policies(RoleName=p["role"]))
    there = answer and any(policy["PolicyArn"] == p["policyArn"] for policy in answer["AttachedPolicies"])
    return {} if there else None


def _detach_policy(aws: Clients, _id: str, p: Props) -> None:
    aws("iam").detach_role_policy(RoleName=p["role"], PolicyArn=p["policyArn"])


# EKS.


def _wait(what: str, status: Callable[[], str | None], wanted: Iterable[str | None], seconds: float) -> None:
    """Poll, as the provider does. Raises with what it would say at the end of its patience."""
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
    vpc = p["vpcConfig"]
    config = {
        key: vpc[key]
        for key in ("subnetIds", "endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
        if key in vpc
    }
    aws("eks").create_cluster(
        name=p["name"], version=p["version"], roleArn=p["roleArn"], resourcesVpcConfig=config,
        accessConfig=p["accessConfig"], upgradePolicy=p["upgradePolicy"], tags=p["tagsAll"],
    )  # fmt: skip
    _wait("EKS Cluster", lambda: _status(aws, "cluster", name=p["name"]), ["ACTIVE"], PATIENCE)
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
    }


def _update_cluster(aws: Clients, id_: str, old: Props, new: Props) -> None:
    eks = aws("eks")
    if old["version"] != new["version"]:
        update = eks.update_cluster_version(name=id_, version=new["version"])["update"]
        eks.describe_update(name=id_, updateId=update["id"])
    if old["vpcConfig"] != new["vpcConfig"]:
        keys = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")
        config = {"publicAccessCidrs": ["0.0.0.0/0"]} | {k: new["vpcConfig"][k] for k in keys if k in new["vpcConfig"]}
        eks.update_cluster_config(name=id_, resourcesVpcConfig=config)


def _delete_cluster(aws: Clients, id_: str, _props: Props) -> None:
    aws("eks").delete_cluster(name=id_)
    _wait("EKS Cluster", lambda: _status(aws, "cluster", name=id_), [None], PATIENCE)


def _create_group(aws: Clients, p: Props) -> str:
    scaling = {key: int(value) for key, value in p["scalingConfig"].items()}
    aws("eks").create_nodegroup(
        clusterName=p["clusterName"], nodegroupName=p["nodeGroupName"], nodeRole=p["nodeRoleArn"],
        subnets=p["subnetIds"], amiType=p["amiType"], instanceTypes=p["instanceTypes"], capacityType=p["capacityType"],
        scalingConfig=scaling, version=p["version"], tags=p["tagsAll"],
    )  # fmt: skip
    names = {"clusterName": p["clusterName"], "nodegroupName": p["nodeGroupName"]}
    _wait("EKS Node Group", lambda: _status(aws, "nodegroup", **names), ["ACTIVE"], PATIENCE)
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
    _wait("EKS Node Group", lambda: _status(aws, "nodegroup", **_group(id_)), [None], PATIENCE)


def _create_addon(aws: Clients, p: Props) -> str:
    extra = {"resolveConflicts": p["resolveConflictsOnCreate"]} if "resolveConflictsOnCreate" in p else {}
    if p.get("podIdentityAssociations"):
        extra["podIdentityAssociations"] = p["podIdentityAssociations"]
    names = {"clusterName": p["clusterName"], "addonName": p["addonName"]}
    aws("eks").create_addon(**names, addonVersion=p["addonVersion"], tags=p["tagsAll"], **extra)
    _wait(f"EKS Add-On {p['addonName']}", lambda: _status(aws, "addon", **names), ["ACTIVE"], PLAYED_TWENTY_MINUTES)
    return f"{p['clusterName']}:{p['addonName']}"


def _addon(id_: str) -> dict[str, str]:
    cluster, _, addon = id_.partition(":")
    return {"clusterName": cluster, "addonName": addon}


def _read_addon(aws: Clients, id_: str, _props: Props) -> Props | None:
    answer = found(lambda: aws("eks").describe_addon(**_addon(id_)))
    if not answer:
        return None
    return {"arn": answer["addon"]["addonArn"], "addonVersion": answer["addon"]["addonVersion"]}


def _update_addon(aws: Clients, id_: str, _old: Props, new: Props) -> None:
    extra = {"podIdentityAssociations": new["podIdentityAssociations"]} if new.get("podIdentityAssociations") else {}
    aws("eks").update_addon(**_addon(id_), addonVersion=new["addonVersion"], **extra)


def _delete_addon(aws: Clients, id_: str, p: Props) -> None:
    aws("eks").delete_addon(**_addon(id_), preserve=bool(p.get("preserve")))


_TAGGED = frozenset({"tags", "region"})

KINDS: dict[str, Kind] = {
    "aws:ec2/vpc:Vpc": Kind(
        inputs=_TAGGED | {"cidrBlock", "enableDnsSupport", "enableDnsHostnames"},
        create=_create_vpc,
        read=_described("describe_vpcs", "Vpcs", "VpcIds", "vpc"),
        delete=lambda aws, id_, _: aws("ec2").delete_vpc(VpcId=id_),
        replaces=frozenset({"cidrBlock"}),
    ),
    "aws:ec2/subnet:Subnet": Kind(
        inputs=_TAGGED | {"vpcId", "cidrBlock", "availabilityZone", "mapPublicIpOnLaunch"},
        create=_create_subnet,
        read=_described("describe_subnets", "Subnets", "SubnetIds", "subnet"),
        delete=lambda aws, id_, _: aws("ec2").delete_subnet(SubnetId=id_),
        replaces=frozenset({"vpcId", "cidrBlock", "availabilityZone"}),
    ),
    "aws:ec2/internetGateway:InternetGateway": Kind(
        inputs=_TAGGED | {"vpcId"},
        create=_create_gateway,
        read=_described("describe_internet_gateways", "InternetGateways", "InternetGatewayIds", "internet-gateway"),
        delete=_delete_gateway,
    ),
    "aws:ec2/routeTable:RouteTable": Kind(
        inputs=_TAGGED | {"vpcId"},
        create=_create_table,
        read=_described("describe_route_tables", "RouteTables", "RouteTableIds", "route-table"),
        delete=lambda aws, id_, _: aws("ec2").delete_route_table(RouteTableId=id_),
        replaces=frozenset({"vpcId"}),
    ),
    "aws:ec2/route:Route": Kind(
        inputs=frozenset({"region", "routeTableId", "destinationCidrBlock", "gatewayId"}),
        create=_create_route,
        read=_read_route,
        delete=_delete_route,
        replaces=frozenset({"routeTableId", "destinationCidrBlock"}),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Kind(
        inputs=frozenset({"region", "routeTableId", "subnetId"}),
        create=_create_association,
        read=_read_association,
        delete=lambda aws, id_, _: aws("ec2").disassociate_route_table(AssociationId=id_),
        replaces=frozenset({"subnetId"}),
    ),
    "aws:iam/role:Role": Kind(
        inputs=frozenset({"tags", "name", "assumeRolePolicy", "description"}),
        create=_create_role,
        read=_read_role,
        delete=_delete_role,
        replaces=frozenset({"name"}),
        named="name",
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Kind(
        inputs=frozenset({"role", "policyArn"}),
        create=_attach_policy,
        read=_read_attachment,
        delete=_detach_policy,
        replaces=frozenset({"role", "policyArn"}),
    ),
    "aws:eks/cluster:Cluster": Kind(
        inputs=_TAGGED | {"name", "version", "roleArn", "vpcConfig", "accessConfig", "upgradePolicy", "bootstrapSelfManagedAddons"},
        create=_create_cluster,
        read=_read_cluster,
        update=_update_cluster,
        delete=_delete_cluster,
        replaces=frozenset({"name", "roleArn"}),
    ),
    "aws:eks/nodeGroup:NodeGroup": Kind(
        inputs=_TAGGED | {"clusterName", "nodeGroupName", "version", "nodeRoleArn", "subnetIds", "amiType", "instanceTypes", "capacityType", "scalingConfig"},
        create=_create_group,
        read=_read_group,
        update=_update_group,
        delete=_delete_group,
        replaces=frozenset({"clusterName", "nodeGroupName", "nodeRoleArn", "subnetIds", "amiType", "instanceTypes", "capacityType"}),
        named="nodeGroupName",
    ),
    "aws:eks/addon:Addon": Kind(
        inputs=_TAGGED | {"clusterName", "addonName", "addonVersion", "podIdentityAssociations", "preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"},
        create=_create_addon,
        read=_read_addon,
        update=_update_addon,
        delete=_delete_addon,
        replaces=frozenset({"clusterName", "addonName"}),
    ),
}  # fmt: skip
