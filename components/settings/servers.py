"""The key `servers`: which NFS servers a stack has.

Each is written as "name" or "namespace/name". A server whose volume is restored from a VolumeSnapshot of its namespace
is written as a map: {name: restored, fromSnapshot: before-the-mistake}.
"""

from dataclasses import dataclass
from typing import TypedDict

from .conventions import DEFAULT_NAMESPACE, default_claim_name
from .names import check_claim_name, check_namespace, check_service_name
from .reader import Reader

DEFAULT_SERVERS = ("nfs-server",)


class OwnedClaim(TypedDict):
    """A claim of the lab: Pods of the Deployment or StatefulSet `server` may use it, and no others. A label would prove
    nothing, because a copy of the exercise has it too.

    `claim` may be a pattern of the shell's, because a StatefulSet numbers its claims, and has more when it is scaled.
    """

    namespace: str
    claim: str
    server: str


@dataclass(frozen=True)
class ServerSettings:
    """One NFS server: its namespace, and the name of its Deployment and its Service.

    `from_snapshot` is the VolumeSnapshot that its claim is created from, None for an empty volume.
    """

    namespace: str
    name: str
    from_snapshot: str | None = None

    @property
    def label(self) -> str:
        """The server as the configuration writes it, different for each server of the stack."""
        return self.name if self.namespace == DEFAULT_NAMESPACE else f"{self.namespace}/{self.name}"

    @property
    def claim_name(self) -> str:
        return default_claim_name(self.name)

    @property
    def owned_claim(self) -> OwnedClaim:
        return {"namespace": self.namespace, "claim": self.claim_name, "server": self.name}


def read_servers(read: Reader) -> tuple[ServerSettings, ...]:
    """Return the servers in the order of the configuration. Note names that are bad and names that collide."""
    checks = {"name": _check_server, "fromSnapshot": check_claim_name}
    servers = [_parsed(**written) for written in read.records("servers", checks, DEFAULT_SERVERS)]
    claims: dict[tuple[str, str], ServerSettings] = {}
    for server in servers:
        other = claims.setdefault((server.namespace, server.claim_name), server)
        if other is server:
            continue
        if other.label == server.label:
            read.refuse("servers", f"names {server.label} twice")
        else:
            read.refuse(
                "servers",
                f"has {other.label} and {server.label}, which would share the claim {server.claim_name}; rename one",
            )
    return tuple(servers)


def _parsed(name: str, fromSnapshot: str | None = None) -> ServerSettings:
    namespace, slash, own = name.rpartition("/")
    return ServerSettings(namespace if slash else DEFAULT_NAMESPACE, own, fromSnapshot)


def _check_server(written: str) -> str:
    server = _parsed(written)
    check_namespace(server.namespace)
    check_service_name(server.name)
    return written
