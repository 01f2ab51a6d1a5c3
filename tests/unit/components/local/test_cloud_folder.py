"""CloudFolder: what its delete ends, and whose cloud it leaves alone."""

import pytest

from components.access.dynamic_provider import Failure
from components.local.control_plane import CloudFolderProvider
from localcloud.errors import LocalCloudError
from tests.unit.components.local.local_processes import Processes


def test_deleting_the_folder_ends_the_processes_of_a_killed_start(processes: Processes) -> None:
    made = CloudFolderProvider().create({"cloud": "local", "__provider": "code"})
    assert made.outs
    assert made.outs["cloud"] == "local"
    assert processes.asked == [], "it is only a place: what starts there comes later"
    CloudFolderProvider().delete(made.id, made.outs)
    assert processes.asked == ["delete"]
    processes.error = LocalCloudError("etcd (pid 12) did not end within 10 s of being killed: try again")
    with pytest.raises(Failure, match="did not end"):
        CloudFolderProvider().delete(made.id, made.outs)


@pytest.mark.parametrize(
    ("uid", "owner", "deleted"),
    [("a-uid", "a-uid", True), ("a-uid", "another-uid", False), (None, "", True), (None, "another-uid", False)],
)
def test_deleting_the_folder_leaves_the_cloud_of_another_stack(
    processes: Processes, uid: str | None, owner: str, deleted: bool
) -> None:
    processes.exist(owner=owner)
    CloudFolderProvider().delete("local", {"cloud": "local", **({"uid": uid} if uid else {})})
    assert processes.asked == (["delete"] if deleted else [])
