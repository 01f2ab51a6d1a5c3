"""Names and sizes at their limits, and inputs that others have stumbled over."""

import json
import socket
import stat
from typing import Any

import pytest

from checkout.until import until
from localcloud.record.record import read
from tests.faults.conftest import NewScene
from tests.faults.scene import Scene, errors, summary
from tests.faults.test_kills import kill

LONGEST = "n" + "0" * 62
REFUSED = {
    "capitals": "NFS-Server",
    "64 letters": "n" * 64,
    "70 letters": "n" * 70,
    "a dot at the end": "nfs-server.",
    "an underscore": "nfs_server",
    "a namespace of Kubernetes' own": "kube-system/nfs-server",
}


@pytest.fixture(scope="module")
def scene(new_scene: NewScene) -> Scene:
    return new_scene()


@pytest.mark.parametrize("what", REFUSED)
def test_a_name_that_the_cluster_would_refuse_is_refused_in_preview(scene: Scene, what: str) -> None:
    scene.lab.configure({"servers": [REFUSED[what]]})
    with scene.fault(f"a name with {what}", "preview") as saw:
        said = scene.lab.preview(expect=None)
        scene.lab.configure({"servers": None})
        assert said.returncode != 0
        text = said.stdout + said.stderr
        assert REFUSED[what].rpartition("/")[2] in text
        assert "accepted" in text or "reserved" in text
        assert "Traceback" not in text
        saw(errors(text))


def test_the_longest_name_equal_beginnings_and_many_instances_in_one_namespace(scene: Scene) -> None:
    servers = [LONGEST, "data-server", "data-server-2", *(f"learner-{number:02}" for number in range(1, 24))]
    scene.lab.configure({"servers": servers, "storage": "16Ti"})
    with scene.fault(f"{len(servers)} servers of 16Ti, a name of 63", "up") as saw:
        saw(summary(scene.lab.up().stdout))
        scene.check_standing()
        outputs = scene.lab.outputs()["servers"]
        assert len({server["volumeId"] for server in outputs.values()}) == len(servers), "two share a volume"
        assert len(scene.lab.get("nodes")["items"]) == 2, "one node attaches 25 volumes"
    scene.lab.configure({"servers": ["nfs-server"]})
    with scene.fault(f"{len(servers) - 1} servers removed at once", "up") as saw:
        saw(summary(scene.lab.up().stdout))
        until(lambda: len(scene.witness.volumes()) == 1, "the volumes of the removed servers are gone", 120)
        until(lambda: len(scene.lab.get("pv")["items"]) == 1, "their PersistentVolumes as well", 60)
        scene.check_standing()


CLASSES: dict[str, tuple[dict[str, str], str]] = {
    "an unclosed brace in a tag template": ({"tagSpecification_3": "Owner={{ .PVName"}, "tagSpecification_3"),
    "an unknown field in a tag template": ({"tagSpecification_3": "Owner={{ .Nobody }}"}, "Nobody"),
    "a class parameter nobody knows": ({"colour": "blue"}, "colour"),
    "an equals sign in a tag's value": ({"tagSpecification_3": "Formula=a=b"}, ""),
}


def _claim_of(scene: Scene, name: str, parameters: dict[str, str]) -> Any:
    """A class with these parameters, a claim of it and a pod that uses the claim."""
    tag = {"tagSpecification_9": "storage-lab=storage-lab-local"}
    items = [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": "ebs.csi.aws.com",
            "volumeBindingMode": "WaitForFirstConsumer",
            "parameters": {"type": "gp3", **tag, **parameters},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name},
            "spec": {
                "storageClassName": name,
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "shell", "image": "busybox"}],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
            },
        },
    ]
    file = scene.lab.folder / f"{name}.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    scene.lab.kubectl("apply", "-f", str(file))
    return file


@pytest.mark.parametrize("what", CLASSES)
def test_a_class_of_others_with(scene: Scene, what: str) -> None:
    parameters, named = CLASSES[what]
    name = f"odd-{list(CLASSES).index(what)}"
    scene.lab.up()
    with scene.fault(what, "a claim of such a class") as saw:
        file = _claim_of(scene, name, parameters)

        def said() -> str:
            claim = scene.lab.get("pvc", name)
            if claim["status"]["phase"] == "Bound":
                return "bound"
            events = scene.lab.get("events", "--field-selector", f"involvedObject.name={name},type=Warning")["items"]
            messages = [event["message"] for event in events if event["reason"] == "ProvisioningFailed"]
            return messages[0] if messages else ""

        message = until(said, "the claim is bound, or its event says why not")
        saw(message[-160:])
        assert (message == "bound") == (not named), message
        assert named in message, "the event does not name what is wrong"
        scene.lab.kubectl("delete", "--wait=true", "--timeout=60s", "-f", str(file))
        until(lambda: len(scene.witness.volumes()) == 1, "no volume but the lab's own is left")


def test_a_claim_waits_for_a_csi_node_that_is_away(scene: Scene) -> None:
    scene.lab.up()
    with scene.fault("no CSINode for a while", "a second server") as saw:
        scene.lab.kubectl("delete", "csinode", "node-1")
        scene.lab.configure({"servers": ["nfs-server", "late-server"]})
        saw(summary(scene.lab.up().stdout))
        scene.check_standing()


def _listener(port: int) -> socket.socket | None:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


def test_the_schedulers_port_taken_is_named_with_its_holder(scene: Scene) -> None:
    scene.lab.up()
    facts = read(scene.lab.cloud)
    assert facts is not None
    with scene.fault("the scheduler's port taken", "up") as saw:
        kill(scene, "supervisor", "kube-scheduler")
        # The system lets go of a killed server's connections in its own time.
        with until(lambda: _listener(facts.ports["kube-scheduler"]), "the port can be taken"):
            refused = scene.lab.up(expect=None)
        assert refused.returncode != 0
        assert f"port {facts.ports['kube-scheduler']} of kube-scheduler is taken by" in refused.stdout
        saw(errors(refused.stdout))
        scene.lab.up()
        scene.check_standing()
    scene.lab.destroy()
    scene.check_gone()


def test_a_controller_manager_that_exits_after_a_second_is_named_and_nothing_keeps_running(scene: Scene) -> None:
    tools = scene.lab.folder / ".lab" / "bin"
    real = tools.resolve()
    tools.unlink()
    tools.mkdir()
    for tool in real.iterdir():
        (tools / tool.name).symlink_to(tool)
    broken = tools / "kube-controller-manager"
    broken.unlink()
    broken.write_text(f'#!/bin/sh\necho "no mood for this" >&2\nexec timeout 1 "{real / broken.name}" "$@"\n')
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    with scene.fault("controller manager exits after 1 s", "up") as saw:
        refused = scene.lab.up(expect=None)
        assert refused.returncode != 0
        assert "kube-controller-manager ended while the local cloud was starting" in refused.stdout
        saw(errors(refused.stdout))
        assert scene.lab.processes() == [], "the rest keeps running"
        broken.unlink()
        broken.symlink_to(real / broken.name)
        scene.lab.up()
        scene.check_standing()
        scene.lab.destroy()
        scene.check_gone()
