"""The controller as a process: its socket, its signals, its environment, and its log."""

import re
import signal
from pathlib import Path

import pytest

from checkout.until import until
from localcloud.csi import server
from tests.conformance.driver import Driver, Ec2View, controller_process


def test_it_starts_on_the_socket_of_a_killed_controller(tmp_path: Path, ec2_endpoint: str) -> None:
    with controller_process(tmp_path, ec2_endpoint) as killed:
        killed.kill()
        killed.wait()
        assert (tmp_path / "csi.sock").is_socket(), "a kill leaves the socket, or this tests nothing"
    with controller_process(tmp_path, ec2_endpoint) as process:
        driver = Driver(tmp_path / "csi.sock")
        with driver.channel:
            driver.delete("vol-00000000000000000")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, "an end on request is not a failure"
    assert not (tmp_path / "csi.sock").exists(), "the sidecars would take a dead socket for a driver"


def test_the_users_aws_settings_change_nothing(tmp_path: Path, ec2_endpoint: str, ec2: Ec2View) -> None:
    broken = tmp_path / "config"
    broken.write_text("this is [no configuration\n")
    (tmp_path / "home").mkdir()
    hostile = {
        "HOME": str(tmp_path / "home"),
        "AWS_CONFIG_FILE": str(broken),
        "AWS_SHARED_CREDENTIALS_FILE": str(broken),
        "AWS_PROFILE": "production",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIAUSERSOWNKEY",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_MAX_ATTEMPTS": "many",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_CA_BUNDLE": str(tmp_path / "missing.pem"),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }
    with controller_process(tmp_path, ec2_endpoint, hostile):
        driver = Driver(tmp_path / "csi.sock")
        with driver.channel:
            volume = driver.create("pvc-hostile")
    assert [each["VolumeId"] for each in ec2.volumes("pvc-hostile")] == [volume.volume_id], (
        "the lab must not reach for the user's account, nor fail by the user's settings"
    )
    assert not list((tmp_path / "home").iterdir()), "the user's home is not ours to write to"


def test_a_served_socket_is_not_removed(controller_socket: Path, driver: Driver) -> None:
    with pytest.raises(FileExistsError, match="another process serves"):
        server.remove_stale(controller_socket)
    assert driver.create("pvc-still-served").volume_id, "the running controller lost its socket"


def test_a_file_that_is_not_a_socket_is_not_removed(tmp_path: Path) -> None:
    precious = tmp_path / "csi.sock"
    precious.write_text("mine")
    with pytest.raises(FileExistsError, match="not a socket"):
        server.remove_stale(precious)
    assert precious.read_text() == "mine", "somebody's file was taken for a stale socket"


def test_a_socket_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"there is no folder {tmp_path}/missing"):
        server.remove_stale(tmp_path / "missing" / "csi.sock")


def test_the_log_has_one_line_a_call_and_no_traceback(driver: Driver, folder: Path) -> None:
    driver.create("pvc-logged")
    log = folder / "csi.log"
    line = until(
        lambda: next((line for line in log.read_text().splitlines() if "name=pvc-logged" in line), None),
        "the call is logged",
    )
    assert re.fullmatch(r"\S+Z CreateVolume name=pvc-logged code=OK ms=\d+ volume_id=vol-\w+", line), (
        "a person who looks for a slow or failed call reads these fields"
    )
    assert "Traceback" not in log.read_text(), "a defect showed in one of the tests before"
