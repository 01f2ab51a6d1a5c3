"""What the contract of the component lets a program change later: the claim, and so its data, stays."""

from pathlib import Path

import pytest

from checkout import ROOT, Checkout
from checkout.until import until
from tests.local.test_component_examples import Example

pytestmark = pytest.mark.thorough

PROGRAM = """
import sys
sys.path.insert(0, {root!r})
import pulumi
import pulumi_kubernetes as kubernetes
from components.nfs_server import NfsServer

cluster = kubernetes.Provider("cluster", kubeconfig=pulumi.Config().require("kubeconfig"))
house = pulumi.ComponentResource("example:index:House", "house")
server = NfsServer(
    {name!r},
    {{"server_name": "files", **{args!r}}},
    opts=pulumi.ResourceOptions(
        parent={parent},
        providers=[cluster],
        aliases=[pulumi.Alias(name=former, parent=pulumi.ROOT_STACK_RESOURCE) for former in ("files", "share")],
    ),
)
"""
OF_A_CLASS = """
import sys
sys.path.insert(0, {root!r})
import pulumi
import pulumi_kubernetes as kubernetes
from components.nfs_server import NfsServer
from components.storage_class import EbsStorageClass

options = pulumi.ResourceOptions(
    providers=[kubernetes.Provider("cluster", kubeconfig=pulumi.Config().require("kubeconfig"))]
)
storage = EbsStorageClass("shared", {{"tags": {tags!r}}}, opts=options)
after = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[storage]))
NfsServer("files", {{"storage_class": storage.class_name, "protect": False}}, opts=after)
"""
CHANGES = [
    ("storage", "files", {"storage": "2Gi"}, "None"),
    ("image", "files", {"storage": "2Gi", "image": "registry.example.com/nfs:2"}, "None"),
    ("labels", "files", {"storage": "2Gi", "labels": {"team": "a"}}, "None"),
    ("name", "share", {"storage": "2Gi"}, "None"),
    ("parent", "share", {"storage": "2Gi"}, "house"),
]


class Changing(Example):
    """A program of one server, which is written anew for each change."""

    def write(self, name: str, args: dict[str, object], parent: str) -> None:
        (self.folder / "__main__.py").write_text(PROGRAM.format(root=str(ROOT), name=name, args=args, parent=parent))

    def write_class(self, tags: dict[str, str]) -> None:
        (self.folder / "__main__.py").write_text(OF_A_CLASS.format(root=str(ROOT), tags=tags))


def claim_uid(lab: Checkout) -> str:
    return lab.get("pvc", "files-pvc")["metadata"]["uid"]


def capacity(lab: Checkout) -> str:
    return lab.get("pvc", "files-pvc")["status"]["capacity"]["storage"]


def test_no_permitted_change_replaces_the_claim(tmp_path: Path, lab: Checkout) -> None:
    program = Changing("python", tmp_path, lab, ROOT / ".venv" / "bin")
    try:
        program.write("files", {}, "None")
        program.pulumi("up", "--yes", "--skip-preview")
        first = claim_uid(lab)
        for what, *written in CHANGES:
            program.write(*written)
            program.pulumi("up", "--yes", "--skip-preview")
            assert claim_uid(lab) == first, f"a change of {what} lost the data"
            until(lambda: capacity(lab) == "2Gi", "the volume has the size that the program asks for")
        program.write("share", {"storage": "2Gi", "claim_name": "other"}, "house")
        assert "unable to replace" in program.pulumi("up", "--yes", "--skip-preview", fails=True)
        assert claim_uid(lab) == first, "a change that the contract does not permit lost the data"
    finally:
        program.pulumi("state", "unprotect", "--all", "--yes")
        program.pulumi("destroy", "--yes", "--skip-preview")


def test_other_tags_of_a_class_replace_no_claim(tmp_path: Path, lab: Checkout) -> None:
    program = Changing("python", tmp_path, lab, ROOT / ".venv" / "bin")
    try:
        program.write_class({"team": "a"})
        program.pulumi("up", "--yes", "--skip-preview")
        first = claim_uid(lab)
        program.write_class({"team": "b"})
        assert "1 replaced" in program.pulumi("up", "--yes", "--skip-preview"), "only the class has other parameters"
        assert claim_uid(lab) == first, "the class was replaced, and the data with it"
    finally:
        program.pulumi("destroy", "--yes", "--skip-preview")
