"""Where things lie in the folder of a local cloud.

    cloud.json          what is known about the cloud (facts.py)
    kubeconfig          for its users; revives the cloud, holds no key
    running.json        pids of the processes of the last start that became healthy; absent while starting
    token.csv           the API server's token of the cloud's administrator
    kwokctl.yaml        what kwokctl was asked for
    bin/                the commands of the processes that are written in Python
    ec2/                state of the EC2 API
    .kwok/clusters/cloud/   kwokctl's own: etcd's data, certificates, logs, pid files

kwokctl takes its root from HOME, as it does by default: its variable KWOK_WORKDIR ends at the first space of a path.
"""

from pathlib import Path

CLUSTER = "cloud"


class Layout:
    """The paths of one cloud. `folder` is absolute."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.running = folder / "running.json"
        self.token = folder / "token.csv"
        self.configuration = folder / "kwokctl.yaml"
        self.commands = folder / "bin"
        self.ec2_state = folder / "ec2"
        self.kwokctl_log = folder / "kwokctl.log"
        self.cluster = folder / ".kwok" / "clusters" / CLUSTER
        self.admin_kubeconfig = self.cluster / "kubeconfig.yaml"
        self.ca = self.cluster / "pki" / "ca.crt"
        self.client_certificate = self.cluster / "pki" / "admin.crt"
        self.client_key = self.cluster / "pki" / "admin.key"

    def log(self, component: str) -> Path:
        return self.cluster / "logs" / f"{component}.log"

    def pid_file(self, component: str) -> Path:
        return self.cluster / "pids" / f"{component}.pid"
