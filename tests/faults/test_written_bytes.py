"""Bytes that Pods wrote: a line that was acknowledged after a sync is there once, whatever was killed at any moment."""

import random
import subprocess
from collections import Counter

import pytest

from checkout.until import until
from localcloud.components import NODE
from tests.faults.fault_lab import FaultLab, kill
from tests.faults.selection import cases

SEED = 16
# The longest that a stream writes before its kill, in seconds.
LONGEST = 0.6
FILE = "/exports/lines"
KILLS: dict[str, tuple[tuple[str, ...], int]] = {
    "the node program, 5 times": ((NODE,), 5),
    "the node program, 100 times": ((NODE,), 100),
    "everything, 5 times": ((), 5),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", cases(KILLS, telling=["the node program, 5 times"]))
def test_no_acknowledged_line_is_lost_or_doubled(fault_lab: FaultLab, what: str) -> None:
    names, times = KILLS[what]
    chance = random.Random(SEED)
    written = list[str]()
    with fault_lab.fault(f"SIGKILL of {what}", "a stream of synced writes") as saw:
        _in_the_server(fault_lab, f"rm -f {FILE}")
        for number in range(1, times + 1):
            written += _write_until_a_kill(fault_lab, number, chance.uniform(0, LONGEST), names)
        found = Counter(_in_the_server(fault_lab, f"cat {FILE}").split())
        lost = [line for line in written if line not in found]
        assert lost == [], f"{len(lost)} of {len(written)} acknowledged lines are lost"
        assert [line for line, count in found.items() if count > 1] == [], "a line is there twice"
        assert len(written) > times, "next to nothing was written"
        saw(f"{len(written)} lines acknowledged, all there once")
    fault_lab.check_standing()


def _write_until_a_kill(fault_lab: FaultLab, number: int, seconds: float, names: tuple[str, ...]) -> list[str]:
    """Write lines, no two alike, one sync each; kill after so many seconds, and return those that were acknowledged."""
    script = f"i=0; while :; do i=$((i+1)); echo {number}-$i >> {FILE} && sync && echo {number}-$i; done"
    checkout = fault_lab.checkout
    command = ["kubectl", "exec", "deploy/nfs-server", "--", "sh", "-c", script]
    env = {**checkout.env, "KUBECONFIG": str(checkout.cloud / "kubeconfig")}
    with subprocess.Popen(
        command, cwd=checkout.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as stream:
        assert stream.stdout is not None
        first = stream.stdout.readline()
        assert first, "the stream did not begin"
        try:
            stream.wait(seconds)
        except subprocess.TimeoutExpired:
            kill(fault_lab, *names)
        # A line without its end is half of an acknowledgement.
        lines = [line for line in (first + stream.stdout.read()).splitlines(keepends=True) if line.endswith("\n")]
    until(lambda: _ready(fault_lab), "the server's Pod is ready again", 120)
    return [line.strip() for line in lines]


def _in_the_server(fault_lab: FaultLab, script: str) -> str:
    return fault_lab.checkout.kubectl("exec", "deploy/nfs-server", "--", "sh", "-c", script).stdout


def _ready(fault_lab: FaultLab) -> bool:
    """Return whether a command runs in the server; kubectl revives what was killed."""
    return fault_lab.checkout.kubectl("exec", "deploy/nfs-server", "--", "true", expect=None).returncode == 0
