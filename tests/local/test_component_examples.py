"""The examples, as a reader runs them: the components from pip, and as a plugin from YAML, in the lab's cluster.

They are examples/, and the programs of docs/component.md and of the README, as they stand there.
"""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from checkout import COMMAND_SECONDS, ROOT, Checkout
from tests.docs.guide import program
from tests.local.language_hosts import language_host
from tools.catalogue import PULUMI_YAML
from tools.pulumi_cli import state_url

pytestmark = pytest.mark.thorough

INSTALL_SECONDS = 600  # packages are downloaded
CONTRACT = ROOT / "docs" / "component.md"
NOT_CSI = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: by-hand, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: by-hand}
spec:
  storageClassName: by-hand
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: /data}
"""
SNAPSHOT = """
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: monday}
spec: {source: {persistentVolumeClaimName: nfs-pvc}}
"""
NOT_SOURCE = shutil.ignore_patterns("__pycache__", ".venv")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment, into which pip has installed a copy of the repository, at the pinned versions."""
    source = tmp_path_factory.mktemp("repository")
    shutil.copytree(ROOT / "components", source / "components", ignore=NOT_SOURCE)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    folder = source / "environment"
    venv.create(folder, with_pip=True)
    pip_install(folder, str(source))
    return folder


def pip_install(environment: Path, what: str) -> None:
    words = ("-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "requirements.txt"), what)
    python = str(environment / "bin" / "python")
    done = subprocess.run([python, *words], capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    assert done.returncode == 0, done.stderr


class Example:
    """A copy of an example, with a stack whose servers run in the cluster of the lab."""

    def __init__(self, name: str, folder: Path, lab: Checkout, first_on_path: Path) -> None:
        self.folder = folder / "examples" / name
        shutil.copytree(ROOT / "examples" / name, self.folder)
        (folder / "state").mkdir()
        path = f"{first_on_path}:{lab.env['PATH']}"
        self.env = {**lab.env, "PATH": path, "PULUMI_BACKEND_URL": state_url(folder / "state")}
        self.pulumi("stack", "init", "test")
        self.pulumi("config", "set", "--secret", "kubeconfig", given=(lab.cloud / "kubeconfig").read_text())

    def pulumi(self, *words: str, given: str | None = None, fails: bool = False) -> str:
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive"], cwd=self.folder, env=self.env, capture_output=True, text=True,
            input=given, timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, said
        return said if fails else done.stdout

    def run_through(self) -> dict[str, Any]:
        """Bring the example up, see that nothing is left to change, and destroy it; return its outputs."""
        try:
            self.pulumi("up", "--yes", "--skip-preview")
            outputs = json.loads(self.pulumi("stack", "output", "--json"))
            self.pulumi("preview", "--expect-no-changes")
            refused = self.pulumi("destroy", "--yes", "--skip-preview", fails=True)
            assert "protected" in refused, "a destroy by mistake must not delete the data"
        finally:
            self.pulumi("state", "unprotect", "--all", "--yes")
            self.pulumi("destroy", "--yes", "--skip-preview")
        return outputs


class Pasted(Example):
    """A program of a document, in a folder with the kubeconfig of the lab."""

    def __init__(self, page: Path, title: str, folder: Path, lab: Checkout, environment: Path) -> None:
        super().__init__("python", folder, lab, environment / "bin")
        (self.folder / "__main__.py").write_text(program(page, title))
        shutil.copy(lab.cloud / "kubeconfig", self.folder / "kubeconfig.yaml")

    def up(self) -> dict[str, object]:
        self.said = self.pulumi("up", "--yes", "--skip-preview")
        return json.loads(self.pulumi("stack", "output", "--json"))

    def destroy(self) -> None:
        self.pulumi("state", "unprotect", "--all", "--yes")
        self.pulumi("destroy", "--yes", "--skip-preview")


def test_the_python_example_runs_with_what_pip_installed(tmp_path: Path, lab: Checkout, installed: Path) -> None:
    outputs = Example("python", tmp_path, lab, installed / "bin").run_through()
    assert outputs["volumeId"].startswith("vol-")


def plugin(folder: Path) -> Path:
    """Copy the components, with the environment that Pulumi would make in them, and return the copy."""
    components = folder / "components"
    shutil.copytree(ROOT / "components", components, ignore=NOT_SOURCE)
    (components / ".venv").symlink_to(Path(sys.prefix))
    return components


def test_the_yaml_example_runs_the_plugin(tmp_path: Path, lab: Checkout) -> None:
    plugin(tmp_path)
    example = Example("yaml", tmp_path, lab, language_host(PULUMI_YAML, "pulumi-yaml"))
    outputs = example.run_through()
    assert outputs["volumeId"].startswith("vol-")
    assert len(set(outputs["servers"])) == 2, "two servers have two addresses"


def test_the_readmes_program_runs(tmp_path: Path, lab: Checkout, installed: Path) -> None:
    pasted = Pasted(ROOT / "README.md", "The component in a program of your own", tmp_path, lab, installed)
    try:
        assert str(pasted.up()["volumeId"]).startswith("vol-")
        assert lab.get("pvc", "files-pvc")["spec"]["resources"]["requests"]["storage"] == "5Gi"
    finally:
        pasted.destroy()


def test_a_default_class_without_a_driver_gives_no_id_and_a_warning(
    tmp_path: Path, lab: Checkout, installed: Path
) -> None:
    by_hand = tmp_path / "by-hand.yaml"
    by_hand.write_text(NOT_CSI)
    lab.kubectl("apply", "--filename", str(by_hand))
    pasted = Pasted(CONTRACT, "A default class that is not EBS", tmp_path, lab, installed)
    try:
        assert pasted.up()["volumeId"] == ""
        assert "no CSI driver made the volume by-hand" in pasted.said
    finally:
        pasted.destroy()
        lab.kubectl("delete", "--filename", str(by_hand))


def test_a_server_begins_with_the_data_of_a_snapshot(tmp_path: Path, lab: Checkout, installed: Path) -> None:
    lab.configure({"snapshots": True})
    lab.up()
    lab.kubectl("exec", "deploy/nfs-server", "--", "sh", "-c", "echo kept > /exports/line")
    wish = tmp_path / "monday.yaml"
    wish.write_text(SNAPSHOT)
    lab.kubectl("apply", "--filename", str(wish))
    pasted = Pasted(CONTRACT, "From a snapshot", tmp_path, lab, installed)
    try:
        lab.kubectl("wait", "volumesnapshot/monday", "--for=jsonpath={.status.readyToUse}=true", "--timeout=60s")
        pasted.up()
        assert lab.kubectl("exec", "deploy/restored", "--", "cat", "/exports/line").stdout == "kept\n"
        lab.kubectl("delete", "volumesnapshot", "monday", "--timeout=60s")
        main = pasted.folder / "__main__.py"
        main.write_text(main.read_text().replace('{"from_snapshot": "monday"}', "{}"))
        pasted.pulumi("preview", "--expect-no-changes")
    finally:
        pasted.destroy()
        lab.kubectl("delete", "--filename", str(wish), "--ignore-not-found")


def test_with_the_barrier_a_destroy_leaves_no_volume(tmp_path: Path, lab: Checkout, installed: Path) -> None:
    pip_install(installed, f"{installed.parent}[barrier]")
    # The barrier waits for every volume of the driver, so also for the lab's own.
    lab.kubectl("delete", "deployment/nfs-server", "persistentvolumeclaim/nfs-pvc")
    pasted = Pasted(CONTRACT, "With the barrier", tmp_path, lab, installed)
    launcher = installed / "bin" / "pulumi-resource-pulumi-python"  # as an installed Pulumi has it
    launcher.write_text(f'#!/bin/sh\nexec "{installed}/bin/python" -u -m pulumi.dynamic "$@"\n')
    launcher.chmod(0o755)
    outputs = lab.outputs()
    pasted.env["AWS_ACCESS_KEY_ID"] = outputs["ec2Key"]["accessKeyId"]
    pasted.env["AWS_SECRET_ACCESS_KEY"] = outputs["ec2Key"]["secretAccessKey"]
    for name, value in (
        ("ec2.region", "us-east-1"),
        ("ec2.endpoint_url", outputs["ec2Endpoint"]),
        ('driverTags["ebs.csi.aws.com/cluster"]', "true"),
    ):
        pasted.pulumi("config", "set", "--type", "string", "--path", name, value)
    try:
        volume = pasted.up()["volumeId"]
    finally:
        pasted.destroy()
    found = lab.ec2().describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume]}])["Volumes"]
    assert not found, "Pulumi was through before the driver had deleted the volume"
