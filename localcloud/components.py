"""The processes of a local cloud: one table. To add a sidecar or a program, add a row, and its arguments if it has any.

From this table come the ports of a cloud (machine/ports.py), what kwokctl is asked to run (kwok/), which tools must
exist, how a process is known to be up (health.py), and the order in which processes are ended (control_plane.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .machine.ports import LOOPBACK
from .record.layout import Layout
from .record.record import CloudRecord

Kind = Literal["kubernetes", "sidecar", "program", "python"]
"""kubernetes: a component that kwokctl knows; its arguments come on top of kwokctl's. sidecar: a tool that speaks to
the CSI controller and ends when the controller does. program: any other tool. python: a module of this package."""

Probe = Literal["process", "port", "socket", "readyz", "controllers", "log"]
"""How a component shows that it is up: it runs; its first port is open; the CSI socket exists; the API server calls
itself ready; the controller manager has started its controllers; its log says `says_up`.

A sidecar is asked through its log, because its HTTP endpoint would tell its metrics to everybody on the machine."""

NODE = "lab-node"
"""The kubelet of all nodes of the cloud (tools/node); its port serves exec, logs and port-forward."""

Arguments = Callable[[CloudRecord, Layout], list[str]]


def _none(_record: CloudRecord, _layout: Layout) -> list[str]:
    return []


@dataclass(frozen=True)
class Component:
    """A process of the local cloud; its pid file and its log have its name.

    `runs` is the tool, or the Python module, when that has another name. `needs_api` is true for a process that may
    give up when the API server is slow to answer, and `keeps_data` for one that needs time to end well.
    `arguments` are of the form --key=value; no secret is in them, because every user of the machine can read them.
    """

    name: str
    kind: Kind
    ports: tuple[str, ...] = ()
    probe: Probe = "port"
    needs_api: bool = False
    keeps_data: bool = False
    runs: str = ""
    says_up: str = ""
    arguments: Arguments = _none

    @property
    def tool(self) -> str | None:
        """The program in the folder of tools; None for Python."""
        return None if self.kind == "python" else self.runs or self.name

    def binary(self, record: CloudRecord, layout: Layout) -> Path:
        """The file that kwokctl executes."""
        return layout.commands / self.name if self.tool is None else Path(record.tools) / self.tool


def _etcd(record: CloudRecord, layout: Layout) -> list[str]:
    """kwokctl's etcd serves everybody who can connect; this one only holders of a certificate of the cloud."""
    client, peer = (f"https://{LOOPBACK}:{record.ports[name]}" for name in ("etcd", "etcd-peer"))
    return [
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=node0={peer}",
        *(
            argument
            for prefix in ("", "peer-")
            for argument in (
                f"--{prefix}client-cert-auth=true",
                f"--{prefix}trusted-ca-file={layout.ca}",
                f"--{prefix}cert-file={layout.client_certificate}",
                f"--{prefix}key-file={layout.client_key}",
            )
        ),
        # Its JSON API, which only web pages and curl would use, and the invitation to pages of every origin.
        "--enable-grpc-gateway=false",
        f"--cors={client}",
    ]


def _kube_apiserver(record: CloudRecord, layout: Layout) -> list[str]:
    return [
        f"--etcd-servers=https://{LOOPBACK}:{record.ports['etcd']}",
        f"--etcd-cafile={layout.ca}",
        f"--etcd-certfile={layout.client_certificate}",
        f"--etcd-keyfile={layout.client_key}",
        "--anonymous-auth=false",
        "--profiling=false",
        # Both are for machines without a default route, where the API server finds no address of its own.
        "--endpoint-reconciler-type=none",
        f"--advertise-address={LOOPBACK}",
        f"--token-auth-file={layout.token}",
        # This plugin marks new nodes as not ready until a controller has looked. The nodes are ready at once, and
        # a scheduler that refused a Pod because of the mark lets the Pod wait for a second.
        "--disable-admission-plugins=TaintNodesByCondition",
        # For exec, logs and port-forward it speaks to the node program, which wants to know who asks.
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={layout.ca}",
        f"--kubelet-client-certificate={layout.client_certificate}",
        f"--kubelet-client-key={layout.client_key}",
    ]


def _controller(_record: CloudRecord, _layout: Layout) -> list[str]:
    return [
        # The lease of a killed predecessor would hold its successor back for 15 seconds.
        "--leader-elect=false",
        # kwokctl opens the metrics to everybody as well.
        "--authorization-always-allow-paths=/healthz",
        "--profiling=false",
    ]


def _node(record: CloudRecord, layout: Layout) -> list[str]:
    return [
        f"--kubeconfig={layout.admin_kubeconfig}",
        f"--folder={layout.node}",
        f"--port={record.ports[NODE]}",
        f"--client-ca={layout.ca}",
        f"--certificate={layout.client_certificate}",
        f"--key={layout.client_key}",
    ]


def _ec2_api(record: CloudRecord, layout: Layout) -> list[str]:
    return [
        f"--port={record.ec2_port}",
        f"--state={layout.ec2_state}",
        f"--volumes={layout.volumes}",
        f"--key={layout.ec2_key}",
        f"--region={record.region}",
    ]


def _ebs_csi(record: CloudRecord, layout: Layout) -> list[str]:
    return [
        f"--endpoint=unix://{record.socket}",
        f"--ec2-endpoint={record.ec2_endpoint}",
        f"--ec2-key={layout.ec2_key}",
        f"--region={record.region}",
    ]


def _sidecar(*more: str) -> Arguments:
    def arguments(record: CloudRecord, layout: Layout) -> list[str]:
        return [
            f"--kubeconfig={layout.admin_kubeconfig}",
            f"--csi-address=unix://{record.socket}",
            "--timeout=60s",
            # As unlimited as the control plane's own components are here: with the default, 5 requests a second, the
            # volumes of a class of 30 would wait for their sidecars.
            "--kube-api-qps=1000",
            "--kube-api-burst=1000",
            # Kubernetes refuses to delete a volume while it is being detached, which takes less than a second here.
            "--retry-interval-start=100ms",
            *more,
        ]

    return arguments


_CSI_PROVISIONER = _sidecar(
    "--extra-create-metadata",
    "--feature-gates=Topology=true",
    "--default-fstype=ext4",
    # The local cloud has no snapshots. To look for them the provisioner asks once for their API, and an API server that
    # is not quite up takes five seconds to answer.
    "--snapshot-orphan-sweep-interval=0",
)


def _supervisor(record: CloudRecord, _layout: Layout) -> list[str]:
    return [record.folder]


COMPONENTS = (
    Component("etcd", "kubernetes", ("etcd", "etcd-peer"), keeps_data=True, arguments=_etcd),
    Component("kube-apiserver", "kubernetes", ("kube-apiserver",), "readyz", arguments=_kube_apiserver),
    Component("ec2-api", "python", ("ec2-api",), keeps_data=True, runs="localcloud.ec2_emulator", arguments=_ec2_api),
    Component("ebs-csi", "python", (), "socket", runs="localcloud.csi.server", arguments=_ebs_csi),
    Component(
        "kube-controller-manager",
        "kubernetes",
        ("kube-controller-manager",),
        "controllers",
        needs_api=True,
        arguments=_controller,
    ),
    Component("kube-scheduler", "kubernetes", ("kube-scheduler",), needs_api=True, arguments=_controller),
    Component(NODE, "program", (NODE,), "log", needs_api=True, says_up="watching nodes and Pods", arguments=_node),
    Component(
        "csi-provisioner",
        "sidecar",
        (),
        "log",
        needs_api=True,
        says_up="Starting provisioner controller",
        arguments=_CSI_PROVISIONER,
    ),
    Component(
        "csi-attacher", "sidecar", (), "log", needs_api=True, says_up="Starting CSI attacher", arguments=_sidecar()
    ),
    Component(
        "csi-resizer",
        "sidecar",
        (),
        "log",
        needs_api=True,
        says_up="Starting external resizer",
        arguments=_sidecar(),
    ),
    Component("supervisor", "python", (), "process", runs="localcloud.supervisor", arguments=_supervisor),
)

PORTS = tuple(port for component in COMPONENTS for port in component.ports)
"""The names of the ports of a cloud that is created today; an older cloud may have others."""

TOOLS = ("kubectl", "kwokctl", *(tool for component in COMPONENTS if (tool := component.tool)))
"""What a local cloud needs in its folder of tools."""
