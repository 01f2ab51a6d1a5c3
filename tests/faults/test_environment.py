"""The traps of other people's machines."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkout import ROOT
from checkout.until import until
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, errors, summary
from tests.unit.tools.test_python_env import PIN, wheel

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

SETUP = """
import sys
from pathlib import Path
from tools.console import Progress
from tools.python_env import PythonEnvironment
PythonEnvironment(Path(sys.argv[1]), "requirements.txt", Progress()).make()
"""


@pytest.mark.telling
def test_lab_ignores_foreign_settings_and_a_read_only_home(new_fault_lab: NewFaultLab, tmp_path: Path) -> None:
    folder = tmp_path / "Übung mit Leerzeichen"
    folder /= "x" * (150 - len(str(folder)) - 1)
    assert len(str(folder)) >= 150
    fault_lab = new_fault_lab(folder)
    fault_lab.checkout.env.update(TRAPS)
    with fault_lab.fault("proxies, AWS_*, KUBECONFIG, home", f"path of {len(str(folder))} characters") as saw:
        saw(f"up: {summary(fault_lab.checkout.up().stdout)}")
        fault_lab.check_standing()
        fault_lab.checkout.preview("--expect-no-changes")
        saw(f"destroy: {summary(fault_lab.checkout.destroy().stdout)}")
        fault_lab.check_gone()


def test_foreign_passphrase_is_refused_and_leaves_the_lab_alone(fault_lab: FaultLab) -> None:
    with fault_lab.fault("passphrase of another project", "preview") as saw:
        refused = fault_lab.checkout.preview(expect=None, env={"PULUMI_CONFIG_PASSPHRASE": "of another project"})
        assert refused.returncode != 0
        assert "incorrect passphrase" in refused.stderr, "nobody finds it in docs/troubleshooting.md"
        saw("incorrect passphrase; docs/troubleshooting.md has the way out")
        fault_lab.checkout.preview("--expect-no-changes")


def test_packages_arrive_though_pip_is_sent_elsewhere(fault_lab: FaultLab, tmp_path: Path) -> None:
    wheel(tmp_path)
    (tmp_path / "requirements.txt").write_text(f"{PIN}\n")
    elsewhere = tmp_path / "elsewhere"
    env = {"PIP_TARGET": str(elsewhere), "PIP_FIND_LINKS": str(tmp_path), "PIP_NO_INDEX": "true"}
    with fault_lab.fault("PIP_TARGET elsewhere", "setup of the packages") as saw:
        subprocess.run([sys.executable, "-c", SETUP, tmp_path], cwd=ROOT, env={**os.environ, **env}, check=True)
        [python] = (tmp_path / ".venv" / "lib").iterdir()
        assert list(python.glob("site-packages/storage_lab_example*")), "the lab would not start"
        assert not elsewhere.exists()
        saw("the packages are in .venv")


@pytest.mark.parametrize("command", ["up", "destroy"])
def test_next_command_finishes_after_a_closed_pipe(fault_lab: FaultLab, command: str) -> None:
    with fault_lab.fault("output piped into head -1", command) as saw:
        words = ["pulumi", command, "--yes", "--skip-preview", "--stack", "local", "--non-interactive"]
        running = subprocess.Popen(
            words,
            cwd=fault_lab.checkout.folder,
            env=fault_lab.checkout.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert running.stdout is not None
        first = running.stdout.readline().decode().strip()
        running.stdout.close()
        running.wait(120)
        fault_lab.checkout.pulumi("cancel", "--yes", "--stack", "local")
        saw(f"{first!r}, status {running.returncode}")
        getattr(fault_lab.checkout, command)()
        if command == "up":
            fault_lab.check_standing()
        else:
            fault_lab.check_gone()


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


def test_full_disk_is_named_and_the_next_up_finishes(new_fault_lab: NewFaultLab, small_disk: Path | None) -> None:
    fault_lab = new_fault_lab()
    checkout = fault_lab.checkout
    if small_disk is None:
        _without_a_disk_of_its_own(fault_lab)
        return
    checkout.cloud.parent.symlink_to(small_disk)
    ballast = small_disk / "ballast"
    with fault_lab.fault("full disk", "up, from nothing") as saw:
        ballast.write_bytes(b"\0" * (100 * 2**20))
        refused = checkout.up(expect=None)
        assert refused.returncode != 0
        assert "MB are free" in refused.stdout
        saw(errors(refused.stdout))
        assert checkout.processes() == [], "what could not be started keeps running"
        ballast.unlink()
        checkout.up()
        fault_lab.check_standing()
    with fault_lab.fault("full disk", "up, with another server") as saw:
        _fill(ballast)
        checkout.configure({"servers": ["nfs-server", "second-server"]})
        running = fault_lab.start("up")
        until(lambda: running.poll() is not None or "500" in _csi_log(fault_lab), "EC2 cannot keep its state", 120)
        ballast.unlink()
        saw(errors(fault_lab.finish(running).output) or "up is done, later than usual")
        checkout.up()
        fault_lab.check_standing()
        checkout.destroy()
        fault_lab.check_gone()


def _without_a_disk_of_its_own(fault_lab: FaultLab) -> None:
    """Nothing may write a file of more than 64 kB: what a quota does."""
    with fault_lab.fault("files limited to 64 kB (no mounting)", "up, from nothing") as saw:
        words = ["pulumi", "up", "--yes", "--skip-preview", "--stack", "local", "--non-interactive"]
        refused = subprocess.run(
            words, cwd=fault_lab.checkout.folder, env=fault_lab.checkout.env, capture_output=True, text=True,
            timeout=180, check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)),
        )  # fmt: skip
        assert refused.returncode != 0
        saw(errors(refused.stdout + refused.stderr) or f"status {refused.returncode}")
        fault_lab.checkout.pulumi("cancel", "--yes", "--stack", "local")
        fault_lab.checkout.up()
        fault_lab.check_standing()
        fault_lab.checkout.destroy()
        fault_lab.check_gone()


def _fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            pass


def _csi_log(fault_lab: FaultLab) -> str:
    logs = fault_lab.checkout.cloud / ".kwok" / "clusters" / "cloud" / "logs"
    return "".join(log.read_text(errors="replace") for log in logs.glob("e*.log"))
