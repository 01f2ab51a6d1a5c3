"""The kubeconfig of a local cloud: it revives the cloud, and holds no key.

Its user entry is a credential plugin, like that of `aws eks get-token`. Clients run `python -m localcloud credential
FOLDER` before their first request; the plugin starts what does not run and prints the credential.
"""

import json

from .liveness import EXEC_API_VERSION
from .record.layout import PROJECT, PYTHON
from .record.record import CloudRecord


def text(record: CloudRecord) -> str:
    """Return the kubeconfig as YAML; it is the same for every start of a cloud."""
    name, server, folder = (json.dumps(value) for value in (f"storage-lab-{record.name}", record.server, record.folder))
    return f"""apiVersion: v1
kind: Config
current-context: {name}
contexts:
- name: {name}
  context:
    cluster: {name}
    user: {name}
clusters:
- name: {name}
  cluster:
    server: {server}
    certificate-authority-data: {record.ca_data}
users:
- name: {name}
  user:
    exec:
      apiVersion: {EXEC_API_VERSION}
      command: {json.dumps(str(PYTHON))}
      args: ["-m", "localcloud", "credential", {folder}]
      env:
      - name: PYTHONPATH
        value: {json.dumps(str(PROJECT))}
      interactiveMode: Never
      provideClusterInfo: false
"""
