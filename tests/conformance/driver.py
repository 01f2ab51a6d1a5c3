"""The EC2 API of the local cloud and the CSI controller as processes, and clients of both."""

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import grpc

from checkout.until import until
from localcloud import ec2_key
from localcloud.csi.ec2 import ec2_client
from localcloud.csi.stubs import csi, csi_grpc
from localcloud.csi.tags import VOLUME_NAME
from localcloud.record.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ZONE = "us-east-1a"
SECONDS = 30.0
GIB = 2**30


@cache
def key_file() -> Path:
    """Return the file with the one key of all conformance tests."""
    folder = tempfile.TemporaryDirectory(prefix="conformance-")
    atexit.register(folder.cleanup)
    ec2_key.create(Layout(Path(folder.name)), REGION)
    return Layout(Path(folder.name)).ec2_key


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(arguments: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module as a process, which ends with SIGTERM; its output goes to `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


@contextlib.contextmanager
def ec2_api(folder: Path) -> Iterator[str]:
    """Run the EC2 API with its state in `folder`; yields its URL."""
    port, log = free_port(), folder / "ec2-api.log"
    arguments = ["localcloud.ec2_emulator", "--port", str(port), "--state", str(folder / "ec2")]
    arguments += ["--volumes", str(folder / "volumes"), "--region", REGION, "--key", str(key_file())]
    with running(arguments, log, cwd=ROOT) as process:
        until(lambda: listens(port) or process.poll() is not None, "the EC2 API listens")
        assert process.poll() is None, f"the EC2 API ended at its start: {log.read_text()}"
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def controller_process(
    folder: Path, ec2_endpoint: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the controller on `folder`/csi.sock, given as a relative path."""
    arguments = ["localcloud.csi.server", "--endpoint", "unix://csi.sock", "--ec2-endpoint", ec2_endpoint]
    arguments += ["--ec2-key", str(key_file())]
    log = folder / "csi.log"
    served_before = log.read_text().count(" serving ") if log.exists() else 0
    env = {**os.environ, **(environment or {}), "PYTHONPATH": str(ROOT)}
    with running([*arguments, "--region", REGION], log, cwd=folder, env=env) as process:
        until(
            lambda: log.read_text().count(" serving ") > served_before or process.poll() is not None,
            "the controller serves",
        )
        assert process.poll() is None, f"the controller ended at its start: {log.read_text()}"
        yield process


class Driver:
    """A client of the controller on a socket, with the requests that the sidecars send."""

    def __init__(self, socket_path: Path) -> None:
        # The authority that Go sends; Python's default would be the path, which HTTP/2 does not allow.
        self.channel = grpc.insecure_channel(f"unix:{socket_path}", options=[("grpc.default_authority", "localhost")])
        self.controller: Any = csi_grpc.ControllerStub(self.channel)

    def create(self, name: str, timeout: float = SECONDS, **changes: Any) -> csi.Volume:
        return self.controller.CreateVolume(create_request(name, **changes), timeout=timeout).volume

    def delete(self, volume_id: str) -> None:
        self.controller.DeleteVolume(csi.DeleteVolumeRequest(volume_id=volume_id), timeout=SECONDS)

    def expand(self, volume_id: str, required: int, limit: int = 0) -> csi.ControllerExpandVolumeResponse:
        """Ask for a size in bytes."""
        capacity = csi.CapacityRange(required_bytes=required, limit_bytes=limit)
        request = csi.ControllerExpandVolumeRequest(
            volume_id=volume_id, capacity_range=capacity, volume_capability=capability()
        )
        return self.controller.ControllerExpandVolume(request, timeout=SECONDS)

    def publish(self, volume_id: str, node_id: str) -> dict[str, str]:
        request = csi.ControllerPublishVolumeRequest(
            volume_id=volume_id, node_id=node_id, volume_capability=capability()
        )
        return dict(self.controller.ControllerPublishVolume(request, timeout=SECONDS).publish_context)

    def unpublish(self, volume_id: str, node_id: str = "") -> None:
        request = csi.ControllerUnpublishVolumeRequest(volume_id=volume_id, node_id=node_id)
        self.controller.ControllerUnpublishVolume(request, timeout=SECONDS)


def capability(mode: str = "SINGLE_NODE_WRITER", fs_type: str = "ext4") -> csi.VolumeCapability:
    return csi.VolumeCapability(
        access_mode=csi.VolumeCapability.AccessMode(mode=getattr(csi.VolumeCapability.AccessMode, mode)),
        mount=csi.VolumeCapability.MountVolume(fs_type=fs_type),
    )


def create_request(
    name: str,
    *,
    gib: int = 1,
    limit_gib: int = 0,
    zones: tuple[str, ...] = (ZONE,),
    parameters: Mapping[str, str] | None = None,
    mode: str = "SINGLE_NODE_WRITER",
) -> csi.CreateVolumeRequest:
    topologies = [csi.Topology(segments={"topology.kubernetes.io/zone": zone}) for zone in zones]
    return csi.CreateVolumeRequest(
        name=name,
        capacity_range=csi.CapacityRange(required_bytes=gib * GIB, limit_bytes=limit_gib * GIB),
        volume_capabilities=[capability(mode)],
        parameters={
            "type": "gp3",
            "csi.storage.k8s.io/pv/name": name,
            "csi.storage.k8s.io/pvc/name": "nfs-pvc",
            "csi.storage.k8s.io/pvc/namespace": "default",
            **(parameters or {}),
        },
        accessibility_requirements=csi.TopologyRequirement(requisite=topologies, preferred=topologies),
    )


class Ec2View:
    """Looks at the EC2 API without the controller."""

    def __init__(self, endpoint: str) -> None:
        self.client = ec2_client(endpoint, REGION, ec2_key.read(key_file()))

    def volumes(self, name: str) -> list[dict[str, Any]]:
        """Return the volumes whose tag CSIVolumeName is `name`; "*" is any."""
        filters = [{"Name": f"tag:{VOLUME_NAME}", "Values": [name]}]
        return self.client.describe_volumes(Filters=filters)["Volumes"]

    def run_instance(self, zone: str = ZONE) -> str:
        filters = [{"Name": "availability-zone", "Values": [zone]}, {"Name": "default-for-az", "Values": ["true"]}]
        subnet = self.client.describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"]
        answer = self.client.run_instances(ImageId="ami-00000000", MinCount=1, MaxCount=1, SubnetId=subnet)
        return answer["Instances"][0]["InstanceId"]
