"""What the tests of the local cloud ask and do, around its public interface."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from localcloud import ec2_key
from localcloud.control_plane import ControlPlane
from localcloud.machine import processes
from localcloud.record.layout import Layout
from localcloud.record.record import CloudRecord

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".lab" / "bin"


def record_of(cloud: ControlPlane) -> CloudRecord:
    record = cloud.record()
    assert record is not None, "a created cloud has a record"
    return record


def pids(cloud: ControlPlane) -> dict[str, int]:
    """Return the living processes of a cloud, by component; a component that runs twice fails the test.

    The supervisor comes first, so that a test that kills them in this order is faster than the supervisor.
    """
    owned = sorted(processes.find(cloud.folder), key=lambda one: one.component != "supervisor")
    found = {one.component: one.process.pid for one in owned}
    assert len(found) == len(owned), f"a component runs twice: {[one.component for one in owned]}"
    return found


def kill(*pids: int) -> None:
    """Send SIGKILL, and wait until the processes have ended."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    dying = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    processes.end([processes.Owned("killed", process) for process in dying], grace_seconds=0)


def listening(cloud: ControlPlane) -> set[tuple[str, int]]:
    """Return address and port of every listener of the cloud's processes."""
    return {
        (connection.laddr[0], connection.laddr[1])
        for one in processes.find(cloud.folder)
        for connection in one.process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def kubectl(
    cloud: ControlPlane, *words: str, env: Mapping[str, str] | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run kubectl with the cloud's kubeconfig, as a user does."""
    return subprocess.run(
        [str(TOOLS / "kubectl"), "--kubeconfig", str(Layout(cloud.folder).kubeconfig), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(env or {})},
        input=stdin,
    )


def credential(cloud: ControlPlane, *python: str) -> "subprocess.Popen[str]":
    """Start the credential plugin as the kubeconfig does."""
    return subprocess.Popen(
        [sys.executable, *python, "-m", "localcloud", "credential", str(cloud.folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ec2(endpoint: str, key_file: Path) -> Any:
    """Return a client of an EC2 API, with the key in that file."""
    key = ec2_key.read(key_file)
    return boto3.Session().client(
        "ec2",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key.access_key_id,
        aws_secret_access_key=key.secret_access_key,
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )


def ec2_of(cloud: ControlPlane) -> Any:
    """Return a client of the cloud's EC2 API."""
    return ec2(record_of(cloud).ec2_endpoint, Layout(cloud.folder).ec2_key)


def volume_ids(client: Any) -> set[str]:
    return {volume["VolumeId"] for volume in client.describe_volumes()["Volumes"]}
