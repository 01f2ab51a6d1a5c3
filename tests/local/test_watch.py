"""lab watch beside a living cloud: its lines, its keys, and a cluster that comes and goes."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from checkout import Checkout
from checkout.terminals import on_a_terminal
from tests.local.settled import attached_again

pytestmark = pytest.mark.thorough
WATCH = ("python", "-m", "lab", "watch")


@contextmanager
def lines(lab: Checkout) -> Iterator[tuple["subprocess.Popen[str]", Iterator[str]]]:
    """Yield the view in a pipe, and its lines. A line that never comes ends the test by its timeout."""
    with subprocess.Popen(
        WATCH, cwd=lab.folder, env={**lab.env, "LC_ALL": "C.UTF-8"}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as watch:  # fmt: skip
        try:
            assert watch.stdout
            yield watch, iter(watch.stdout)
        finally:
            watch.kill()


def test_pipe_gets_the_sentences_until_ctrl_c(lab: Checkout) -> None:
    [before] = lab.get("pods")["items"]
    name, volume = before["metadata"]["name"], lab.outputs()["volumeId"]
    with lines(lab) as (watch, told):
        assert f"the chain holds, from Pod {name} to the volume {volume}" in next(told)
        lab.kubectl("delete", "pod", name, "--wait=false")
        next(line for line in told if f"Pod {name} is gone; the volume {volume} stays" in line)
        ready = re.compile(rf"Pod (nfs-server-\S+) is ready on node-1, with the volume {volume} at /exports")
        assert next(found[1] for line in told if (found := ready.search(line))) != name
        watch.send_signal(signal.SIGINT)
        _, errors = watch.communicate(timeout=30)
    assert watch.returncode == 0
    assert errors == ""
    attached_again(lab)


def test_line_written_by_a_key_is_read_by_a_key_after_a_crash(lab: Checkout) -> None:
    with on_a_terminal(lab, *WATCH, columns=160) as terminal:
        terminal.until("the chain holds")
        terminal.press("w")
        terminal.until("Write a line")
        terminal.press("\r")
        terminal.until("$ kubectl exec deployment/nfs-server -- sh -c 'echo")
        lab.kubectl("exec", "deploy/nfs-server", "--", "sh", "-c", "until test -s /exports/lines; do sleep 1; done")
        terminal.press("k")
        terminal.until("Crash the container?")
        terminal.press("y")
        terminal.until("ended with exit code")
        terminal.until("is ready on node-1")
        lab.kubectl("rollout", "status", "deployment/nfs-server", "--timeout=60s")
        terminal.press("r")
        terminal.until("Read the lines")
        terminal.press("\r")
        terminal.until(lab.kubectl("exec", "deploy/nfs-server", "--", "cat", "/exports/lines").stdout.strip())
        terminal.press("q")
        assert terminal.ended() == 0
    attached_again(lab)


def test_key_scales_to_zero_and_back(lab: Checkout) -> None:
    volume = lab.outputs()["volumeId"]
    with on_a_terminal(lab, *WATCH, columns=160) as terminal:
        terminal.until("the chain holds")
        terminal.press("z")
        terminal.until("Scale to zero?")
        terminal.press("y")
        terminal.until(f"EC2: {volume} is available, 1 GiB, attached to nothing.")
        terminal.press("z")
        terminal.until("Scale back to one")
        terminal.press("\r")
        terminal.until(f"is ready on node-1, with the volume {volume} at /exports")
        terminal.press("q")
        assert terminal.ended() == 0
    attached_again(lab)


def test_cloud_that_stops_is_told_and_started_again(lab: Checkout) -> None:
    with lines(lab) as (_, told):
        next(line for line in told if "the chain holds" in line)
        lab.run("python", "-m", "localcloud", "stop", str(lab.cloud))
        next(line for line in told if "Kubernetes does not answer" in line)
        next(line for line in told if "Kubernetes answers again." in line)
    attached_again(lab)


def test_tour_that_is_added_by_an_update_comes_into_the_view(lab: Checkout) -> None:
    with on_a_terminal(lab, *WATCH, columns=160) as terminal:
        terminal.until("the chain holds")
        lab.pulumi("config", "set", "storage-lab:tour", "true")
        lab.up()
        terminal.until("host-path")
        terminal.until("1 Pod ready")
        lab.kubectl("delete", "pod", "-n", "tour", "-l", "role=host-path", "--wait=false")
        terminal.until("Pod tour/host-path-")
        terminal.press("q")
        assert terminal.ended() == 0
