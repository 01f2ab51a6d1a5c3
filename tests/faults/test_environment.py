"""The traps of other people's machines."""

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkout.until import until
from tests.faults.conftest import NewScene
from tests.faults.scene import Scene, errors, summary

NOWHERE = "http://127.0.0.1:9"
TRAPS = {
    **{name: NOWHERE for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (proxy, proxy.lower())},
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_ENDPOINT_URL_EC2": NOWHERE,
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_CONFIG_FILE": "/nonexistent/config",
    "KUBECONFIG": "/nonexistent/kubeconfig",
    "PYTHONPATH": "/nonexistent/python",
    # Nobody can write there, not even root.
    "HOME": "/proc",
}


def test_settings_of_others_a_long_path_and_a_read_only_home_change_nothing(
    new_scene: NewScene, tmp_path: Path
) -> None:
    folder = tmp_path / "Übung mit Leerzeichen"
    folder /= "x" * (150 - len(str(folder)) - 1)
    assert len(str(folder)) >= 150
    scene = new_scene(folder)
    scene.lab.env.update(TRAPS)
    with scene.fault("proxies, AWS_*, KUBECONFIG, home", f"path of {len(str(folder))} characters") as saw:
        saw(f"up: {summary(scene.lab.up().stdout)}")
        scene.check_standing()
        scene.lab.preview("--expect-no-changes")
        saw(f"destroy: {summary(scene.lab.destroy().stdout)}")
        scene.check_gone()


@pytest.mark.parametrize("command", ["up", "destroy"])
def test_a_reader_that_closes_early_costs_nothing(scene: Scene, command: str) -> None:
    with scene.fault("output piped into head -1", command) as saw:
        words = ["pulumi", command, "--yes", "--skip-preview", "--stack", "local", "--non-interactive"]
        running = subprocess.Popen(
            words, cwd=scene.lab.folder, env=scene.lab.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert running.stdout is not None
        first = running.stdout.readline().decode().strip()
        running.stdout.close()
        running.wait(120)
        scene.lab.pulumi("cancel", "--yes", "--stack", "local")
        saw(f"{first!r}, status {running.returncode}")
        getattr(scene.lab, command)()
        if command == "up":
            scene.check_standing()
        else:
            scene.check_gone()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 300 MB; None where mounting is not permitted."""
    folder = tmp_path / "clouds"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0
    yield folder if mounted else None
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_and_survived(new_scene: NewScene, small_disk: Path | None) -> None:
    scene = new_scene()
    lab = scene.lab
    if small_disk is None:
        _without_a_disk_of_its_own(scene)
        return
    lab.cloud.parent.symlink_to(small_disk)
    ballast = small_disk / "ballast"
    with scene.fault("full disk", "up, from nothing") as saw:
        ballast.write_bytes(b"\0" * (100 * 2**20))
        refused = lab.up(expect=None)
        assert refused.returncode != 0
        assert "MB are free" in refused.stdout
        saw(errors(refused.stdout))
        assert lab.processes() == [], "what could not be started keeps running"
        ballast.unlink()
        lab.up()
        scene.check_standing()
    with scene.fault("full disk", "up, with another server") as saw:
        _fill(ballast)
        lab.configure({"servers": ["nfs-server", "second-server"]})
        running = scene.start("up")
        until(lambda: running.poll() is not None or "500" in _csi_log(scene), "EC2 cannot keep its state", 120)
        ballast.unlink()
        saw(errors(scene.finish(running).output) or "up is done, later than usual")
        lab.up()
        scene.check_standing()
        lab.destroy()
        scene.check_gone()


def _without_a_disk_of_its_own(scene: Scene) -> None:
    """Nothing may write a file of more than 64 kB: what a quota does."""
    with scene.fault("files limited to 64 kB (no mounting)", "up, from nothing") as saw:
        words = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "local", "--non-interactive"]
        refused = subprocess.run(
            words, cwd=scene.lab.folder, env=scene.lab.env, capture_output=True, text=True, timeout=180, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)),
        )  # fmt: skip
        assert refused.returncode != 0
        saw(errors(refused.stdout + refused.stderr) or f"status {refused.returncode}")
        scene.lab.pulumi("cancel", "--yes", "--stack", "local")
        scene.lab.up()
        scene.check_standing()
        scene.lab.destroy()
        scene.check_gone()


def _fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass


def _csi_log(scene: Scene) -> str:
    logs = scene.lab.cloud / ".kwok" / "clusters" / "cloud" / "logs"
    return "".join(log.read_text(errors="replace") for log in logs.glob("e*.log"))
