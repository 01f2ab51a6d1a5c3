"""The Kubernetes provider's components register objects of every sort, although it is built without their types."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checkout import COMMAND_SECONDS, ROOT, activated
from localcloud.control_plane import ControlPlane
from localcloud.record.layout import Layout
from tools.pulumi_cli import state_url

PROGRAM = """
import os
import pulumi
import pulumi_kubernetes as kubernetes

cluster = kubernetes.Provider("cluster", kubeconfig=os.environ["CLUSTER"])
kubernetes.yaml.v2.ConfigGroup("group", yaml=open("objects.yaml").read(), opts=pulumi.ResourceOptions(provider=cluster))
"""
OBJECTS = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: in-a-list}, data: {answer: "42"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: hidden}, stringData: {password: open-sesame}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: other}, provisioner: example.com/other}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""
TYPES = {
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:core/v1:Secret",
    "kubernetes:storage.k8s.io/v1:StorageClass",
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
}


class Project:
    """A Pulumi project in `folder`, for the cluster of `cloud`."""

    def __init__(self, folder: Path, cloud: ControlPlane) -> None:
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text(
            f"name: objects\nruntime: {{name: python, options: {{virtualenv: {json.dumps(str(ROOT / '.venv'))}}}}}\n"
        )
        (folder / "__main__.py").write_text(PROGRAM)
        (folder / "objects.yaml").write_text(OBJECTS)
        self.folder = folder
        self.env = {
            **activated(),
            "PULUMI_BACKEND_URL": state_url(folder / "state"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "CLUSTER": str(Layout(cloud.folder).kubeconfig),
        }
        self.pulumi("stack", "init", "test")

    def pulumi(self, *words: str) -> str:
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive"], cwd=self.folder, env=self.env, capture_output=True, text=True,
            timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def state(self) -> list[dict[str, Any]]:
        return json.loads(self.pulumi("stack", "export"))["deployment"].get("resources") or []


@pytest.mark.thorough
def test_config_group_creates_and_deletes_every_kind(tmp_path: Path, cloud: ControlPlane) -> None:
    project = Project(tmp_path, cloud)
    project.pulumi("up", "--yes", "--skip-preview")
    try:
        objects = {one["type"]: one for one in project.state() if one["type"] in TYPES}
        assert objects.keys() == TYPES, "an object was registered under another type than the SDK's"
        assert objects["kubernetes:core/v1:ConfigMap"]["outputs"]["data"] == {"answer": "42"}
        assert "open-sesame" not in json.dumps(project.state()), "a Secret's values must be secrets in the state"
        project.pulumi("preview", "--expect-no-changes")
    finally:
        project.pulumi("destroy", "--yes", "--skip-preview")
    assert project.state() == []
