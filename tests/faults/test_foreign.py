"""Others on the lab's storage at destroy: named, never dropped, never leaked."""

import pytest

from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, summary
from tests.faults.selection import cases

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{{name: shell, image: busybox}}]
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: {claim}}}}}]
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: homework, namespace: elsewhere}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---""" + POD.format(name="student", namespace="elsewhere", claim="homework")
OWN_CLASS = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: quick}
provisioner: ebs.csi.aws.com
---""" + CLAIM.replace("spec: {access", "spec: {storageClassName: quick, access")
# What a learner copies from the exercise has the lab's label too.
COPY = POD.format(name="copy", namespace="default", claim="nfs-pvc").replace(
    "namespace: default}", "namespace: default, labels: {role: nfs-server}}"
)
SNOOPER = POD.format(name="snooper", namespace="default", claim="nfs-pvc")
# The manifest, its pod, and what the message has to name.
USERS = {
    "a pod of others on our claim": (SNOOPER, "default/snooper", "default/snooper"),
    "a copy of the exercise's pod": (COPY, "default/copy", "Pod default/copy"),
    "a claim of a class of their own": (OWN_CLASS, "elsewhere/student", "elsewhere/homework"),
    "a claim and pod of others elsewhere": (CLAIM, "elsewhere/student", "elsewhere/homework"),
}


@pytest.fixture(scope="module")
def fault_lab(new_fault_lab: NewFaultLab) -> FaultLab:
    fault_lab = new_fault_lab(config={"reclaimTimeoutSeconds": 3})
    fault_lab.checkout.up()
    fault_lab.checkout.kubectl("create", "namespace", "elsewhere")
    return fault_lab


@pytest.mark.parametrize("who", cases(USERS, telling=["a copy of the exercise's pod"]))
def test_destroy_names_foreign_users_and_keeps_their_data(fault_lab: FaultLab, who: str) -> None:
    checkout, (manifest, pod, name) = fault_lab.checkout, USERS[who]
    namespace, _, pod_name = pod.partition("/")
    file = checkout.folder / "foreign.yaml"
    file.write_text(manifest)
    with fault_lab.fault(who, "destroy") as saw:
        checkout.kubectl("apply", "-f", str(file))
        checkout.kubectl(
            "wait", f"pod/{pod_name}", "-n", namespace, "--for=jsonpath={.status.phase}=Running", "--timeout=60s"
        )
        refused = checkout.destroy(expect=None)
        assert refused.returncode != 0
        assert name in refused.stdout, "what holds the storage is not named"
        fault_lab.check_standing()
        checkout.kubectl("delete", "--wait=true", "--timeout=60s", "-f", str(file))
        if manifest is CLAIM:
            saw(f"named {name}, then {summary(checkout.destroy().stdout)}")
            fault_lab.check_gone()
        else:
            saw(f"named {name}; after it went, destroy finishes")
