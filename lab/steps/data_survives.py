"""The step of the exercise's promise: what is written on the share is still there after the Pod was deleted.

It is the only step that changes something: it writes a file of its own, and deletes a Pod.
"""

import json
from collections.abc import Callable, Sequence
from uuid import uuid4

from components.settings.conventions import EXPORTS
from lab.reading.commands import CommandFailed
from lab.reading.kubectl import Kubectl
from lab.reading.objects import Thing, at, condition, name_of
from lab.reading.snapshot import Snapshot
from lab.steps import Finding, Step

# Detach, attach and mount take one minute together on EC2.
RESTART_SECONDS = 300
TYPED = (
    f"kubectl exec deploy/{{server}}{{n}} -- sh -c 'echo hello > {EXPORTS}/hello'; "
    "kubectl delete pod{n} -l role={server}; kubectl rollout status deploy/{server}{n}; "
    f"kubectl exec deploy/{{server}}{{n}} -- cat {EXPORTS}/hello"
)


def step(
    kubectl: Kubectl, others: Sequence[Step[Snapshot]], token: Callable[[], str] = lambda: uuid4().hex
) -> Step[Snapshot]:
    """Return the step, which works through `kubectl`; what it writes is a new token each time.

    It is tried where none of the `others` fails. In a broken lab the deleted Pod may never come back, files that are
    not on the claim are lost with it, and the hints of the others name a Pod that no longer exists. Nor is it tried
    where something that works holds the Pod, or keeps the next one away.
    """

    def look(seen: Snapshot) -> Finding:
        if any(other.look(seen).ok is False for other in others):
            return Finding(None, "tried when the other steps pass, because it deletes the Pod")
        if hindrance := _hindrance(seen):
            return Finding(None, f"not tried, because it deletes the Pod: {hindrance}")
        return try_it(seen, kubectl, token())

    return Step(
        "data-survives",
        "What is written on the share outlives the Pod",
        TYPED,
        look,
    )


def _hindrance(seen: Snapshot) -> str | None:
    """Return what keeps the Pod from ending, or a next one from starting on its node."""
    if finalizers := at(seen.pod, "metadata", "finalizers"):
        return f"{name_of(seen.pod)} would not end, because it carries the finalizer {', '.join(finalizers)}"
    if at(seen.node, "spec", "unschedulable"):
        return f"{name_of(seen.node)} is cordoned, so a next Pod could not start there"
    taints = [taint for taint in at(seen.node, "spec", "taints") or () if not _tolerated(taint, seen.pod)]
    if taints:
        keys = ", ".join(taint["key"] for taint in taints)
        return f"{name_of(seen.node)} has the taint {keys}, so a next Pod could not start there"
    return None


def _tolerated(taint: Thing, pod: Thing | None) -> bool:
    """Return whether the scheduler overlooks the taint."""
    return taint["effect"] == "PreferNoSchedule" or any(
        one.get("effect") in (None, "", taint["effect"])
        and one.get("key") in (None, "", taint["key"])
        and (one.get("operator") == "Exists" or (one.get("value") or "") == (taint.get("value") or ""))
        for one in at(pod, "spec", "tolerations") or ()
    )


def try_it(seen: Snapshot, kubectl: Kubectl, written: str) -> Finding:
    """Write a file through the Pod, delete the Pod, read the file through the next one, and remove it.

    Raises LabError where kubectl does not end.
    """
    file = f"{EXPORTS}/.lab-verify"
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
    except CommandFailed as error:
        return Finding(
            False, f"{doing} failed: {error}", f"kubectl describe pod{seen.in_namespace} -l role={seen.server.name}"
        )
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
        raise CommandFailed("no Pod is ready")
    return str(name_of(ready[0]))
