"""A stack that version 0.1 brought up, before classes had fixed addresses, is updated and destroyed by today's code."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from checkout import ROOT, Checkout
from tests.former import unpack_former

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_former(tmp_path_factory.mktemp("former"))


@pytest.fixture
def stack(tmp_path: Path, former: Path) -> Iterator[Checkout]:
    """A stack that the former code brought up, in a folder that holds today's code."""
    stack = Checkout(
        tmp_path / "lab",
        config={"servers": ["nfs-server", "team/media"], "tour": True, "storage": "2Gi"},
        source=former,
    )
    try:
        stack.up()
        stack.take_program(ROOT)
        yield stack
    finally:
        stack.clear()


def addresses(stack: Checkout) -> dict[str, str]:
    """Return what the state names of each dynamic resource's provider, by URN."""
    providers = {one["urn"]: one.get("outputs", {}).get("__provider") for one in stack.state()}
    return {urn: b64decode(text).decode("latin-1") for urn, text in providers.items() if text}


def data(stack: Checkout) -> Mapping[str, Any]:
    """Return what must survive an update: volumes and claims by name, and the outputs that name them."""
    claims = stack.get("pvc", "--all-namespaces")["items"]
    return {
        "claims": {claim["metadata"]["uid"]: claim["spec"]["volumeName"] for claim in claims},
        "volumes": {pv["metadata"]["uid"]: pv["spec"]["csi"]["volumeHandle"] for pv in ebs_volumes(stack)},
        "outputs": stack.outputs()["servers"],
    }


def ebs_volumes(stack: Checkout) -> list[dict[str, Any]]:
    return [pv for pv in stack.get("pv")["items"] if "csi" in pv["spec"]]


def test_an_update_keeps_the_data_and_rewrites_the_addresses(stack: Checkout) -> None:
    before, urns = data(stack), set(addresses(stack))
    assert all("components.providers" not in address for address in addresses(stack).values()), "it is not a former one"
    stack.configure({"storage": "1Gi"})
    refused = stack.preview(expect=None)
    assert "storage-lab:storage is 2Gi" in refused.stdout, "the first preview of today's code guards the volumes too"
    stack.configure({"storage": "3Gi"})
    stack.preview()
    stack.up()
    assert data(stack) == before, "a move of code cost a volume"
    servers = {volume["volumeId"] for volume in before["outputs"].values()}
    grown = stack.ec2().describe_volumes(VolumeIds=sorted(servers))["Volumes"]
    assert [volume["Size"] for volume in grown] == [3, 3], "the cloud of the former code lacks what grows volumes"
    assert all("components.providers" in address for address in addresses(stack).values()), addresses(stack)
    new = [urn for urn in addresses(stack) if urn.endswith("KeptClaims::ebs")]
    assert len(addresses(stack)) == len(urns) + len(new) == len(urns) + 1, "a resource was replaced or left behind"
    assert "unchanged" in stack.preview("--expect-no-changes").stdout, "one up migrates a stack"
    stack.destroy()
    assert_nothing_left(stack)


def test_a_destroy_without_an_update_leaves_nothing(stack: Checkout) -> None:
    stack.destroy()
    assert_nothing_left(stack)


def assert_nothing_left(stack: Checkout) -> None:
    assert stack.state() == []
    assert stack.pending() == []
    assert stack.processes() == []
    assert list(stack.cloud.parent.iterdir()) == [], "the cloud's folder, and the volumes in it, stay"
