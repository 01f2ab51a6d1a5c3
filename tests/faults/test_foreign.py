"""Others on the lab's storage at destroy: named, never dropped, never leaked."""

import pytest

from tests.faults.conftest import NewScene
from tests.faults.scene import Scene, summary

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
SNOOPER = POD.format(name="snooper", namespace="default", claim="nfs-pvc")
# The manifest, its pod, and what the message has to name.
USERS = {
    "a pod of others on our claim": (SNOOPER, "default/snooper", "default/snooper"),
    "a claim and pod of others elsewhere": (CLAIM, "elsewhere/student", "elsewhere/homework"),
}


@pytest.fixture(scope="module")
def scene(new_scene: NewScene) -> Scene:
    scene = new_scene(config={"reclaimTimeoutSeconds": 3})
    scene.lab.up()
    scene.lab.kubectl("create", "namespace", "elsewhere")
    return scene


@pytest.mark.parametrize("who", USERS)
def test_who_uses_the_storage_is_named_and_keeps_it(scene: Scene, who: str) -> None:
    lab, (manifest, pod, name) = scene.lab, USERS[who]
    namespace, _, pod_name = pod.partition("/")
    file = lab.folder / "foreign.yaml"
    file.write_text(manifest)
    with scene.fault(who, "destroy") as saw:
        lab.kubectl("apply", "-f", str(file))
        lab.kubectl(
            "wait", f"pod/{pod_name}", "-n", namespace, "--for=jsonpath={.status.phase}=Running", "--timeout=60s"
        )
        refused = lab.destroy(expect=None)
        assert refused.returncode != 0
        assert name in refused.stdout, "what holds the storage is not named"
        scene.check_standing()
        lab.kubectl("delete", "--wait=true", "--timeout=60s", "-f", str(file))
        if manifest is CLAIM:
            saw(f"named {name}, then {summary(lab.destroy().stdout)}")
            scene.check_gone()
        else:
            saw(f"named {name}; after it went, destroy finishes")
