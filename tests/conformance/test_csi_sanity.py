"""The CSI conformance suite, csi-sanity, against the controller over the EC2 API of the local cloud."""

import json
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.conformance.driver import ROOT, Driver, Ec2View
from tests.conformance.node_service import node_service

SANITY = ROOT / ".lab" / "bin" / "csi-sanity"

EXPLAINED = {
    "GetCapacity not supported": "EBS has no capacity to report: there are only limits of the account",
    "ListVolumes not supported": "no sidecar of the lab lists volumes, and the real driver does not offer it",
    "Snapshot not supported": "the lab takes no snapshots",
    "ListSnapshots not supported": "the lab takes no snapshots",
    "GetSnapshot not supported": "the lab takes no snapshots",
    "DeleteSnapshot not supported": "the lab takes no snapshots",
    "CreateSnapshot not supported": "the lab takes no snapshots",
    "Volume Cloning not supported": "EBS volumes are not cloned in the lab; a source is refused",
    "Modify volume not supported": "VolumeAttributesClass is not part of the lab",
    "Modify Volume not supported": "VolumeAttributesClass is not part of the lab",
    "ControllerModifyVolume not supported": "VolumeAttributesClass is not part of the lab",
    "ControllerPublishVolume.readonly field not supported": "EBS does not attach read-only",
    "ControllerGetVolumeHealth not supported": "an alpha part of CSI that EBS has no answer for",
    "ControllerListVolumeHealth not supported": "an alpha part of CSI that EBS has no answer for",
}
"""What csi-sanity says when it skips a case of the controller or identity service, and why that is right."""

# Whole parts of the suite that are not about the controller half.
OTHER_SERVICES = ("Node Service", "GroupController Service")
CONTROLLER_CASES = 30


@pytest.fixture(scope="module")
def report(
    folder: Path, ec2: Ec2View, controller_socket: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[ElementTree.Element]:
    """The cases of one run."""
    assert SANITY.exists(), f"{SANITY} is missing: `make setup` builds it"
    out = tmp_path_factory.mktemp("sanity")
    node_socket, junit, parameters = out / "node.sock", out / "junit.xml", out / "parameters.json"
    parameters.write_text(json.dumps({"type": "gp3", "encrypted": "true", "tagSpecification_1": "Name=a=b"}))
    driver = Driver(controller_socket)
    with driver.channel, node_service(node_socket, ec2.run_instance(), driver.channel):
        run = subprocess.run(
            [
                SANITY,
                f"-csi.endpoint=unix://{node_socket}",
                f"-csi.controllerendpoint=unix://{controller_socket}",
                f"-csi.testvolumeparameters={parameters}",
                "-csi.testnodevolumeattachlimit",
                f"-csi.mountdir={out / 'mount'}",
                f"-csi.stagingdir={out / 'staging'}",
                f"-ginkgo.skip={'|'.join(OTHER_SERVICES)}",
                f"-ginkgo.junit-report={junit}",
                "-ginkgo.no-color",
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert junit.exists(), f"csi-sanity wrote no report: {run.stdout}{run.stderr}"
    assert run.returncode == 0, f"csi-sanity failed: {run.stdout[-8000:]}"
    return list(ElementTree.parse(junit).getroot().iter("testcase"))


def test_the_controller_passes_every_case_that_applies(report: list[ElementTree.Element]) -> None:
    passed = [name for case in report if case.get("status") == "passed" and "[It]" in (name := case.get("name", ""))]
    assert len(passed) == CONTROLLER_CASES, (
        "fewer cases than before means that a service or a capability is no longer announced, "
        "and its cases are skipped in silence: " + "\n".join(passed)
    )
    failed = [case.get("name") for case in report if case.get("status") not in ("passed", "skipped", "pending")]
    assert not failed, "the sidecars rely on what these cases ask for"


def test_every_skipped_case_has_a_reason(report: list[ElementTree.Element]) -> None:
    unexplained: list[str] = []
    for case in report:
        name, skipped = case.get("name", ""), case.find("skipped")
        if skipped is None or any(service in name for service in OTHER_SERVICES):
            continue
        message = skipped.get("message", "")
        if case.get("status") != "pending" and message.removeprefix("skipped - ") not in EXPLAINED:
            unexplained.append(f"{name}: {message}")
    assert not unexplained, "a case that nobody decided to skip may hide a defect"


def test_the_conformance_suite_leaves_no_volume(report: list[ElementTree.Element], ec2: Ec2View) -> None:
    left = [volume["VolumeId"] for volume in ec2.volumes("sanity-*")]
    assert not left, "deleting or unpublishing said success for volumes that still exist"
