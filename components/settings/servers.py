"""The key `servers`: which NFS servers a stack has, each written as "name" or "namespace/name"."""

from dataclasses import dataclass
from typing import TypedDict

from .conventions import DEFAULT_NAMESPACE, default_claim_name
from .names import check_namespace, check_service_name
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
    """One NFS server: its namespace, and the name of its Deployment and its Service."""

    namespace: str
    name: str

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
    servers = [_parsed(written) for written in read.texts("servers", _check_server, DEFAULT_SERVERS)]
    claims: dict[tuple[str, str], ServerSettings] = {}
    for server in servers:
        other = claims.setdefault((server.namespace, server.claim_name), server)
        if other is server:
            continue
        if other == server:
            read.refuse("servers", f"names {server.label} twice")
        else:
            read.refuse(
                "servers",
                f"has {other.label} and {server.label}, which would share the claim {server.claim_name}; rename one",
            )
    return tuple(servers)


def _parsed(written: str) -> ServerSettings:
    namespace, slash, name = written.rpartition("/")
    return ServerSettings(namespace if slash else DEFAULT_NAMESPACE, name)


def _check_server(written: str) -> str:
    server = _parsed(written)
    check_namespace(server.namespace)
    check_service_name(server.name)
    return written
