"""The IAM types of pulumi-aws that the program and pulumi-eks use, carried to the operations of IAM."""

from tests.rehearsal.aws_kind import Clients, Kind, Props, found, tags_of


def _create_role(aws: Clients, p: Props) -> str:
    extra = {"Description": p["description"]} if "description" in p else {}
    aws("iam").create_role(RoleName=p["name"], AssumeRolePolicyDocument=p["assumeRolePolicy"], Tags=tags_of(p), **extra)
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
    "AmazonEBSCSIDriverPolicyV2",
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


ROLES: dict[str, Kind] = {
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
}
