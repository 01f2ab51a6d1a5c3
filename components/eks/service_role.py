"""ServiceRole: an IAM role that one AWS service may assume, with AWS managed policies attached."""

import json
from collections.abc import Sequence
from typing import TypedDict

import pulumi
from pulumi_aws import iam

from ..settings.arguments import check_arguments


def trust_document(service: str, actions: Sequence[str]) -> str:
    """Return the trust policy, as JSON, that lets `service` (ec2.amazonaws.com) do `actions` (sts:AssumeRole)."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": list(actions)}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class ServiceRoleArgs(TypedDict):
    """`service` assumes the role with `actions`; `policies` are names of AWS managed policies in `partition`."""

    service: str
    actions: Sequence[str]
    policies: Sequence[str]
    partition: str


class ServiceRole(pulumi.ComponentResource):
    """The role and its attachments.

    Attributes: `arn`; `permissions`, the attachments. A resource that uses the role must depend on these, because a
    role without its policies exists and is of no use, in an `up` and in a destroy.
    """

    arn: pulumi.Output[str]
    permissions: list[pulumi.Resource]

    def __init__(self, name: str, args: ServiceRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_arguments("ServiceRole", name, args, ServiceRoleArgs)
        super().__init__("storage-lab:index:ServiceRole", name, None, opts)
        role = iam.Role(
            name,
            assume_role_policy=trust_document(args["service"], args["actions"]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = role.arn
        self.permissions = [
            iam.RolePolicyAttachment(
                f"{name}-{policy.rpartition('/')[2]}",
                role=role.name,
                policy_arn=f"arn:{args['partition']}:iam::aws:policy/{policy}",
                opts=pulumi.ResourceOptions(parent=self),
            )
            for policy in args["policies"]
        ]
        self.register_outputs({"arn": self.arn})
