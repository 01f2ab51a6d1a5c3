"""The kubeconfig of a local cloud: who uses it finds the cloud alive, and no key is in it.

The user entry is a credential plugin, as of `aws eks get-token`: clients run `python -m localcloud credential FOLDER`
before their first request; it starts what is not running and prints the credential.
"""

import json

from .credential import API_VERSION
from .kwok.kwokctl import PROJECT, PYTHON
from .record.record import Facts


def text(facts: Facts) -> str:
    """The kubeconfig as YAML; it is the same for every start of a cloud."""
    name, server, folder = (json.dumps(value) for value in (f"storage-lab-{facts.name}", facts.server, facts.folder))
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
    certificate-authority-data: {facts.ca_data}
users:
- name: {name}
  user:
    exec:
      apiVersion: {API_VERSION}
      command: {json.dumps(str(PYTHON))}
      args: ["-m", "localcloud", "credential", {folder}]
      env:
      - name: PYTHONPATH
        value: {json.dumps(str(PROJECT))}
      interactiveMode: Never
      provideClusterInfo: false
"""
