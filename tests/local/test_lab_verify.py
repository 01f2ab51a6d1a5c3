"""lab verify and lab status on a real lab: green, red where something was really broken, and deleted."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from checkout import Checkout
from checkout.terminals import on_a_terminal
from checkout.until import until
from tests.local.settled import attached_again

LAB = ("python", "-m", "lab")
SECOND_DEFAULT = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: gp2, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: ebs.csi.aws.com
"""

DEBUG = """
apiVersion: v1
kind: Pod
metadata: {name: debug}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: shell, image: busybox, volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: nfs-pvc}}]
"""

Breakage = Callable[[Checkout], AbstractContextManager[None]]


def statuses(checkout: Checkout, *words: str, expect: int) -> dict[str, str]:
    """What verify says of each step, read from its JSON."""
    said = json.loads(checkout.run(*LAB, "verify", "--json", "--stack", checkout.stack, *words, expect=expect).stdout)
    assert said["ok"] is (expect == 0), "a script may read either"
    return {step["step"]: step["status"] for step in said["steps"]}


def complaint(checkout: Checkout, *words: str) -> str:
    """The one sentence with which a command gives up."""
    done = checkout.run(*LAB, *words, expect=2)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@contextmanager
def deployed(checkout: Checkout) -> Iterator[Checkout]:
    try:
        checkout.up()
        yield checkout
    finally:
        checkout.destroy(expect=None)
        checkout.clear()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    with deployed(Checkout(tmp_path_factory.mktemp("verify"), config={"reclaimTimeoutSeconds": 60})) as checkout:
        yield checkout


def test_whole_lab_is_green_with_what_was_found(checkout: Checkout) -> None:
    said = checkout.run(*LAB, "verify").stdout
    outputs = checkout.outputs()
    assert "17 passed, 0 failed, 0 skipped" in said, said
    for found in (outputs["pvName"], outputs["volumeId"], outputs["volumeName"], "ReadWriteOnce, 1Gi"):
        assert found in said, "a learner is told that it is right, and not what"
    assert "event WaitForFirstConsumer" in said, "the event of a claim that was just made is not found"
    assert re.search(r"wrote it and was deleted, nfs-server-\S+ read it back", said), "no byte outlived its Pod"
    assert "\x1b" not in said, "colours in a pipe"


def test_commands_that_verify_shows_can_be_typed(checkout: Checkout) -> None:
    steps = json.loads(checkout.run(*LAB, "verify", "--json").stdout)["steps"]
    kubectl = [step["command"] for step in steps if step["command"].startswith("kubectl get")]
    assert len(kubectl) > 5
    for command in kubectl:
        done = checkout.run("sh", "-c", f"KUBECONFIG=.lab/clouds/local/kubeconfig {command}")
        assert done.stdout.strip(), f"{command} shows nothing"


def test_status_shows_every_id_of_the_chain(checkout: Checkout) -> None:
    said = checkout.run(*LAB, "status").stdout
    volume = checkout.ec2().describe_volumes(VolumeIds=[checkout.outputs()["volumeId"]])["Volumes"][0]
    [pod] = checkout.get("pods")["items"]
    [attachment] = checkout.get("volumeattachments")["items"]
    chain = [
        "Deployment nfs-server", pod["metadata"]["name"], "nfs-pvc", checkout.outputs()["pvName"],
        attachment["metadata"]["name"], volume["VolumeId"], volume["Attachments"][0]["InstanceId"],
    ]  # fmt: skip
    lines = said.splitlines()
    assert len(lines) == len(chain), said
    assert [name for name, line in zip(chain, lines, strict=True) if name not in line] == [], said


def test_watch_deletes_the_pod_by_its_key_and_tells_that_the_volume_stays(checkout: Checkout) -> None:
    attached_again(checkout)
    [before] = checkout.get("pods")["items"]
    name, volume = before["metadata"]["name"], checkout.outputs()["volumeId"]
    with on_a_terminal(checkout, *LAB, "watch", columns=160) as terminal:
        terminal.until("the chain holds")
        terminal.press("d")
        terminal.until(f"kubectl delete pod {name}")
        terminal.press("y")
        terminal.until(f"Pod {name} is gone; the volume {volume} stays")
        terminal.until(f"is ready on node-1, with the volume {volume} at /exports")
        terminal.press("\x03")
        assert terminal.ended() == 0
    attached_again(checkout)


@contextmanager
def detached(checkout: Checkout) -> Iterator[None]:
    """Somebody detaches the volume in the console. What repairs it is what the hint says."""
    ec2, volume = checkout.ec2(), checkout.outputs()["volumeId"]

    def state() -> str:
        return ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"]

    ec2.detach_volume(VolumeId=volume)
    until(lambda: state() == "available", "the volume is detached")
    yield
    steps = json.loads(checkout.run(*LAB, "verify", "--json", expect=1).stdout)["steps"]
    [hint] = [step["hint"] for step in steps if step["hint"]]
    commands = re.findall(r"kubectl delete [a-z]+ [\w-]+", hint)
    assert [command.split()[2] for command in commands] == ["volumeattachment", "pod"], hint
    for command in commands:
        checkout.kubectl(*command.split()[1:], "--timeout=60s")
    attached_again(checkout)


@contextmanager
def renamed(checkout: Checkout) -> Iterator[None]:
    """Somebody gives the volume a nicer name."""
    ec2, outputs = checkout.ec2(), checkout.outputs()
    ec2.create_tags(Resources=[outputs["volumeId"]], Tags=[{"Key": "Name", "Value": "my data"}])
    yield
    ec2.create_tags(Resources=[outputs["volumeId"]], Tags=[{"Key": "Name", "Value": outputs["volumeName"]}])


@contextmanager
def second_default(checkout: Checkout) -> Iterator[None]:
    """Somebody makes another class the default."""
    manifest = checkout.folder / "gp2.yaml"
    manifest.write_text(SECOND_DEFAULT)
    checkout.kubectl("apply", "-f", str(manifest))
    yield
    checkout.kubectl("delete", "-f", str(manifest))


@contextmanager
def configured_larger(checkout: Checkout) -> Iterator[None]:
    """Somebody sets a size, and forgets pulumi up."""
    checkout.configure({"storage": "2Gi"})
    yield
    checkout.configure({"storage": None})


@contextmanager
def no_pod(checkout: Checkout) -> Iterator[None]:
    """Somebody scales the server down: the volume waits, detached."""
    checkout.kubectl("scale", "deployment/nfs-server", "--replicas=0")
    until(lambda: not checkout.get("volumeattachments")["items"], "no VolumeAttachment is left")
    yield
    checkout.kubectl("scale", "deployment/nfs-server", "--replicas=1")
    attached_again(checkout)


@contextmanager
def unselected(checkout: Checkout) -> Iterator[None]:
    """Somebody mistypes the Service's selector. What repairs it is what the hint says."""
    checkout.kubectl("patch", "service", "nfs-server", "--type=merge", "-p", '{"spec": {"selector": {"role": "nfs"}}}')
    yield
    checkout.up()
    attached_again(checkout)


@contextmanager
def used_by_another(checkout: Checkout) -> Iterator[None]:
    """Somebody has a look into the claim with a Pod of their own."""
    manifest = checkout.folder / "debug.yaml"
    manifest.write_text(DEBUG)
    checkout.kubectl("apply", "-f", str(manifest))
    checkout.kubectl("wait", "pod/debug", "--for=condition=Ready", "--timeout=60s")
    yield
    checkout.kubectl("delete", "pod", "debug", "--timeout=60s")


def together(*breaks: Breakage) -> Breakage:
    """Return the breakages at once: none of them changes what the steps of the others look at."""

    @contextmanager
    def all_of_them(checkout: Checkout) -> Iterator[None]:
        with ExitStack() as stack:
            for each in breaks:
                stack.enter_context(each(checkout))
            yield

    return all_of_them


BREAKAGES: dict[str, tuple[Breakage, set[str]]] = {
    "detached in EC2": (detached, {"attached"}),
    "renamed, another default class, configured larger": (
        together(renamed, second_default, configured_larger),
        {"ebs-name", "default-class", "claim-size"},
    ),
    "scaled to nothing": (no_pod, {"deployment", "pod", "service", "ebs-zone", "attached"}),
    "a Service that selects nobody": (unselected, {"service"}),
    "somebody else's Pod on the claim": (used_by_another, {"pod"}),
}


# `make test` tries the first two; the others ask the same way.
@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=[pytest.mark.thorough] if i > 1 else []) for i, what in enumerate(BREAKAGES)]
)
def test_breakage_turns_its_steps_red_until_repaired(checkout: Checkout, what: str) -> None:
    breaks, red = BREAKAGES[what]
    with breaks(checkout):
        found = statuses(checkout, expect=1)
        assert {step for step, status in found.items() if status == "failed"} == red, found
        assert found["data-survives"] == "skipped", "a Pod that may never come back was deleted"
    assert "failed" not in statuses(checkout, expect=0).values()


@pytest.mark.thorough
def test_cloud_without_its_record_is_one_sentence(checkout: Checkout) -> None:
    checkout.run("python", "-m", "localcloud", "stop", str(checkout.cloud))
    assert checkout.processes() == []
    facts = checkout.cloud / "cloud.json"
    aside = facts.rename(facts.with_suffix(".aside"))
    try:
        for command in ("verify", "status"):
            said = complaint(checkout, command)
            assert "the cluster of the stack local does not answer: there is no local cloud in" in said, said
    finally:
        aside.rename(facts)
    assert "failed" not in statuses(checkout, expect=0).values()


def test_unknown_stack_is_one_sentence(checkout: Checkout) -> None:
    assert "no stack named 'nope' found" in complaint(checkout, "verify", "--stack", "nope")
    assert "no stack named 'nope' found" in complaint(checkout, "verify", "--gone", "--stack", "nope")


def test_gone_is_red_while_the_lab_exists(checkout: Checkout) -> None:
    gone = statuses(checkout, "--gone", expect=1)
    assert gone.pop("no-snapshot") == "passed", "this lab has none"
    assert set(gone.values()) == {"failed"}


def test_gone_is_green_after_destroy(checkout: Checkout) -> None:
    """The last of this file: the lab is taken down."""
    checkout.destroy()
    gone = statuses(checkout, "--gone", expect=0)
    assert gone == dict.fromkeys(("stack-empty", "no-volume", "no-snapshot", "no-process", "no-folder"), "passed")
    assert "has no outputs, so nothing of it is up" in complaint(checkout, "verify")
    checkout.cloud.mkdir(parents=True)
    try:
        leaked = {step for step, status in statuses(checkout, "--gone", expect=1).items() if status == "failed"}
    finally:
        checkout.cloud.rmdir()
    assert leaked == {"no-folder", "no-volume", "no-snapshot"}, "a folder that stays may hold volumes and snapshots"
