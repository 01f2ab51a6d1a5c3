"""The network types of pulumi-aws that the program uses, carried to the operations of EC2."""

from collections.abc import Callable

from tests.rehearsal.aws_kind import TAGGED, Clients, Kind, Props, found, tags_of


def _specified(kind: str, props: Props) -> list[Props]:
    return [{"ResourceType": kind, "Tags": tags_of(props)}]


def _described(operation: str, key: str, ids: str, attribute: str) -> Callable[[Clients, str, Props], Props | None]:
    """Return a `read` for the types that EC2 describes by their id."""

    def read(aws: Clients, id_: str, _props: Props) -> Props | None:
        answer = found(lambda: getattr(aws("ec2"), operation)(**{ids: [id_]}))
        return {"arn": f"arn:aws:ec2:us-east-1:000000000000:{attribute}/{id_}"} if answer and answer[key] else None

    return read


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


NETWORK: dict[str, Kind] = {
    "aws:ec2/vpc:Vpc": Kind(
        inputs=TAGGED | {"cidrBlock", "enableDnsSupport", "enableDnsHostnames"},
        create=_create_vpc,
        read=_described("describe_vpcs", "Vpcs", "VpcIds", "vpc"),
        delete=lambda aws, id_, _: aws("ec2").delete_vpc(VpcId=id_),
        replaces=frozenset({"cidrBlock"}),
        keeps=frozenset({"cidrBlock", "enableDnsHostnames"}),
    ),
    "aws:ec2/subnet:Subnet": Kind(
        inputs=TAGGED | {"vpcId", "cidrBlock", "availabilityZone", "mapPublicIpOnLaunch"},
        create=_create_subnet,
        read=_described("describe_subnets", "Subnets", "SubnetIds", "subnet"),
        delete=lambda aws, id_, _: aws("ec2").delete_subnet(SubnetId=id_),
        replaces=frozenset({"vpcId", "cidrBlock", "availabilityZone"}),
        keeps=frozenset({"availabilityZone"}),
    ),
    "aws:ec2/internetGateway:InternetGateway": Kind(
        inputs=TAGGED | {"vpcId"},
        create=_create_gateway,
        read=_described("describe_internet_gateways", "InternetGateways", "InternetGatewayIds", "internet-gateway"),
        delete=_delete_gateway,
        keeps=frozenset({"vpcId"}),
    ),
    "aws:ec2/routeTable:RouteTable": Kind(
        inputs=TAGGED | {"vpcId"},
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
}
