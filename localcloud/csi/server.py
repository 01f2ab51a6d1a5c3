r"""The controller half of the CSI driver ebs.csi.aws.com, as a process on a unix socket.

    python -m localcloud.csi.server --endpoint unix://csi.sock --ec2-endpoint http://127.0.0.1:4566 --ec2-key aws.env \
        --region us-east-1

Logs one line a call to stderr. Ends on SIGTERM or SIGINT, after the calls that it is serving.
"""

import argparse
import signal
import socket
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import grpc

from .. import ec2_key
from ..errors import LocalCloudError
from .calls import CallInterceptor, log
from .controller import Controller
from .ec2 import CONNECTIONS, Ec2
from .identity import Identity
from .names import DRIVER
from .stubs import csi_grpc

GRACE_SECONDS = 5.0
STOPS = (signal.SIGTERM, signal.SIGINT)


def remove_stale(path: Path) -> None:
    """Remove the socket that a killed controller left.

    Raises OSError when another process serves it, when it is not a socket, or when its folder does not exist.
    """
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


def serve(path: Path, ec2: Ec2) -> None:
    """Serve on that socket until SIGTERM or SIGINT, which all threads block; then let the running calls end."""
    remove_stale(path)
    stop = threading.Event()
    server = grpc.server(ThreadPoolExecutor(CONNECTIONS), interceptors=[CallInterceptor()])
    add = cast(Any, csi_grpc)  # generated without types
    add.add_IdentityServicer_to_server(Identity(), server)
    add.add_ControllerServicer_to_server(Controller(ec2, stop), server)
    server.add_insecure_port(f"unix:{quote(str(path))}")
    server.start()
    log("serving", endpoint=str(path), driver=DRIVER, region=ec2.region)
    signal.sigwait(STOPS)
    stop.set()
    server.stop(GRACE_SECONDS).wait()
    path.unlink(missing_ok=True)
    log("stopped")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit status: 0 after a signal, 1 when it cannot serve."""
    parser = argparse.ArgumentParser(
        prog="python -m localcloud.csi.server", description="CSI controller ebs.csi.aws.com over an EC2 API"
    )
    parser.add_argument("--endpoint", required=True, metavar="unix://PATH")
    parser.add_argument("--ec2-endpoint", required=True, metavar="URL")
    parser.add_argument("--ec2-key", type=Path, required=True, metavar="FILE")
    parser.add_argument("--region", required=True)
    given = parser.parse_args(arguments)
    # Before there are threads, which inherit it. Python runs a handler in the main thread only, and one that waits for
    # a lock does not always wake: about one SIGTERM of forty was lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    path = Path(given.endpoint.removeprefix("unix://"))
    try:
        serve(path, Ec2(given.ec2_endpoint, given.region, ec2_key.read(given.ec2_key)))
    except LocalCloudError as error:
        print(f"ebs-csi: {error}", file=sys.stderr)
        return 1
    except (OSError, RuntimeError) as error:  # RuntimeError is what grpc raises when it cannot bind
        print(f"ebs-csi: cannot serve on {path}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
