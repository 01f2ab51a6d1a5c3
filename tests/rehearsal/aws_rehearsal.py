"""AwsRehearsal: the AWS API with AWS's behaviour behind it, the stand-ins on PATH, and a checkout of the stack dev."""

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from checkout import ROOT, Checkout
from checkout.until import until
from tests.rehearsal.signatures import SECRET

LEARNER = "LEARNER"
# The slowest command, an `up` from nothing, on cores that other tests share.
UP_SECONDS = 600.0
TOOLS = ROOT / ".lab" / "bin"
STAND_INS = {
    "aws": f"-S -E {ROOT}/tests/rehearsal/aws_cli.py",
    "pulumi-resource-aws": "-m tests.rehearsal.aws_provider",
    "pulumi-resource-eks": "-m tests.rehearsal.eks_plugin",
}


class AwsRehearsal:
    """Everything that a rehearsal of the lab needs, in one scratch folder. Use as a context manager.

    `source` is the checkout whose program is rehearsed.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any] | None = None, source: Path = ROOT) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._config, self._source = config or {}, source

    def __enter__(self) -> "AwsRehearsal":
        port = self.endpoint.rpartition(":")[2]
        words = ["--port", port, "--folder", str(self.folder), "--tools", str(TOOLS)]
        self._log = (self.folder / "aws-api.log").open("wb")
        self._api = subprocess.Popen(
            [sys.executable, "-m", "tests.rehearsal.aws_api", *words], cwd=ROOT, stdout=self._log, stderr=self._log
        )
        self._put_stand_ins_on_path()
        self.checkout = Checkout(self.folder / "lab", "dev", source=self._source)
        self.checkout.command_seconds = UP_SECONDS
        self.checkout.env.update(self._environment())
        self.checkout.configure(self._config)
        self._wait_for_api()
        return self

    def __exit__(self, *_: object) -> None:
        self._api.terminate()
        self._api.wait(timeout=30)
        self._log.close()

    def _put_stand_ins_on_path(self) -> None:
        self._bin = self.folder / "bin"
        self._bin.mkdir()
        for name, what in STAND_INS.items():
            script = self._bin / name
            script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" {what} "$@"\n')
            script.chmod(0o755)

    def _environment(self) -> dict[str, str]:
        path = self.checkout.env["PATH"]
        return {
            "PATH": f"{self._bin}{os.pathsep}{path}",
            "PULUMI_DEBUG_COMMANDS": "true",  # for --event-log
            "REHEARSAL_FOLDER": str(self.folder),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": LEARNER,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _wait_for_api(self) -> None:
        def answers() -> bool:
            assert self._api.poll() is None, (self.folder / "aws-api.log").read_text()[-3000:]
            try:
                return bool(self.aws("sts").get_caller_identity())
            except EndpointConnectionError:
                return False

        until(answers, "the AWS API answers", seconds=30, pause=0.05)

    def aws(self, service: str) -> Any:
        """Return a client for looking at the account; its calls are not the learner's."""
        return boto3.Session().client(
            service, endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id="LOOKING",
            aws_secret_access_key=SECRET, config=Config(proxies={}),
        )  # fmt: skip

    def calls(self, who: str = LEARNER) -> list[str]:
        """Return the IAM actions that somebody used successfully, in order."""
        lines = (json.loads(line) for line in (self.folder / "calls.jsonl").read_text().splitlines())
        return [line["call"] for line in lines if line["who"] == who and line["status"] < 300]

    def kubectl(self, *words: str) -> str:
        kubeconfig = self.folder / "kubernetes" / "kubeconfig"
        return self.checkout.run("kubectl", "--kubeconfig", str(kubeconfig), *words).stdout

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """Return what the cluster has of a kind, of every namespace."""
        return json.loads(self.kubectl("get", kind, "--all-namespaces", "-o", "json"))["items"]

    def left(self) -> Counter[str]:
        """Count the things of each kind in the account, without the default VPC and what comes with it."""
        ec2, iam, eks = self.aws("ec2"), self.aws("iam"), self.aws("eks")
        vpcs = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]}
        instances = [
            instance
            for reservation in ec2.describe_instances()["Reservations"]
            for instance in reservation["Instances"]
            if instance["State"]["Name"] != "terminated"
        ]
        default = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"]}
        count = Counter({
            "VPC": len(vpcs),
            "subnet": sum(s["VpcId"] not in default for s in ec2.describe_subnets()["Subnets"]),
            "route table": sum(t["VpcId"] not in default for t in ec2.describe_route_tables()["RouteTables"]),
            "internet gateway": sum(
                all(a["VpcId"] not in default for a in g["Attachments"])
                for g in ec2.describe_internet_gateways()["InternetGateways"]
            ),
            "network interface": len(ec2.describe_network_interfaces()["NetworkInterfaces"]),
            "instance": len(instances),
            "volume": len(ec2.describe_volumes()["Volumes"]),
            "snapshot": len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]),
            "role": len(iam.list_roles()["Roles"]),
            "cluster": len(eks.list_clusters()["clusters"]),
        })  # fmt: skip
        return +count
