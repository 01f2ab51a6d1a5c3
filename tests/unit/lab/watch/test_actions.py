"""Each key types one command of kubectl's, or says why it cannot."""

import subprocess

import pytest
import yaml

from lab.watch.actions import KEYS, Action, NotNow
from tests.unit.lab.fake_lab import POD, FakeLab, broken, meta, with_snapshots

SNAPSHOT = """\
kubectl create -f - <<'EOF'
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {generateName: nfs-pvc-, namespace: default}
spec:
  volumeSnapshotClassName: ebs-snapshots
  source: {persistentVolumeClaimName: nfs-pvc}
EOF"""


def of(key: str, lab: FakeLab | None = None) -> Action:
    return KEYS[key].action((lab or with_snapshots()).seen())


def test_commands_are_what_a_learner_would_type() -> None:
    assert {key: of(key).command for key in KEYS} == {
        "delete": f"kubectl delete pod {POD}",
        "crash": "kubectl exec deployment/nfs-server -- sh -c 'kill 1'",
        "write": "kubectl exec deployment/nfs-server -- sh -c 'echo \"$(date +%T) $(hostname)\" >> /exports/lines'",
        "read": "kubectl exec deployment/nfs-server -- tail -n 5 /exports/lines",
        "snapshot": SNAPSHOT,
        "scale": "kubectl scale deployment/nfs-server --replicas=0",
    }


def test_manifest_is_what_the_shell_gives_to_kubectl() -> None:
    """A learner who types the command, and the key, give the API server the same."""
    action = of("snapshot")
    shown = action.command.replace("kubectl create -f -", "cat", 1)
    assert subprocess.run(["sh", "-c", shown], capture_output=True, text=True, check=True).stdout == action.given
    assert yaml.safe_load(action.given)["spec"]["source"] == {"persistentVolumeClaimName": "nfs-pvc"}


def test_default_class_takes_the_snapshot() -> None:
    lab = with_snapshots()
    default = {"snapshot.storage.kubernetes.io/is-default-class": "true"}
    lab.things.append(
        {
            "kind": "VolumeSnapshotClass",
            "metadata": meta("weekly", None, annotations=default),
            "driver": "ebs.csi.aws.com",
        }
    )
    assert "volumeSnapshotClassName: weekly" in of("snapshot", lab).given
    for one in lab.things[-2:]:
        one["driver"] = "efs.csi.aws.com"
    with pytest.raises(NotNow, match="no VolumeSnapshotClass for EBS volumes"):
        of("snapshot", lab)


def test_what_ends_something_asks() -> None:
    assert [key for key in KEYS if of(key).asks] == ["delete", "crash", "scale"]


def test_server_at_zero_is_scaled_back() -> None:
    def at_zero(lab: FakeLab) -> None:
        lab.the("Deployment")["spec"]["replicas"] = 0

    back = of("scale", broken(at_zero))
    assert back.command == "kubectl scale deployment/nfs-server --replicas=1"
    assert not back.asks


def test_namespace_stands_before_the_command_in_the_pod() -> None:
    lab = FakeLab()
    lab.config["servers"] = '["team-a/nfs-server"]'
    for thing in lab.things:
        if thing["metadata"].get("namespace"):
            thing["metadata"]["namespace"] = "team-a"
    assert of("read", lab).words[:5] == ("exec", "deployment/nfs-server", "-n", "team-a", "--")
    assert of("delete", lab).command.endswith("-n team-a")


@pytest.mark.parametrize("key", ["delete", "crash", "write", "read"])
def test_key_without_a_pod_says_so(key: str) -> None:
    with pytest.raises(NotNow, match="has no Pod"):
        of(key, broken(lambda lab: lab.remove("Pod")))


def test_scaling_without_a_deployment_says_so() -> None:
    with pytest.raises(NotNow, match="run pulumi up"):
        of("scale", broken(lambda lab: lab.remove("Deployment")))
