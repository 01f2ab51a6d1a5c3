"""The steps about the Deployment and its Pod."""

from lab.finding import Finding, Step, judged, last_warning, missing
from lab.objects import at, condition, name_of
from lab.snapshot import Snapshot, Thing

EXPORTS = "/exports"


def deployment(seen: Snapshot) -> Finding:
    if seen.deployment is None:
        return missing(
            f"there is no Deployment {seen.server.name} in the namespace {seen.server.namespace}",
            f"it was deleted or never made: run pulumi up --stack {seen.stack}",
        )
    role = {"role": seen.server.name}
    replicas = at(seen.deployment, "spec", "replicas")
    available = at(seen.deployment, "status", "availableReplicas") or 0
    label = at(seen.deployment, "spec", "template", "metadata", "labels", "role")
    selector = at(seen.deployment, "spec", "selector", "matchLabels")
    return judged(
        f"{available} of {replicas} available, its Pods labelled role: {label}",
        (replicas == 1, "replicas has to be 1: two servers would want the one volume"),
        (
            available == replicas,
            f"not every replica is available: kubectl describe deployment {seen.server.name}{seen.n}"
            f"{last_warning(seen, seen.deployment, seen.pod)}",
        ),
        (
            label == role["role"],
            f"the Pod template lacks the label role: {role['role']}, by which the Service finds it",
        ),
        (selector == role, f"the selector has to be role: {role['role']}, and nothing else"),
    )


def mount(seen: Snapshot) -> Finding:
    template = at(seen.deployment, "spec", "template", "spec")
    if template is None:
        return missing("there is no Deployment", "see the step before")
    through = [
        volume["name"]
        for volume in at(template, "volumes") or ()
        if at(volume, "persistentVolumeClaim", "claimName") == seen.server.claim_name
    ]
    mounts: list[Thing] = [one for container in template["containers"] for one in container.get("volumeMounts") or ()]
    paths = [one["mountPath"] for one in mounts if one["name"] in through]
    if not through:
        return missing(
            f"no volume of the Pod uses the claim {seen.server.claim_name}",
            f"whatever is written to {EXPORTS} goes with the Pod: add the claim to spec.volumes",
        )
    return judged(
        f"claim {seen.server.claim_name} at {' and '.join(paths) or 'no path'}",
        (
            paths == [EXPORTS],
            f"the claim has to be mounted at {EXPORTS}, the folder that the server exports; elsewhere it keeps nothing",
        ),
    )


def pod(seen: Snapshot) -> Finding:
    if seen.pod is None:
        return missing(
            "the Deployment has no Pod",
            f"kubectl describe deployment {seen.server.name}{seen.n} tells why{last_warning(seen, seen.deployment)}",
        )
    phase = at(seen.pod, "status", "phase")
    ready = condition(seen.pod, "Ready")
    label = at(seen.pod, "metadata", "labels", "role")
    leaving = at(seen.pod, "metadata", "deletionTimestamp")
    waiting = [reason for reason in map(_why_waiting, at(seen.pod, "status", "containerStatuses") or ()) if reason]
    node = at(seen.pod, "spec", "nodeName")
    state = "on its way out" if leaving else f"{phase}, {'ready' if ready else 'not ready'}"
    return judged(
        f"{name_of(seen.pod)}: {state}, on {node or 'no node'}, labelled role: {label}",
        (
            phase == "Running" and ready and not leaving,
            f"kubectl describe pod {name_of(seen.pod)}{seen.n} tells why{''.join(f' ({reason})' for reason in waiting)}"
            f"{last_warning(seen, seen.pod)}",
        ),
        (label == seen.server.name, f"the Pod lacks the label role: {seen.server.name}, by which the Service finds it"),
        (len(seen.pods) == 1, f"there are {len(seen.pods)} Pods, and the volume is for one"),
    )


def _why_waiting(container: Thing) -> str:
    """ImagePullBackOff and its like."""
    reason: str | None = at(container, "state", "waiting", "reason")
    message: str | None = at(container, "state", "waiting", "message")
    return ": ".join(part for part in (reason, message) if part)


STEPS = (
    Step("deployment", "The Deployment has its one Pod", "kubectl get deployment {server}{n} -o wide", deployment),
    Step("mount", "The claim is mounted at /exports", "kubectl describe deployment {server}{n}", mount),
    Step("pod", "The Pod is Running and Ready", "kubectl get pods{n} -l role={server} -o wide", pod),
)
