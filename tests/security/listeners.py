"""Every listener of a local cloud, and what an attacker asks of it: the table of this tier."""

from dataclasses import dataclass

PUT = b'{"key": "YXR0YWNr", "value": "YXR0YWNr"}'
CREATE_VOLUME = b"Action=CreateVolume&Version=2016-11-15&AvailabilityZone=us-east-1a&Size=1"
CONFIG_MAP = b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "attack"}}'


@dataclass(frozen=True)
class Ask:
    """A request: a POST where it has a body, a GET otherwise."""

    path: str
    body: bytes | None = None


@dataclass(frozen=True)
class Listener:
    """A TCP port of the cloud, by its name in the record. `open` are the paths that it serves everybody, on purpose."""

    port: str
    component: str
    tls: bool
    asks: tuple[Ask, ...]
    open: tuple[str, ...] = ()


LISTENERS = (
    Listener(
        "etcd",
        "etcd",
        True,
        (
            Ask("/v3/kv/put", PUT),
            Ask("/v3/kv/range", b'{"key": "AA=="}'),
            Ask("/metrics"),
            Ask("/version"),
            Ask("/health"),
        ),
    ),
    Listener("etcd-peer", "etcd", True, (Ask("/members"), Ask("/raft/probing"), Ask("/version"))),
    Listener(
        "kube-apiserver",
        "kube-apiserver",
        True,
        (
            Ask("/api/v1/secrets"),
            Ask("/api/v1/namespaces/default/configmaps", CONFIG_MAP),
            Ask("/metrics"),
            Ask("/debug/pprof/"),
            Ask("/version"),
            Ask("/healthz"),
        ),
    ),
    Listener(
        "kube-controller-manager",
        "kube-controller-manager",
        True,
        (Ask("/metrics"), Ask("/configz"), Ask("/debug/pprof/"), Ask("/debug/flags/v", b"9"), Ask("/healthz")),
        ("/healthz",),
    ),
    Listener(
        "kube-scheduler",
        "kube-scheduler",
        True,
        (Ask("/metrics"), Ask("/configz"), Ask("/debug/pprof/"), Ask("/debug/flags/v", b"9"), Ask("/healthz")),
        ("/healthz",),
    ),
    Listener(
        "lab-node",
        "lab-node",
        True,
        (
            Ask("/exec/default/pod/container?command=id&output=1", b""),
            Ask("/containerLogs/default/pod/container"),
            Ask("/portForward/default/pod", b""),
            Ask("/metrics"),
            Ask("/pods"),
            Ask("/debug/pprof/"),
            Ask("/healthz"),
        ),
    ),
    Listener(
        "ec2-api",
        "ec2-api",
        False,
        (
            Ask("/", CREATE_VOLUME),
            Ask("/?Action=CreateVolume&Version=2016-11-15&AvailabilityZone=us-east-1a&Size=1"),
            Ask("/_ministack/reset", b""),
            Ask("/_ministack/config", b"{}"),
            Ask("/_ministack/health"),
            Ask("/health"),
        ),
    ),
)
"""The CSI controller's unix socket is the one listener beside these; a private folder guards it (test_files.py)."""
