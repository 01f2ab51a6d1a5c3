"""The controller half of the CSI driver ebs.csi.aws.com, as a process on a unix socket.

    python -m localcloud.csi.server --endpoint unix://csi.sock --ec2-endpoint http://127.0.0.1:4566 --region us-east-1

Logs one line a call to stderr. Ends on SIGTERM or SIGINT, with the calls that it is serving.
"""

import argparse
import os
import re
import signal
import socket
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import grpc

from .calls import CallInterceptor, log
from .controller import Controller
from .ec2 import CONNECTIONS, Ec2
from .stubs import csi, csi_grpc

DRIVER = "ebs.csi.aws.com"
VERSION = "0.1.0"
# sockaddr_un.sun_path less its final zero, on the system where it is shortest (macOS; Linux has 107).
LONGEST_SOCKET_PATH = 103
GRACE_SECONDS = 5.0


class Identity(csi_grpc.IdentityServicer):
    """CSI Identity: who this is, and that its volumes belong to zones."""

    def GetPluginInfo(
        self, request: csi.GetPluginInfoRequest, context: grpc.ServicerContext
    ) -> csi.GetPluginInfoResponse:
        return csi.GetPluginInfoResponse(name=DRIVER, vendor_version=VERSION)

    def GetPluginCapabilities(
        self, request: csi.GetPluginCapabilitiesRequest, context: grpc.ServicerContext
    ) -> csi.GetPluginCapabilitiesResponse:
        service = csi.PluginCapability.Service
        return csi.GetPluginCapabilitiesResponse(
            capabilities=[
                csi.PluginCapability(service=service(type=kind))
                for kind in (service.CONTROLLER_SERVICE, service.VOLUME_ACCESSIBILITY_CONSTRAINTS)
            ]
        )

    def Probe(self, request: csi.ProbeRequest, context: grpc.ServicerContext) -> csi.ProbeResponse:
        # Ready as soon as it listens; an EC2 API that is away is an answer of each call, and passes.
        response = csi.ProbeResponse()
        response.ready.value = True
        return response


def socket_path(endpoint: str) -> Path:
    """The path in a `unix://PATH` or `unix:PATH`, which may be relative to the working directory."""
    path = endpoint.removeprefix("unix:").removeprefix("//")
    if not endpoint.startswith("unix:") or not path:
        raise argparse.ArgumentTypeError(f"{endpoint!r}: accepted is unix://PATH")
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise argparse.ArgumentTypeError(
            f"{path!r} is longer than the {LONGEST_SOCKET_PATH} bytes that a socket's path may have; "
            "a relative path is shorter"
        )
    return Path(path)


def http_url(text: str) -> str:
    """The URL of the EC2 API."""
    try:
        url = urlsplit(text)
        valid = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number
        valid = False
    if not valid:
        raise argparse.ArgumentTypeError(f"{text!r}: accepted is a URL such as http://127.0.0.1:4566")
    return text


def region_name(text: str) -> str:
    """An AWS region."""
    if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", text):
        raise argparse.ArgumentTypeError(f"{text!r}: accepted is a region such as us-east-1")
    return text


def make_way(path: Path) -> None:
    """Remove the socket that a killed controller left. Raises OSError for anything else there, or no folder."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent}")
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(f"{path} is not a socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        else:
            raise FileExistsError(f"another process serves {path}")


def serve(path: Path, ec2: Ec2, stop: threading.Event) -> None:
    """Serve on that socket until `stop` is set; then let the running calls end."""
    make_way(path)
    server = grpc.server(ThreadPoolExecutor(CONNECTIONS), interceptors=[CallInterceptor()])
    add = cast(Any, csi_grpc)  # generated without types
    add.add_IdentityServicer_to_server(Identity(), server)
    add.add_ControllerServicer_to_server(Controller(ec2, stop), server)
    server.add_insecure_port(f"unix:{quote(str(path))}")
    server.start()
    log("serving", endpoint=str(path), driver=DRIVER, region=ec2.region)
    stop.wait()
    server.stop(GRACE_SECONDS).wait()
    path.unlink(missing_ok=True)
    log("stopped")


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit status: 0 after a signal, 1 when it cannot serve, 2 for a bad argument."""
    parser = argparse.ArgumentParser(
        prog="python -m localcloud.csi.server", description="CSI controller ebs.csi.aws.com over an EC2 API"
    )
    parser.add_argument("--endpoint", type=socket_path, required=True, metavar="unix://PATH")
    parser.add_argument("--ec2-endpoint", type=http_url, required=True, metavar="URL")
    parser.add_argument("--region", type=region_name, required=True)
    given = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        serve(given.endpoint, Ec2(given.ec2_endpoint, given.region), stop)
    except (OSError, RuntimeError) as error:  # RuntimeError is what grpc raises when it cannot bind
        print(f"ebs_csi: cannot serve on {given.endpoint}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
