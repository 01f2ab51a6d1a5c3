"""The TCP ports of a local cloud: one block on the loopback interface, chosen once and kept.

Kubernetes and etcd take a port number, not a listening socket, so a port that was free may be taken when its server
binds it. Two things close that gap. Blocks lie below the range that systems hand out for outgoing connections. And the
first port of a block is a guard: the command that chooses a block listens on its guard until the servers have bound
the other ports, so two clouds that start in the same second never choose the same block.
"""

import random
import socket
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import psutil

from ..errors import LocalCloudError

LOOPBACK = "127.0.0.1"
# Linux hands out 32768 and above for outgoing connections, macOS 49152 and above.
FIRST_PORT, END_PORT = 20000, 32000
GUARD = "guard"
# The same for every cloud, however many ports it needs, so that the blocks of any two never overlap in part.
_BLOCK = 16


@contextmanager
def reserve(names: Sequence[str]) -> Generator[dict[str, int]]:
    """Yield a free block as name -> port, with its guard, which keeps other choosers away until the context ends.

    Raises LocalCloudError when no block is free.
    """
    wanted = (GUARD, *names)
    assert len(wanted) <= _BLOCK, f"{len(names)} ports do not fit a block of {_BLOCK}: make the blocks larger"
    blocks = list(range(FIRST_PORT, END_PORT, _BLOCK))
    random.SystemRandom().shuffle(blocks)
    for first in blocks:
        guard = _listen(first)
        if guard is None:
            continue
        with guard:
            if all(is_free(first + offset) for offset in range(1, len(wanted))):
                yield {name: first + offset for offset, name in enumerate(wanted)}
                return
    raise LocalCloudError(
        f"no {len(wanted)} free ports in a row on {LOOPBACK} between {FIRST_PORT} and {END_PORT}: "
        "stop what listens there and try again"
    )


@contextmanager
def guard(ports: Mapping[str, int]) -> Generator[None]:
    """Hold the guard of a block that was chosen earlier, while its servers bind their ports again.

    Another program on the guard port does no harm: it keeps other choosers away as well.
    """
    held = _listen(ports[GUARD])
    try:
        yield
    finally:
        if held is not None:
            held.close()


def is_free(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As Go's listeners do: connections of a server that has just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def require_free(chosen: Mapping[str, int]) -> None:
    """Raise LocalCloudError where another program listens on one of these ports, by the names of their servers."""
    for name, port in chosen.items():
        if not is_free(port):
            raise LocalCloudError(f"port {port} of {name} is taken by {holder(port)}: end that, and try again")


def answers(port: int) -> bool:
    """Return whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def holder(port: int) -> str:
    """Return who listens on the port, as "nginx (pid 12)"; "another program" where the system does not tell."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return "another program"


def _listen(port: int) -> socket.socket | None:
    listener = socket.socket()
    try:
        listener.bind((LOOPBACK, port))
        listener.listen(1)
    except OSError:
        listener.close()
        return None
    return listener
