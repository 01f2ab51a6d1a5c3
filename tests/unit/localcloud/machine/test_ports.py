"""Ports: blocks that two clouds never share."""

import os

from localcloud.machine import ports

NAMES = ("kube-apiserver", "etcd")


def test_two_blocks_of_ports_do_not_overlap() -> None:
    with ports.reserve(NAMES) as one, ports.reserve(NAMES) as other:
        assert not set(one.values()) & set(other.values()), "two clouds of the same second would collide"
        assert set(one) == {ports.GUARD, *NAMES}


def test_clouds_with_more_ports_use_the_same_blocks() -> None:
    with ports.reserve(NAMES) as small, ports.reserve([f"port-{n}" for n in range(15)]) as large:
        first, last = min(large.values()), max(large.values())
        assert not [port for port in small.values() if first <= port <= last], "blocks of two sizes would overlap"


def test_no_block_reaches_the_ports_of_outgoing_connections() -> None:
    assert ports.END_PORT <= 32768, "any client could be using the port when its server starts"


def test_the_holder_of_a_taken_port_is_named() -> None:
    with ports.reserve(NAMES) as block:
        port = block[ports.GUARD]
        assert not ports.is_free(port), "the guard is held until the context ends"
        assert f"(pid {os.getpid()})" in ports.holder(port)
    assert ports.is_free(port)
