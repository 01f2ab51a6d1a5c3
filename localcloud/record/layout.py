"""Where things lie: this checkout, and the folder of a local cloud.

    cloud.json          what is known about the cloud (record.py)
    kubeconfig          for its users; revives the cloud, holds no key
    running.json        pids of the processes of the last start that became healthy; absent while starting
    token.csv           the API server's token of the cloud's administrator
    aws.env             the key of the EC2 API, as a script for a shell
    kwokctl.yaml        the configuration that created kwokctl's cluster
    bin/                the commands of the processes that are written in Python
    ec2/                state of the EC2 API
    node/               the node program's: the bytes of each volume (volumes/<volume id>), of each Pod and each node
    .kwok/clusters/cloud/   kwokctl's own: kwok.yaml with every command, etcd's data, certificates, logs, pid files

kwokctl takes its root from HOME, as it does by default: its variable KWOK_WORKDIR ends at the first space of a path.
"""

import sys
from pathlib import Path

CLUSTER = "cloud"
"""The name of kwokctl's cluster: a cloud has one."""

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that holds the package localcloud."""

CLOUDS = PROJECT / ".lab" / "clouds"
"""The folder in which this checkout's stacks have their local clouds."""

PYTHON = Path(sys.prefix) / "bin" / "python"
"""The interpreter, under a name that does not depend on how it was called: it is in the kubeconfig."""


class Layout:
    """The paths of one cloud. `folder` is absolute."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.running = folder / "running.json"
        self.token = folder / "token.csv"
        self.ec2_key = folder / "aws.env"
        self.configuration = folder / "kwokctl.yaml"
        self.commands = folder / "bin"
        self.ec2_state = folder / "ec2"
        self.node = folder / "node"
        self.volumes = self.node / "volumes"
        self.kwokctl_log = folder / "kwokctl.log"
        self.cluster = folder / ".kwok" / "clusters" / CLUSTER
        self.cluster_configuration = self.cluster / "kwok.yaml"
        self.admin_kubeconfig = self.cluster / "kubeconfig.yaml"
        self.ca = self.cluster / "pki" / "ca.crt"
        # One certificate, which every server and every client of the cloud uses (pki.py; in older clouds kwokctl's).
        self.client_certificate = self.cluster / "pki" / "admin.crt"
        self.client_key = self.cluster / "pki" / "admin.key"
        self.pid_files = self.cluster / "pids"

    def log(self, component: str) -> Path:
        """The log of a component; `*` for all of them."""
        return self.cluster / "logs" / f"{component}.log"

    def pid_file(self, component: str) -> Path:
        """The file into which kwokctl writes a component's pid."""
        return self.pid_files / f"{component}.pid"
