"""Snapshots on the local cloud without Pulumi: switched on and off, made, restored with their bytes, deleted."""

from collections.abc import Iterator
from typing import Any

import pytest

from checkout.until import until
from localcloud.components import COMPONENTS, components_of
from localcloud.control_plane import ControlPlane
from localcloud.errors import LocalCloudError
from localcloud.record.layout import Layout
from tests.local import claims
from tests.local.claims import apply, claim, pod
from tests.local.clouds import TOOLS, ec2_of, kubectl, pids, record_of, volume_ids
from tests.local.conftest import REGION

pytestmark = pytest.mark.thorough

API = "snapshot.storage.k8s.io/v1"
SNAPSHOT_CLASS = {
    "apiVersion": API,
    "kind": "VolumeSnapshotClass",
    "metadata": {"name": "ebs-snapshots", "annotations": {"snapshot.storage.kubernetes.io/is-default-class": "true"}},
    "driver": "ebs.csi.aws.com",
    "deletionPolicy": "Delete",
    "parameters": {"tagSpecification_1": "Name={{ .VolumeSnapshotNamespace }}/{{ .VolumeSnapshotName }}"},
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cloud that was created without snapshots, and has them now."""
    cloud = ControlPlane(tmp_path_factory.mktemp("lab") / "clouds" / "snapshots", tools=TOOLS)
    cloud.create(REGION)
    assert set(pids(cloud)) == {one.name for one in COMPONENTS if not one.snapshots}, "others pay for snapshots"
    cloud.start(snapshots=True)
    with claims.node(cloud):
        yield cloud
    cloud.delete()


def snapshot(name: str, of: str = "claim") -> dict[str, Any]:
    source = {"persistentVolumeClaimName": of}
    return {"apiVersion": API, "kind": "VolumeSnapshot", "metadata": {"name": name}, "spec": {"source": source}}


def attached(cloud: ControlPlane, number: int) -> bool:
    told = kubectl(cloud, "get", "volumeattachment", "-o", "jsonpath={.items[*].status.attached}").stdout
    return told.split() == ["true"] * number


def volume_of(cloud: ControlPlane, name: str) -> str:
    """Return the EBS volume of a bound claim."""
    bound = kubectl(cloud, "get", "pvc", name, "-o", "jsonpath={.spec.volumeName}").stdout
    return kubectl(cloud, "get", "pv", bound, "-o", "jsonpath={.spec.csi.volumeHandle}").stdout


def ready(cloud: ControlPlane, name: str) -> bool:
    return kubectl(cloud, "get", "volumesnapshot", name, "-o", "jsonpath={.status.readyToUse}").stdout == "true"


def snapshots_in_ec2(cloud: ControlPlane) -> list[dict[str, Any]]:
    return ec2_of(cloud).describe_snapshots(OwnerIds=["self"])["Snapshots"]


def test_a_cloud_gets_snapshots_while_it_runs(cloud: ControlPlane) -> None:
    assert cloud.health() == []
    assert set(pids(cloud)) == {one.name for one in components_of(record_of(cloud))} == {c.name for c in COMPONENTS}
    before = pids(cloud)
    cloud.start(snapshots=True)
    assert pids(cloud) == before, "a second `up` restarted what is well"


def test_a_snapshot_brings_the_bytes_back(cloud: ControlPlane) -> None:
    layout = Layout(cloud.folder)
    apply(cloud, SNAPSHOT_CLASS, claim(), pod())
    until(lambda: attached(cloud, 1), "the volume is attached")
    first = volume_of(cloud, "claim")
    written = layout.volumes / first / "folder"
    written.mkdir(parents=True, exist_ok=True)
    (written / "file").write_text("before\n")
    apply(cloud, snapshot("kept"))
    until(lambda: ready(cloud, "kept"), "the snapshot is ready")
    [made] = snapshots_in_ec2(cloud)
    assert {"Key": "Name", "Value": "default/kept"} in made["Tags"], "the lab finds its snapshots by this tag"
    (written / "file").write_text("after\n")
    assert kubectl(cloud, "delete", "pod/pod", "pvc/claim").returncode == 0
    until(lambda: first not in volume_ids(ec2_of(cloud)), "the volume is deleted")

    apply(cloud, claim("restored", snapshot="kept"), pod("reader", "restored"))
    until(lambda: attached(cloud, 1), "the restored volume is attached")
    second = volume_of(cloud, "restored")
    restored = layout.volumes / second
    assert (restored / "folder" / "file").read_text() == "before\n", "a snapshot holds what was there when it was made"

    with pytest.raises(LocalCloudError) as refused:
        cloud.start(snapshots=False)
    assert cloud.health() == [], "what was refused must not have begun"

    _, _, way_out = str(refused.value).partition("First run kubectl ")
    assert way_out == "delete volumesnapshot/kept -n default", "its content is deleted with it, and then not found"
    assert kubectl(cloud, *way_out.split(), "--timeout=50s").returncode == 0
    until(lambda: not snapshots_in_ec2(cloud), "the snapshot is deleted in EC2")
    assert list(layout.snapshots.iterdir()) == [], "its bytes stay on the disk"
    assert (restored / "folder" / "file").exists(), "a volume does not depend on its snapshot"
    assert kubectl(cloud, "delete", "pod/reader", "pvc/restored").returncode == 0
    until(lambda: second not in volume_ids(ec2_of(cloud)), "the restored volume is deleted")


def test_a_cloud_without_snapshots_left_ends_them(cloud: ControlPlane) -> None:
    cloud.start(snapshots=False)
    assert cloud.health() == []
    assert set(pids(cloud)) == {one.name for one in COMPONENTS if not one.snapshots}
