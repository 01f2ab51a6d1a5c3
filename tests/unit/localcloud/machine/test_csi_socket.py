"""The CSI socket: a path that the system accepts, in a folder that only its owner enters."""

import os
from pathlib import Path

import pytest

from localcloud.errors import LocalCloudError
from localcloud.machine import csi_socket


def test_a_short_plain_folder_holds_its_socket() -> None:
    assert csi_socket.choose(Path("/srv/lab/.lab/clouds/local")) == Path("/srv/lab/.lab/clouds/local/csi.sock")


@pytest.mark.parametrize("folder", ["/srv/" + "x" * 150, "/srv/my lab", "/srv/Übung", "/srv/100%"])
def test_any_other_folder_gets_a_short_socket_elsewhere(folder: str) -> None:
    socket = csi_socket.choose(Path(folder))
    assert len(os.fsencode(socket)) <= csi_socket.LONGEST_PATH, "the system refuses longer paths"
    assert socket != csi_socket.choose(Path(folder + "2")), "two clouds must not share a socket"


def test_a_socket_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    with pytest.raises(LocalCloudError, match="not a private folder"):
        csi_socket.prepare(shared / "csi.sock", tmp_path / "cloud")
