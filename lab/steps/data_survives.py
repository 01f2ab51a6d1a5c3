"""The promise itself: what is written on the share is there again after the Pod is gone.

The one step that changes something, a Pod and a file of its own, so it is no function of a snapshot.
"""

import json
from collections.abc import Callable
from uuid import uuid4

from components.settings.conventions import EXPORTS
from lab.reading.commands import Refused
from lab.reading.kubectl import Kubectl
from lab.reading.objects import at, condition, name_of
from lab.reading.snapshot import Snapshot, Thing
from lab.steps.finding import Finding
from lab.steps.server import mount

KEY = "data-survives"
SAYS = "What is written on the share outlives the Pod"
# Detach, attach and mount take one minute together on EC2.
RESTART_SECONDS = 300
NOT_ON_LOCAL = (
    "cannot be tried on the local target: its nodes only pretend to run containers, so nobody can write a file. "
    "Claim, volume and attachment are real, bytes are not; the eks target has both"
)


def command(seen: Snapshot) -> str:
    """What a learner types to see the same."""
    inside = f"kubectl exec deploy/{seen.server.name}{seen.n} --"
    return (
        f"{inside} sh -c 'echo hello > {EXPORTS}/hello'; kubectl delete pod{seen.n} -l role={seen.server.name}; "
        f"kubectl rollout status deploy/{seen.server.name}{seen.n}; {inside} cat {EXPORTS}/hello"
    )


def try_it(seen: Snapshot, kubectl: Kubectl, token: Callable[[], str] = lambda: uuid4().hex) -> Finding:
    """Writes a file through the Pod, deletes the Pod, reads the file through the next one, and removes it.

    Raises CannotLook where kubectl does not end.
    """
    if seen.target == "local":
        return Finding(None, NOT_ON_LOCAL)
    if not mount(seen).ok:
        # What lies elsewhere would go with the Pod, and may be the learner's.
        return Finding(False, f"not tried: the claim is not mounted at {EXPORTS}", "see the mount's step")
    if seen.pod is None or not condition(seen.pod, "Ready"):
        return Finding(False, "there is no Pod that is ready to write", "see the Pod's step")
    written, file = token(), f"{EXPORTS}/.lab-verify"
    namespace = f"--namespace={seen.server.namespace}"
    first = str(name_of(seen.pod))
    doing = f"writing {file} in {first}"
    try:
        kubectl.run("exec", namespace, first, "--", "sh", "-c", f"echo {written} > {file} && sync")
        doing = f"deleting {first}"
        kubectl.run("delete", "pod", namespace, first, f"--timeout={RESTART_SECONDS}s", timeout=RESTART_SECONDS + 10)
        doing = "waiting for the next Pod"
        deployment = f"deployment/{seen.server.name}"
        kubectl.run(
            "rollout", "status", namespace, deployment, f"--timeout={RESTART_SECONDS}s", timeout=RESTART_SECONDS + 10
        )
        second = _ready_pod(seen, kubectl, namespace)
        doing = f"reading {file} in {second}"
        read = kubectl.run("exec", namespace, second, "--", "cat", file).strip()
        doing = f"removing {file} in {second}"
        kubectl.run("exec", namespace, second, "--", "rm", "-f", file)
    except Refused as error:
        return Finding(False, f"{doing} failed: {error}", f"kubectl describe pod{seen.n} -l role={seen.server.name}")
    if read != written:
        return Finding(
            False,
            f"{first} wrote {written} and {second} read {read or 'nothing'}",
            f"the file was not on the volume: the claim has to be mounted at {EXPORTS}",
        )
    return Finding(True, f"{first} wrote it and was deleted, {second} read it back")


def _ready_pod(seen: Snapshot, kubectl: Kubectl, namespace: str) -> str:
    said = kubectl.run("get", "pods", namespace, f"--selector=role={seen.server.name}", "--output=json")
    pods: list[Thing] = json.loads(said)["items"]
    ready = [pod for pod in pods if condition(pod, "Ready") and not at(pod, "metadata", "deletionTimestamp")]
    if not ready:
        raise Refused("no Pod is ready")
    return str(name_of(ready[0]))
