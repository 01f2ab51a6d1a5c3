"""lab verify puts the steps of every server into one report."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.settings import parse
from lab import verify
from lab.reading.ec2 import Ec2Reader
from lab.reading.snapshot import Snapshot
from lab.reading.stack import Stack
from lab.steps import Finding, data_survives
from tests.unit.lab.fake_lab import FakeLab, with_snapshots

ROOT = Path(__file__).resolve().parents[3]
EKS = Stack(
    "dev", parse({"target": "eks", "region": "eu-west-1"}), {"kubeconfig": "a kubeconfig", "servers": {"a": {}}}
)


@pytest.mark.parametrize(
    ("stack", "typed"),
    [
        (FakeLab().stack, ["KUBECONFIG=.lab/clouds/local/kubeconfig", "AWS_ENDPOINT_URL_EC2=http://127.0.0.1:1"]),
        (EKS, ["AWS_DEFAULT_REGION=eu-west-1", "aws eks update-kubeconfig --name storage-lab-dev"]),
    ],
)
def test_report_says_what_to_type_before_the_commands(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, typed: list[str]
) -> None:
    def nothing(*_: object) -> list[Snapshot]:
        return []

    monkeypatch.setattr(verify, "take_snapshots", nothing)
    monkeypatch.setattr(Ec2Reader, "of", nothing)
    preparation = verify.verify(stack).preparation
    assert [words for words in typed if words not in preparation] == [], preparation


@pytest.mark.parametrize(("lab", "passed"), [(FakeLab(), 17), (with_snapshots(), 19)])
def test_report_has_every_step_of_every_server(monkeypatch: pytest.MonkeyPatch, lab: FakeLab, passed: int) -> None:
    monkeypatch.setattr(verify, "take_snapshots", lambda *_: lab.snapshots())
    monkeypatch.setattr(Ec2Reader, "of", lambda _: lab.ec2)
    monkeypatch.setattr(data_survives, "try_it", lambda *_: Finding(True, "read back"))  # it asks a real cluster
    report = verify.verify(lab.stack)
    assert report.summary == f"{passed} passed, 0 failed, 0 skipped"
    assert report.lines[-1].key == "data-survives"
    assert {line.server for line in report.lines} == {"nfs-server"}


def test_commands_load_no_library_before_they_need_it() -> None:
    """A learner waits for every import."""
    heavy = {"pulumi", "boto3", "botocore", "rich", "lightkube", "grpc"}
    code = "import sys, lab.verify, lab.status, lab.tour; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert heavy & set(done.stdout.split()) == set()
