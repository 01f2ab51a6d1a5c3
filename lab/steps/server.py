"""The steps about the Deployment, its Pod and the Service that leads to it."""

from collections.abc import Sequence

from components.settings.conventions import EXPORTS
from lab.reading.objects import Thing, at, condition, name_of
from lab.reading.snapshot import Snapshot
from lab.steps import Finding, Step, judged, missing


def deployment(seen: Snapshot) -> Finding:
    """Judge the Deployment's replicas, label and selector."""
    if seen.deployment is None:
        return missing(
            f"there is no Deployment {seen.server.name} in the namespace {seen.server.namespace}",
            f"it was deleted or never created: run pulumi up --stack {seen.stack}",
        )
    role = {"role": seen.server.name}
    replicas = at(seen.deployment, "spec", "replicas")
    available = at(seen.deployment, "status", "availableReplicas") or 0
    label = at(seen.deployment, "spec", "template", "metadata", "labels", "role")
    selector = at(seen.deployment, "spec", "selector", "matchLabels")
    return judged(
        f"{available} of {replicas} available, its Pods labelled role: {label}",
        (replicas == 1, "replicas has to be 1: with 0 nobody serves, and 2 would want the one volume"),
        (
            available == replicas,
            f"not every replica is available: kubectl describe deployment {seen.server.name}{seen.in_namespace}"
            f"{seen.last_warning(seen.deployment, seen.pod)}",
        ),
        (
            label == role["role"],
            f"the Pod template lacks the label role: {role['role']}, by which the Service finds it",
        ),
        (selector == role, f"the selector has to be role: {role['role']}, and nothing else"),
    )


def mount(seen: Snapshot) -> Finding:
    """Judge whether the Pod keeps what it exports on the claim."""
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
            f"what is written to {EXPORTS} is lost with the Pod: add the claim to spec.volumes",
        )
    return judged(
        f"claim {seen.server.claim_name} at {' and '.join(paths) or 'no path'}",
        (
            paths == [EXPORTS],
            f"the claim has to be mounted at {EXPORTS}, the folder that the server exports; elsewhere it keeps nothing",
        ),
    )


def pod(seen: Snapshot) -> Finding:
    """Judge whether the one Pod runs, and is the only user of the claim."""
    if seen.pod is None:
        return missing(
            "the Deployment has no Pod",
            f"kubectl describe deployment {seen.server.name}{seen.in_namespace} tells why"
            f"{seen.last_warning(seen.deployment)}",
        )
    phase = at(seen.pod, "status", "phase")
    ready = condition(seen.pod, "Ready")
    label = at(seen.pod, "metadata", "labels", "role")
    leaving = at(seen.pod, "metadata", "deletionTimestamp")
    waiting = [reason for reason in map(_why_waiting, at(seen.pod, "status", "containerStatuses") or ()) if reason]
    node = at(seen.pod, "spec", "nodeName")
    state = "being deleted" if leaving else f"{phase}, {'ready' if ready else 'not ready'}"
    return judged(
        f"{name_of(seen.pod)}: {state}, on {node or 'no node'}, labelled role: {label}",
        (
            phase == "Running" and ready and not leaving,
            f"kubectl describe pod {name_of(seen.pod)}{seen.in_namespace} tells why"
            f"{''.join(f' ({reason})' for reason in waiting)}{seen.last_warning(seen.pod)}",
        ),
        (label == seen.server.name, f"the Pod lacks the label role: {seen.server.name}, by which the Service finds it"),
        (
            len(seen.pods) == 1,
            f"there are {len(seen.pods)} Pods, {named(seen.pods)}, and the volume is for one",
        ),
        (
            not seen.foreign_pods,
            f"{named(seen.foreign_pods)} uses the claim {seen.server.claim_name} too, and the Deployment did not "
            "create it: the volume stays on its node, and pulumi destroy stops at it. kubectl delete pod "
            f"{' '.join(str(name_of(pod)) for pod in seen.foreign_pods)}{seen.in_namespace}, and what created it",
        ),
    )


def named(pods: Sequence[Thing]) -> str:
    """Return the Pods by name and node."""
    return " and ".join(f"{name_of(pod)} (on {at(pod, 'spec', 'nodeName') or 'no node'})" for pod in pods)


def service(seen: Snapshot) -> Finding:
    """Judge whether the Service leads to the Pod alone, by its label: then it leads to the next Pod too."""
    if seen.service is None:
        return missing(
            f"there is no Service {seen.server.name} in the namespace {seen.server.namespace}",
            f"it was deleted or never created: run pulumi up --stack {seen.stack}",
        )
    selector: Thing = at(seen.service, "spec", "selector") or {}
    names = [
        str(at(endpoint, "targetRef", "name") or " and ".join(endpoint["addresses"])) for endpoint in seen.endpoints
    ]
    reached = [at(endpoint, "targetRef", "uid") for endpoint in seen.endpoints]
    described = ", ".join(f"{key}: {value}" for key, value in selector.items()) or "nothing"
    found = f"selects {described}; leads to {' and '.join(names) or 'nobody'}"
    if selector != {"role": seen.server.name}:
        return missing(
            found,
            f"its selector has to be role: {seen.server.name}, the label of the server's Pod: kubectl describe service "
            f"{seen.server.name}{seen.in_namespace} shows it, pulumi up --stack {seen.stack} puts it back",
        )
    ours = {at(one, "metadata", "uid") for one in seen.pods}
    others = [name for name, uid in zip(names, reached, strict=True) if uid not in ours]
    return judged(
        found,
        (
            at(seen.pod, "metadata", "uid") in reached,
            f"it does not lead to the server's Pod: kubectl get pods{seen.in_namespace} --show-labels shows whether "
            f"that has the label role: {seen.server.name}",
        ),
        (
            not others,
            f"it leads to {' and '.join(others)} too, which does not serve the volume: kubectl label pod "
            f"{' '.join(others)}{seen.in_namespace} role- takes the label role: {seen.server.name} off",
        ),
    )


def _why_waiting(container: Thing) -> str:
    """Return why a container waits, such as ImagePullBackOff; empty if it does not."""
    reason: str | None = at(container, "state", "waiting", "reason")
    message: str | None = at(container, "state", "waiting", "message")
    return ": ".join(part for part in (reason, message) if part)


STEPS: Sequence[Step[Snapshot]] = (
    Step("deployment", "The Deployment has its one Pod", "kubectl get deployment {server}{n} -o wide", deployment),
    Step("mount", "The claim is mounted at /exports", "kubectl describe deployment {server}{n}", mount),
    Step("pod", "The Pod is Running and Ready", "kubectl get pods{n} -l role={server} -o wide", pod),
    Step(
        "service",
        "The Service leads to the Pod, and to no other",
        "kubectl get endpointslices{n} -l kubernetes.io/service-name={server}",
        service,
    ),
)
