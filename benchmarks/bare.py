"""Makes the same objects without Pulumi: the control plane as localcloud runs it, and kubectl apply."""

import json
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import seconds
from checkout import ROOT
from checkout.until import until
from localcloud import ec2_key
from localcloud.control_plane import ControlPlane
from localcloud.csi.ec2 import ec2_client
from localcloud.record.layout import Layout

_TOOLS = ROOT / ".lab" / "bin"
_REGION = "us-east-1"
_WAIT_SECONDS = 120
_PAUSE_SECONDS = 0.05
# What has to be true before the lab counts as up, in kubectl's words.
_CONDITIONS = (
    ("pvc", "jsonpath={.status.phase}=Bound"),
    ("deployment", "condition=Available"),
    ("volumeattachment", "jsonpath={.status.attached}=true"),
)


@dataclass(frozen=True)
class Bare:
    """Seconds: the control plane up, the objects applied, all bound and attached; and its deletion."""

    control_plane: float
    apply: float
    wait: float
    delete: float

    @property
    def up(self) -> float:
        return self.control_plane + self.apply + self.wait


def manifests(state: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the manifests of the Kubernetes objects that a stack created, in their order.

    Owners are left out: a manifest names them by uid, which is different in another cluster. Patches are left out: they
    belong to objects that somebody else creates.
    """
    made = (one for one in state if one["type"].startswith("kubernetes:") and not one["type"].endswith("Patch"))
    return [_manifest(one["inputs"]) for one in made]


def _manifest(inputs: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in inputs["metadata"].items() if key != "ownerReferences"}
    return {key: value for key, value in inputs.items() if not key.startswith("__")} | {"metadata": metadata}


def run_bare(folder: Path, objects: list[dict[str, Any]]) -> Bare:
    """Create the cloud and the objects, wait until all is bound and attached, and delete everything again."""
    cloud = ControlPlane(folder, tools=_TOOLS)
    try:
        control_plane = seconds(lambda: cloud.create(_REGION))
        apply = seconds(lambda: _apply(cloud, objects))
        wait = seconds(lambda: _wait(cloud))
        return Bare(control_plane, apply, wait, seconds(cloud.delete))
    finally:
        cloud.delete()


def _apply(cloud: ControlPlane, objects: list[dict[str, Any]]) -> None:
    """Start the instances of the nodes, and apply everything with one kubectl."""
    record = cloud.record()
    assert record is not None
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    ec2 = ec2_client(record.ec2_endpoint, _REGION, ec2_key.read(Layout(cloud.folder).ec2_key))
    for old in sorted({driver["nodeID"] for one in objects for driver in one.get("spec", {}).get("drivers", ())}):
        begun = ec2.run_instances(ImageId="ami-00000000000000000", MinCount=1, MaxCount=1)
        text = text.replace(old, begun["Instances"][0]["InstanceId"])
    _kubectl(cloud, "apply", "-f", "-", stdin=text)


def _wait(cloud: ControlPlane) -> None:
    for kind, condition in _CONDITIONS:
        until(
            partial(_holds, cloud, kind, condition), f"every {kind} is {condition}", _WAIT_SECONDS, pause=_PAUSE_SECONDS
        )


def _holds(cloud: ControlPlane, kind: str, condition: str) -> bool:
    words = ["wait", f"--for={condition}", kind, "--all", "-A", "--timeout=60s"]
    return _kubectl(cloud, *words, check=False) == 0


def _kubectl(cloud: ControlPlane, *words: str, stdin: str = "", check: bool = True) -> int:
    command = [str(_TOOLS / "kubectl"), "--kubeconfig", str(cloud.folder / "kubeconfig"), *words]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=_WAIT_SECONDS, check=False)
    if check and done.returncode:
        raise RuntimeError(f"kubectl {words[0]} failed: {done.stderr.strip()[-1000:]}")
    return done.returncode
