"""A rehearsed lab that is updated again and again, and snapshots of its claims."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from checkout import CommandFailed
from checkout.until import until
from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.events import Step, steps

CLUSTER, GROUP = "storage-lab-dev", "snapshot.storage.k8s.io"
# csi-snapshotter asks every 30 s at most for CRDs that did not exist.
SNAPSHOT_SECONDS = 180


@dataclass
class Seen:
    """What one `pulumi up` did, and what there was afterwards."""

    steps: list[Step]
    addons: set[str]
    kinds: str
    nodes: str
    volumes: dict[str, str]

    def changed(self) -> set[tuple[str, str]]:
        """Return operation and type of every step that is neither Pulumi's own nor on a component."""
        ours = (step for step in self.steps if not step.type.startswith("pulumi:") and ":index:" not in step.type)
        return {(step.op, step.type.rpartition(":")[2]) for step in ours}


class SnapshotLab:
    """One lab that is updated again and again."""

    def __init__(self, rehearsal: AwsRehearsal) -> None:
        self._rehearsal, self._lab, self._runs = rehearsal, rehearsal.checkout, 0

    def up(self, **config: Any) -> Seen:
        self._lab.configure(config)
        self._runs += 1
        log = self._rehearsal.folder / f"up{self._runs}.log"
        self._lab.up("--event-log", str(log))
        return Seen(
            steps=steps(log),
            addons=set(self._rehearsal.aws("eks").list_addons(clusterName=CLUSTER)["addons"]),
            kinds=self._rehearsal.kubectl("get", "crds", "-o", "name"),
            nodes=self._rehearsal.kubectl("get", "nodes", "-o", "name"),
            volumes={claim["metadata"]["name"]: self._handle(claim) for claim in self._rehearsal.objects("pvc")},
        )

    def refused(self, **config: Any) -> str:
        """Return what a preview with these inputs says when it refuses them; the configuration stays as it was."""
        file = self._lab.folder / "Pulumi.dev.yaml"
        before = file.read_text()
        self._lab.configure(config)
        said = failure(self._lab.preview)
        file.write_text(before)
        return said

    def take(self, name: str, of: str) -> None:
        """Make a VolumeSnapshot of a claim as a learner does, and wait until it is ready."""
        wish = {
            "apiVersion": f"{GROUP}/v1",
            "kind": "VolumeSnapshot",
            "metadata": {"name": name},
            "spec": {"source": {"persistentVolumeClaimName": of}},
        }
        file = self._rehearsal.folder / f"{name}.json"
        file.write_text(json.dumps(wish))
        self._rehearsal.kubectl("apply", "-f", str(file))
        words = ("get", "volumesnapshot", name, "-o", "jsonpath={.status.readyToUse}")

        def ready() -> bool:
            return self._rehearsal.kubectl(*words) == "true"

        until(ready, f"the snapshot {name} is ready", SNAPSHOT_SECONDS, pause=0.2)

    def ebs_snapshots(self) -> list[dict[str, Any]]:
        """Return what the command of docs/eks.md finds: the snapshots with the lab's tag."""
        mine = [{"Name": "tag:storage-lab", "Values": [CLUSTER]}]
        return self._rehearsal.aws("ec2").describe_snapshots(OwnerIds=["self"], Filters=mine)["Snapshots"]

    def forget(self, name: str) -> str:
        """Delete a VolumeSnapshot so that only EC2 still knows its EBS snapshot, and return the id of that."""
        kubectl = self._rehearsal.kubectl
        content = json.loads(kubectl("get", "volumesnapshot", name, "-o", "json"))["status"][
            "boundVolumeSnapshotContentName"
        ]
        keep = '{"spec":{"deletionPolicy":"Retain"}}'
        kubectl("patch", "volumesnapshotcontent", content, "--type=merge", "-p", keep)
        kubectl("delete", "volumesnapshot", name, "--timeout=60s")
        kubectl("delete", "volumesnapshotcontent", content, "--timeout=60s")
        (left,) = self.ebs_snapshots()
        return left["SnapshotId"]

    def _handle(self, claim: dict[str, Any]) -> str:
        name = claim["spec"]["volumeName"]
        return json.loads(self._rehearsal.kubectl("get", "pv", name, "-o", "json"))["spec"]["csi"]["volumeHandle"]

    def run(self, server: str, script: str) -> str:
        """Return what a server's shell prints."""
        return self._rehearsal.kubectl("exec", f"deploy/{server}", "--", "sh", "-c", script)


def failure(command: Callable[[], Any]) -> str:
    with pytest.raises(CommandFailed) as failed:
        command()
    return str(failed.value)
