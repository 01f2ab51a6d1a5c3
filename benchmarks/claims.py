"""Measures hundreds of volumes at once, straight at the CSI controller, and the EC2 API's share of the time."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import grpc
import psutil

from benchmarks.measure import seconds
from benchmarks.report import Report, table
from checkout import ROOT
from checkout.until import until
from localcloud import ec2_key
from localcloud.components import PORTS
from localcloud.csi.stubs import csi, csi_grpc
from localcloud.machine import ports
from localcloud.record.layout import Layout

CLAIMS = 500
_AT_ONCE = 100
_REGION = "us-east-1"
_WAIT_SECONDS = 120


@dataclass(frozen=True)
class Burst:
    """Seconds for all claims, and the processor seconds of both processes meanwhile."""

    whole: float
    controller: float
    ec2_api: float


def measure(folder: Path, runs: int, quick: bool) -> Report:
    """Return the claims a second with the EC2 API of the lab, which saves each answer, and with plain MiniStack."""
    claims = 50 if quick else CLAIMS
    ours: list[Burst] = []
    plain: list[Burst] = []
    for run in range(runs):
        ours.append(_burst(folder / f"o{run}", claims, saved=True))
        plain.append(_burst(folder / f"p{run}", claims, saved=False))
    rows = [_row("saved before answered (the lab)", claims, ours), _row("MiniStack as it comes", claims, plain)]
    ratio = median(a.whole / b.whole for a, b in zip(ours, plain, strict=True))
    header = ("EC2 API", "seconds", "claims a second", "ms of controller", "ms of EC2 API", "EC2 API's share, %")
    return Report(
        [table(header, rows)],
        [
            f"{claims} CreateVolume calls, {_AT_ONCE} at a time; the columns in ms are processor time of a claim. "
            f"Keeping every answer through a kill costs {ratio:.2f} times the time (median of {runs} pairs)."
        ],
    )


def _row(name: str, claims: int, bursts: list[Burst]) -> tuple[object, ...]:
    whole = median(burst.whole for burst in bursts)
    controller = median(burst.controller for burst in bursts)
    ec2_api = median(burst.ec2_api for burst in bursts)
    share = 100 * ec2_api / (controller + ec2_api)
    return name, whole, claims / whole, 1000 * controller / claims, 1000 * ec2_api / claims, share


def _burst(folder: Path, claims: int, *, saved: bool) -> Burst:
    folder.mkdir()
    with ExitStack() as stack, ports.reserve(PORTS) as chosen:
        port = chosen["ec2-api"]
        ec2_key.create(Layout(folder), _REGION)
        key = Layout(folder).ec2_key
        ec2_api = stack.enter_context(_process(folder, *_ec2_api(port, folder, key, saved)))
        endpoint, url = f"unix://{folder}/s", f"http://127.0.0.1:{port}"
        controller = stack.enter_context(
            _process(
                folder,
                "localcloud.csi.server",
                f"--endpoint={endpoint}",
                f"--ec2-endpoint={url}",
                f"--ec2-key={key}",
                f"--region={_REGION}",
            )
        )
        socket = folder / "s"
        until(
            lambda: ports.answers(port) and socket.exists(), "the EC2 API and the CSI controller are up", _WAIT_SECONDS
        )
        stub: Any = csi_grpc.ControllerStub(stack.enter_context(grpc.insecure_channel(endpoint)))
        _create(stub, "first")  # the first volume also creates the emulator's VPC
        before = _cpu(controller), _cpu(ec2_api)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            whole = seconds(lambda: list(pool.map(lambda i: _create(stub, f"pvc-{i}"), range(claims))))
        return Burst(whole, _cpu(controller) - before[0], _cpu(ec2_api) - before[1])


def _ec2_api(port: int, folder: Path, key: Path, saved: bool) -> tuple[str, ...]:
    if saved:
        volumes = folder / "volumes"
        options = f"--port={port}", f"--state={folder}", f"--volumes={volumes}", f"--key={key}", f"--region={_REGION}"
        return "localcloud.ec2_emulator", *options
    return ("benchmarks.plain_ec2_api", str(port), str(folder))


@contextmanager
def _process(folder: Path, module: str, *arguments: str) -> Iterator[psutil.Process]:
    with (folder / f"{module}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=log, stderr=log)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def _create(stub: Any, name: str) -> None:
    mode = csi.VolumeCapability.AccessMode(mode=csi.VolumeCapability.AccessMode.SINGLE_NODE_WRITER)
    mount = csi.VolumeCapability.MountVolume(fs_type="ext4")
    request = csi.CreateVolumeRequest(
        name=name,
        capacity_range=csi.CapacityRange(required_bytes=2**30),
        volume_capabilities=[csi.VolumeCapability(mount=mount, access_mode=mode)],
    )
    stub.CreateVolume(request, timeout=_WAIT_SECONDS, wait_for_ready=True)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
