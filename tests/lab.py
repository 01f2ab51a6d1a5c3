"""A lab of its own for a test: the project's program in a scratch folder, driven by the ordinary pulumi commands.

Nothing of it touches the lab that the developer may have running: state, cloud and configuration live in the scratch
folder, and only the built tools and the virtual environment are shared.
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
from botocore.config import Config

from localcloud.machine.processes import Owned, end, find
from tools.pulumi_cli import state_url

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ("__main__.py", "components", "localcloud", "lab", "Pulumi.yaml", "Pulumi.local.yaml", "Pulumi.dev.yaml")
# Long enough for the slowest command on two busy cores, short enough that a hang is found out.
PATIENCE = 180.0


@cache
def activated() -> Mapping[str, str]:
    """The environment that `. .lab/activate` makes, from one in which nothing of Pulumi, AWS or Kubernetes is set."""
    ambient = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    words = ["sh", "-c", '. "$0" && env -0', str(ROOT / ".lab" / "activate")]
    said = subprocess.run(words, env=ambient, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return dict(entry.split("=", 1) for entry in said.split("\0") if entry)


class CommandFailed(AssertionError):
    """A command ended otherwise than the test expected; carries all that it printed."""


class Lab:
    """One checkout of the program with one stack, in `folder`."""

    def __init__(self, folder: Path, stack: str = "local", config: Mapping[str, Any] | None = None) -> None:
        self.folder, self.stack = folder, stack
        folder.mkdir(parents=True, exist_ok=True)
        for name in PROGRAM:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            elif source.exists():
                shutil.copy(source, folder / name)
        (folder / ".lab" / "state").mkdir(parents=True, exist_ok=True)
        for name in (".venv", ".lab/bin", ".lab/python"):
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
        return self.folder / ".lab" / "clouds" / self.stack

    def configure(self, config: Mapping[str, Any]) -> None:
        """Sets keys of the lab's configuration, lists and objects as JSON; None removes a key."""
        for key, value in config.items():
            if value is None:
                self.pulumi("config", "rm", f"storage-lab:{key}")
            elif isinstance(value, list):
                self.pulumi("config", "rm", f"storage-lab:{key}", expect=None)
                for index, item in enumerate(value):
                    self.pulumi("config", "set", "--path", f"storage-lab:{key}[{index}]", str(item))
            else:
                text = json.dumps(value) if isinstance(value, bool) else str(value)
                self.pulumi("config", "set", f"storage-lab:{key}", text)

    def run(
        self, *words: str, expect: int | None = 0, timeout: float = PATIENCE, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in the checkout. `expect` is the exit status it must have; None accepts any."""
        done = subprocess.run(
            words, cwd=self.folder, env={**self.env, **(env or {})}, capture_output=True, text=True, timeout=timeout,
            stdin=subprocess.DEVNULL, check=False,
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
        """The outputs of the stack, secrets included."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets", "--stack", self.stack).stdout)

    def deployment(self) -> dict[str, Any]:
        """The stack's state as `pulumi stack export` gives it."""
        return json.loads(self.pulumi("stack", "export", "--stack", self.stack).stdout)["deployment"]

    def state(self) -> list[dict[str, Any]]:
        """The resources in the stack's state."""
        return self.deployment().get("resources") or []

    def pending(self) -> list[str]:
        """What the state holds to be going on, as "creating <name>"."""
        operations = self.deployment().get("pending_operations") or []
        return [f"{one['type']} {one['resource']['urn'].rpartition('::')[2]}" for one in operations]

    def processes(self) -> list[Owned]:
        """The living processes of the stack's local cloud, proven by what they carry."""
        return find(self.cloud.resolve())

    def clear(self) -> None:
        """Ends what still runs of the lab, for the end of a test that failed half-way."""
        end(self.processes(), grace_seconds=0)

    def kubectl(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return self.run("kubectl", "--kubeconfig", str(self.cloud / "kubeconfig"), *words, **how)

    def get(self, *words: str) -> dict[str, Any]:
        """What `kubectl get … -o json` answers."""
        return json.loads(self.kubectl("get", *words, "-o", "json").stdout)

    def ec2(self) -> Any:
        """A client of the lab's EC2 API, blind to the AWS settings of this machine."""
        return boto3.Session().client(
            "ec2", endpoint_url=self.outputs()["ec2Endpoint"], region_name="us-east-1",
            aws_access_key_id="lab", aws_secret_access_key="lab", config=Config(proxies={}),
        )  # fmt: skip
