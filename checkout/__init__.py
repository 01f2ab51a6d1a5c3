"""A checkout of the project in a scratch folder, driven by the ordinary commands: what tests and benchmarks run.

State, cloud and configuration live in the scratch folder. Only the built tools and the virtual environment are shared,
so the lab that the developer may have running is not touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

from components.settings.conventions import cloud_folder
from localcloud.machine.processes import Owned, end, find
from tools.pulumi_cli import state_url

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ("__main__.py", "components", "localcloud", "lab", "Pulumi.yaml")
# The slowest command of a test ends sooner on two busy cores; a command that hangs is found out.
COMMAND_SECONDS = 180.0


@cache
def activated() -> Mapping[str, str]:
    """Return what `. .lab/activate` exports, with no setting of this machine for Pulumi, AWS or Kubernetes in it."""
    ambient = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    words = ["sh", "-c", '. "$0" && env -0', str(ROOT / ".lab" / "activate")]
    said = subprocess.run(words, env=ambient, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return dict(entry.split("=", 1) for entry in said.split("\0") if entry)


class CommandFailed(AssertionError):
    """A command whose exit status is not the expected one; carries all that it printed."""


class Checkout:
    """The program of the checkout `source` in `folder`, with one stack; `config` is set from the start."""

    command_seconds = COMMAND_SECONDS

    def __init__(
        self, folder: Path, stack: str = "local", config: Mapping[str, Any] | None = None, source: Path = ROOT
    ) -> None:
        self.folder, self.stack = folder, stack
        folder.mkdir(parents=True, exist_ok=True)
        self.take_program(source)
        for configuration in source.glob("Pulumi.*.yaml"):
            shutil.copy(configuration, folder)
        (folder / ".lab" / "state").mkdir(parents=True, exist_ok=True)
        for name in (".venv", ".lab/bin", ".lab/python", ".lab/crds"):
            if not (folder / name).exists():
                (folder / name).symlink_to(ROOT / name)
        self.env = {
            **activated(),
            "PULUMI_BACKEND_URL": state_url(folder / ".lab" / "state"),
            "PULUMI_CONFIG_PASSPHRASE": "",
        }
        if not (folder / f"Pulumi.{stack}.yaml").exists():
            shutil.copy(ROOT / "Pulumi.local.yaml", folder / f"Pulumi.{stack}.yaml")
        self.pulumi("stack", "select", "--create", stack)
        self.configure(config or {})

    @property
    def cloud(self) -> Path:
        """The folder of the stack's local cloud."""
        return self.folder / cloud_folder(self.stack)

    def take_program(self, source: Path) -> None:
        """Put the program of the checkout `source` in the place of this one. Configuration and stack stay."""
        for name in PROGRAM:
            shutil.rmtree(self.folder / name, ignore_errors=True)
            if (source / name).is_dir():
                shutil.copytree(source / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source / name, self.folder / name)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Set keys of the lab's configuration; None removes a key."""
        write_config(self.folder / f"Pulumi.{self.stack}.yaml", config)

    def config(self) -> dict[str, Any]:
        """Return the keys of the lab that are set in the stack's file."""
        values = yaml.safe_load((self.folder / f"Pulumi.{self.stack}.yaml").read_text()).get("config") or {}
        return {key.removeprefix("storage-lab:"): value for key, value in values.items()}

    def run(
        self,
        *words: str,
        expect: int | None = 0,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout. `expect` is the exit status it must have; None accepts any.

        Raises CommandFailed.
        """
        done = subprocess.run(
            words, cwd=self.folder, env={**self.env, **(env or {})}, capture_output=True, text=True,
            timeout=timeout or self.command_seconds, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        if expect is not None and done.returncode != expect:
            raise CommandFailed(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def pulumi(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return self.run("pulumi", *words, "--non-interactive", **how)

    def up(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", self.stack, *words, **how)

    def preview(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return self.pulumi("preview", "--stack", self.stack, *words, **how)

    def refresh(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return self.pulumi("refresh", "--yes", "--skip-preview", "--stack", self.stack, *words, **how)

    def destroy(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return self.pulumi("destroy", "--yes", "--skip-preview", "--stack", self.stack, *words, **how)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the stack, secrets included."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets", "--stack", self.stack).stdout)

    def deployment(self) -> dict[str, Any]:
        """Return the stack's state as `pulumi stack export` prints it."""
        return json.loads(self.pulumi("stack", "export", "--stack", self.stack).stdout)["deployment"]

    def state(self) -> list[dict[str, Any]]:
        """Return the resources in the stack's state."""
        return self.deployment().get("resources") or []

    def pending(self) -> list[str]:
        """Return the operations that the state holds to be running, each as "creating NAME"."""
        operations = self.deployment().get("pending_operations") or []
        return [f"{one['type']} {one['resource']['urn'].rpartition('::')[2]}" for one in operations]

    def processes(self) -> list[Owned]:
        """Return the running processes of the stack's local cloud, found by the folder in their environment."""
        return find(self.cloud.resolve())

    def clear(self) -> None:
        """Kill what still runs of the lab when a test failed half-way."""
        end(self.processes(), grace_seconds=0)

    def kubectl(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return self.run("kubectl", "--kubeconfig", str(self.cloud / "kubeconfig"), *words, **how)

    def get(self, *words: str) -> dict[str, Any]:
        """Return what `kubectl get … -o json` answers."""
        return json.loads(self.kubectl("get", *words, "-o", "json").stdout)

    def ec2(self) -> Any:
        """Return a client of the lab's EC2 API that ignores the AWS settings of this machine."""
        outputs = self.outputs()
        return boto3.Session().client(
            "ec2", endpoint_url=outputs["ec2Endpoint"], region_name="us-east-1",
            aws_access_key_id=outputs["ec2Key"]["accessKeyId"],
            aws_secret_access_key=outputs["ec2Key"]["secretAccessKey"], config=Config(proxies={}),
        )  # fmt: skip


def write_config(file: Path, config: Mapping[str, Any]) -> None:
    """Set keys of the lab in a stack's file; None removes a key.

    The file becomes what `pulumi config set` makes of it, which takes half a second for every key and list item.
    """
    document = yaml.safe_load(file.read_text()) or {}
    values = document.setdefault("config", {})
    for key, value in config.items():
        if value is None:
            values.pop(f"storage-lab:{key}", None)
        else:
            values[f"storage-lab:{key}"] = value if isinstance(value, list) else _text(value)
    file.write_text(yaml.safe_dump(document))


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
