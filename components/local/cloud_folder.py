"""CloudFolder: the place of a local cloud, known to the stack before anything runs there.

Pulumi records a resource once it is made. A command that is killed while the control plane starts leaves processes that
no destroy would know of, if the stack did not already hold this.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

import pulumi
from pulumi.dynamic import Resource

from ..access.dynamic_provider import RecordedInputs
from .local_processes import explained, processes_of


class CloudFolderArgs(TypedDict):
    """`cloud` names the folder below .lab/clouds."""

    cloud: str


class CloudFolderProvider(RecordedInputs):
    """On delete, ends whatever runs there and removes the folder: usually the control plane's delete has done so."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return str(props["cloud"])

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with explained():
            processes_of(_props["cloud"]).delete()


class CloudFolder(Resource, module="storage-lab", name="CloudFolder"):
    """The control plane depends on it, so that it is recorded first and deleted last."""

    def __init__(self, name: str, args: CloudFolderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CloudFolderProvider(), name, dict(args), opts)
