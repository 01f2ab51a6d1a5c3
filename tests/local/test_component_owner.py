"""An NfsServer takes over no object of another server, whatever a program, a second stack or a lost state says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkout import ROOT, Checkout
from tests.former import unpack_former
from tests.local.test_component_examples import Example

pytestmark = pytest.mark.thorough

OWNER = "storage-lab/owner"
# The last commit whose servers do not say whom their objects belong to.
WITHOUT_OWNERS = "8912e86"
PROGRAM = """
import sys
sys.path.insert(0, {source!r})
import pulumi
import pulumi_kubernetes as kubernetes
from components.nfs_server import NfsServer

cluster = kubernetes.Provider("cluster", kubeconfig=pulumi.Config().require("kubeconfig"))
aliases = [pulumi.Alias(name=name) for name in {aliases!r}]
NfsServer({name!r}, {args!r}, opts=pulumi.ResourceOptions(providers=[cluster], aliases=aliases))
"""
FOREIGN = {
    "pvc/files-pvc": """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files-pvc}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 3Gi}}}
""",
    "deployment/files": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: files}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: registry.example.com/web:1}]}}
""",
    "service/files": """
apiVersion: v1
kind: Service
metadata: {name: files}
spec: {selector: {app: web}, ports: [{port: 80}]}
""",
}


class Stack(Example):
    """A stack of one server, called files in the cluster."""

    def __init__(self, folder: Path, lab: Checkout) -> None:
        folder.mkdir()
        super().__init__("python", folder, lab, ROOT / ".venv" / "bin")

    def up(
        self,
        name: str = "files",
        *words: str,
        former: str | None = None,
        source: Path = ROOT,
        fails: bool = False,
        **args: object,
    ) -> str:
        program = PROGRAM.format(
            name=name,
            source=str(source),
            aliases=[former] if former else [],
            args={"server_name": "files", "protect": False, **args},
        )
        (self.folder / "__main__.py").write_text(program)
        return self.pulumi("up", "--yes", "--skip-preview", *words, fails=fails)

    def destroy(self) -> None:
        self.pulumi("destroy", "--yes", "--skip-preview")

    def forget(self) -> None:
        """Lose the state, as a deleted folder or a stack that was removed by force does."""
        self.pulumi("stack", "rm", "--force", "--yes", "--preserve-config")
        self.pulumi("stack", "init", "test")


@pytest.fixture
def stack(tmp_path: Path, lab: Checkout) -> Iterator[Stack]:
    stack = Stack(tmp_path / "first", lab)
    yield stack
    stack.destroy()


def uids(lab: Checkout) -> dict[str, str]:
    """Return the objects of the server called files."""
    found = {what: lab.get(*what.split("/")) for what in FOREIGN}
    return {what: one["metadata"]["uid"] for what, one in found.items()}


def annotations(lab: Checkout) -> dict[str, Any]:
    return lab.get("pvc", "files-pvc")["metadata"]["annotations"]


def test_a_second_stack_never_gets_the_claim_of_the_first(tmp_path: Path, lab: Checkout, stack: Stack) -> None:
    stack.up()
    first, said = uids(lab), annotations(lab)
    second = Stack(tmp_path / "second", lab)
    refused = second.up("media", fails=True)
    assert f".metadata.annotations.{OWNER}" in refused, "docs/component.md explains the message by this name"
    assert (uids(lab), annotations(lab)) == (first, said), "the refused stack has changed what it was refused"
    second.destroy()
    assert uids(lab) == first, "a destroy of the refused stack deleted the data of the first"
    stack.pulumi("preview", "--expect-no-changes")


def test_a_server_moved_without_alias_keeps_its_claim(lab: Checkout, stack: Stack) -> None:
    stack.up()
    first = uids(lab)
    assert OWNER in stack.up("share", fails=True), "with protect off, the old address would be deleted with the data"
    assert uids(lab) == first
    stack.up()  # back: where the state has the new address, Pulumi does not look at an alias
    stack.up("share", former="files")
    assert uids(lab) == first, "with the alias it is the same server"
    stack.up("share", former="files", storage="2Gi", labels={"team": "a"})
    assert uids(lab) == first, "a server that was moved can be changed"


def test_a_server_that_lost_its_state_goes_on(lab: Checkout, stack: Stack) -> None:
    stack.up()
    first = uids(lab)
    stack.forget()
    stack.up()
    assert uids(lab) == first, "the address is the same, so the objects are its own: an interrupted up is repeated"


def test_another_server_gets_a_claim_whose_owner_was_removed(tmp_path: Path, lab: Checkout, stack: Stack) -> None:
    first = Stack(tmp_path / "lost", lab)
    first.up()
    made = uids(lab)
    assert OWNER in stack.up("share", fails=True)
    lab.kubectl("annotate", "pvc/files-pvc", "service/files", f"{OWNER}-")
    stack.up("share")
    assert uids(lab) == made
    assert annotations(lab)[OWNER].endswith("::share")


def test_a_second_server_serves_the_claim_of_the_first(tmp_path: Path, lab: Checkout, stack: Stack) -> None:
    stack.up()
    first = uids(lab)
    second = Stack(tmp_path / "second", lab)
    try:
        second.up("media", server_name="media", existing_claim="files-pvc")
        [volume] = [one for one in lab.get("pv")["items"] if one["spec"]["claimRef"]["name"] == "files-pvc"]
        assert volume["metadata"]["labels"]["role"] == "files"
        assert lab.get("deployment", "media")["status"]["readyReplicas"] == 1
    finally:
        second.destroy()
    assert uids(lab) == first


@pytest.mark.parametrize("what", FOREIGN)
def test_an_object_of_another_kind_of_owner_survives(what: str, tmp_path: Path, lab: Checkout, stack: Stack) -> None:
    written = tmp_path / "foreign.yaml"
    written.write_text(FOREIGN[what])
    lab.kubectl("create", "--filename", str(written))
    try:
        found = lab.get(*what.split("/"))
        said = stack.up(fails=True)
        assert "files" in said
        assert "was not successfully created" in said
        stack.destroy()
        left = lab.get(*what.split("/"))
        assert (left["metadata"]["uid"], left["spec"]) == (found["metadata"]["uid"], found["spec"])
        if what == "pvc/files-pvc":
            stack.up(existing_claim="files-pvc")
            stack.destroy()
            assert lab.get(*what.split("/"))["metadata"]["uid"] == found["metadata"]["uid"]
        else:
            stack.up(server_name="other")
    finally:
        lab.kubectl("delete", "--filename", str(written))


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_former(tmp_path_factory.mktemp("former"), WITHOUT_OWNERS)


def test_a_stack_of_former_code_has_nothing_to_change(lab: Checkout, stack: Stack, former: Path) -> None:
    stack.up(source=former)
    first = uids(lab)
    assert OWNER not in annotations(lab), "it is not a former one"
    unchanged = stack.up()
    assert "8 unchanged" in unchanged, unchanged
    stack.up(storage="2Gi")
    assert uids(lab) == first


def test_a_former_server_moved_without_alias_keeps_its_claim(lab: Checkout, stack: Stack, former: Path) -> None:
    stack.up(source=former, protect=True)
    first = uids(lab)["pvc/files-pvc"]
    refused = stack.up("share", protect=True, fails=True)
    [urn] = re.findall(r"pulumi state unprotect '(\S+)'", refused)
    stack.pulumi("state", "delete", "--force", urn)
    stack.up("share", "--refresh")
    assert uids(lab)["pvc/files-pvc"] == first, "the way out in docs/component.md lost the data"
    assert annotations(lab)[OWNER].endswith("::share")
