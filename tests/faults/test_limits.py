"""Names and sizes at their limits, and inputs that others have stumbled over."""

import json
import socket
import stat
from typing import Any

import pytest

from checkout.until import until
from localcloud.record.record import read
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, errors, kill, summary
from tests.faults.selection import cases

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
def fault_lab(new_fault_lab: NewFaultLab) -> FaultLab:
    return new_fault_lab()


@pytest.mark.parametrize("what", cases(REFUSED, telling=["a dot at the end"]))
def test_preview_refuses_a_name_that_the_cluster_refuses(fault_lab: FaultLab, what: str) -> None:
    fault_lab.checkout.configure({"servers": [REFUSED[what]]})
    with fault_lab.fault(f"a name with {what}", "preview") as saw:
        said = fault_lab.checkout.preview(expect=None)
        fault_lab.checkout.configure({"servers": None})
        assert said.returncode != 0
        text = said.stdout + said.stderr
        assert REFUSED[what].rpartition("/")[2] in text
        assert "accepted" in text or "reserved" in text
        assert "Traceback" not in text
        saw(errors(text))


def test_many_servers_with_long_and_equal_names_come_up(fault_lab: FaultLab) -> None:
    servers = [LONGEST, "data-server", "data-server-2", *(f"learner-{number:02}" for number in range(1, 24))]
    fault_lab.checkout.configure({"servers": servers, "storage": "16Ti"})
    with fault_lab.fault(f"{len(servers)} servers of 16Ti, a name of 63", "up") as saw:
        saw(summary(fault_lab.checkout.up().stdout))
        fault_lab.check_standing()
        outputs = fault_lab.checkout.outputs()["servers"]
        assert len({server["volumeId"] for server in outputs.values()}) == len(servers), "two share a volume"
        assert len(fault_lab.checkout.get("nodes")["items"]) == 2, "one node attaches 25 volumes"
    fault_lab.checkout.configure({"servers": ["nfs-server"]})
    with fault_lab.fault(f"{len(servers) - 1} servers removed at once", "up") as saw:
        saw(summary(fault_lab.checkout.up().stdout))
        until(lambda: len(fault_lab.ec2_state.volumes()) == 1, "the volumes of the removed servers are gone", 120)
        until(lambda: len(fault_lab.checkout.get("pv")["items"]) == 1, "their PersistentVolumes as well", 60)
        fault_lab.check_standing()


CLASSES: dict[str, tuple[dict[str, str], str]] = {
    "an unclosed brace in a tag template": ({"tagSpecification_3": "Owner={{ .PVName"}, "tagSpecification_3"),
    "an unknown field in a tag template": ({"tagSpecification_3": "Owner={{ .Nobody }}"}, "Nobody"),
    "an unknown parameter of the class": ({"colour": "blue"}, "colour"),
    "an equals sign in a tag's value": ({"tagSpecification_3": "Formula=a=b"}, ""),
}


def _claim_of(fault_lab: FaultLab, name: str, parameters: dict[str, str]) -> Any:
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
    file = fault_lab.checkout.folder / f"{name}.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    fault_lab.checkout.kubectl("apply", "-f", str(file))
    return file


@pytest.mark.parametrize("what", cases(CLASSES, telling=["an unclosed brace in a tag template"]))
def test_claim_of_a_foreign_class_is_bound_or_says_why(fault_lab: FaultLab, what: str) -> None:
    parameters, named = CLASSES[what]
    name = f"odd-{list(CLASSES).index(what)}"
    fault_lab.checkout.up()
    with fault_lab.fault(what, "a claim of such a class") as saw:
        file = _claim_of(fault_lab, name, parameters)

        def said() -> str:
            claim = fault_lab.checkout.get("pvc", name)
            if claim["status"]["phase"] == "Bound":
                return "bound"
            events = fault_lab.checkout.get("events", "--field-selector", f"involvedObject.name={name},type=Warning")[
                "items"
            ]
            messages = [event["message"] for event in events if event["reason"] == "ProvisioningFailed"]
            return messages[0] if messages else ""

        message = until(said, "the claim is bound, or its event says why not")
        saw(message[-160:])
        assert (message == "bound") == (not named), message
        assert named in message, "the event does not name what is wrong"
        fault_lab.checkout.kubectl("delete", "--wait=true", "--timeout=60s", "-f", str(file))
        until(lambda: len(fault_lab.ec2_state.volumes()) == 1, "no volume but the lab's own is left")


def test_claim_waits_for_a_deleted_csi_node(fault_lab: FaultLab) -> None:
    fault_lab.checkout.up()
    with fault_lab.fault("no CSINode for a while", "a second server") as saw:
        fault_lab.checkout.kubectl("delete", "csinode", "node-1")
        fault_lab.checkout.configure({"servers": ["nfs-server", "late-server"]})
        saw(summary(fault_lab.checkout.up().stdout))
        fault_lab.check_standing()


def _listener(port: int) -> socket.socket | None:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


def test_taken_port_of_the_scheduler_is_named_with_its_holder(fault_lab: FaultLab) -> None:
    fault_lab.checkout.up()
    facts = read(fault_lab.checkout.cloud)
    assert facts is not None
    with fault_lab.fault("the scheduler's port taken", "up") as saw:
        kill(fault_lab, "supervisor", "kube-scheduler")
        # The system lets go of a killed server's connections in its own time.
        with until(lambda: _listener(facts.ports["kube-scheduler"]), "the port can be taken"):
            refused = fault_lab.checkout.up(expect=None)
        assert refused.returncode != 0
        assert f"port {facts.ports['kube-scheduler']} of kube-scheduler is taken by" in refused.stdout
        saw(errors(refused.stdout))
        fault_lab.checkout.up()
        fault_lab.check_standing()


def test_cloud_that_cannot_start_keeps_its_volume(fault_lab: FaultLab) -> None:
    checkout = fault_lab.checkout
    checkout.up()
    before, record = checkout.outputs(), read(checkout.cloud)
    assert record is not None
    with fault_lab.fault("the API server's port taken", "up and destroy of a stopped cloud") as saw:
        kill(fault_lab)
        with until(lambda: _listener(record.api_port), "the port can be taken"):
            for command in (checkout.up, checkout.destroy):
                refused = command(expect=None)
                assert refused.returncode != 0, "a cloud that is only down must not pass for one that was deleted"
                assert f"port {record.api_port} of kube-apiserver is taken by" in refused.stdout
        saw(errors(refused.stdout))
        checkout.preview()
        checkout.up()
        assert checkout.outputs()["volumeId"] == before["volumeId"], "the data is lost"
        fault_lab.check_standing()
    checkout.destroy()
    fault_lab.check_gone()


def test_component_that_exits_early_is_named_and_all_end(fault_lab: FaultLab) -> None:
    tools = fault_lab.checkout.folder / ".lab" / "bin"
    real = tools.resolve()
    tools.unlink()
    tools.mkdir()
    for tool in real.iterdir():
        (tools / tool.name).symlink_to(tool)
    broken = tools / "kube-controller-manager"
    broken.unlink()
    # Shortly: on a busy machine the API server may be ready within a second, and then nobody waits for this one.
    broken.write_text(f'#!/bin/sh\necho "no mood for this" >&2\nexec timeout 0.1 "{real / broken.name}" "$@"\n')
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    with fault_lab.fault("controller manager exits after 0.1 s", "up") as saw:
        refused = fault_lab.checkout.up(expect=None)
        assert refused.returncode != 0
        assert "kube-controller-manager ended while the local cloud was starting" in refused.stdout
        saw(errors(refused.stdout))
        assert fault_lab.checkout.processes() == [], "the rest keeps running"
        broken.unlink()
        broken.symlink_to(real / broken.name)
        fault_lab.checkout.up()
        fault_lab.check_standing()
        fault_lab.checkout.destroy()
        fault_lab.check_gone()
