"""The steps about the claim and the class that serves it."""

from typing import Any

from components.settings.conventions import EBS_DRIVER
from components.settings.quantity import parse_quantity
from lab.reading.objects import at, name_of
from lab.reading.snapshot import Snapshot, Thing
from lab.steps.finding import Finding, Step, judged, last_warning, missing

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
# The scheduler writes it on a claim that waits for a consumer, and on no other, once a Pod wants it.
SELECTED_NODE = "volume.kubernetes.io/selected-node"
UP = "run pulumi up --stack {}"


def default_classes(seen: Snapshot) -> list[Thing]:
    return [one for one in seen.classes if at(one, "metadata", "annotations", DEFAULT_CLASS) == "true"]


def exists(seen: Snapshot) -> Finding:
    if seen.claim is None:
        return missing(
            f"there is no claim {seen.server.claim_name} in the namespace {seen.server.namespace}",
            f"it was deleted or never made: {UP.format(seen.stack)}",
        )
    leaving = at(seen.claim, "metadata", "deletionTimestamp")
    return judged(
        f"{seen.server.claim_name} exists{', and is on its way out' if leaving else ''}",
        (leaving is None, "somebody deleted it; it goes as soon as no Pod uses it"),
    )


def waited(seen: Snapshot) -> Finding:
    """Whether the claim was Pending before its first consumer.

    The event says so, but the API server forgets events after an hour. The annotation stays, and proves the same: a
    node was chosen for the Pod before the volume was made.
    """
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    if any(event.get("reason") == "WaitForFirstConsumer" for event in seen.events_of(seen.claim)):
        return Finding(True, "it was Pending: event WaitForFirstConsumer, waiting for first consumer to be created")
    node = at(seen.claim, "metadata", "annotations", SELECTED_NODE)
    if node:
        return Finding(
            True,
            "the event is gone, for events are kept for an hour; but the volume was made only after the scheduler had "
            f"chosen {node} for the Pod: annotation {SELECTED_NODE}",
        )
    return missing(
        "nothing shows that it waited for a Pod: neither an event WaitForFirstConsumer nor a node that was chosen",
        "a claim of a class with volumeBindingMode Immediate is bound without a Pod; see the class's step",
    )


def bound(seen: Snapshot) -> Finding:
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    phase = at(seen.claim, "status", "phase")
    volume = at(seen.claim, "spec", "volumeName")
    reasons = last_warning(seen, seen.claim, seen.pod)
    hint = {
        "Pending": f"it has no volume yet: kubectl describe pvc {seen.server.claim_name}{seen.n} tells why{reasons}",
        "Lost": "its PersistentVolume was deleted under it: the data is out of reach, make claim and server anew",
    }
    return judged(
        f"{phase} to {volume}" if volume else str(phase), (phase == "Bound", hint.get(str(phase), f"{phase}?{reasons}"))
    )


def class_left_out(seen: Snapshot) -> Finding:
    """Whether the author named no class, and the default one was filled in. Kubernetes notes who set each field."""
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    name = at(seen.claim, "spec", "storageClassName")
    authors = _authors_of_class(seen.claim)
    defaults = [name_of(one) for one in default_classes(seen)]
    who = f"set by {' and '.join(authors)}" if authors else "that no author set: the cluster filled it in"
    return judged(
        f"class {name}, {who}" if name else "no class",
        (not authors, "the claim names a class itself: leave storageClassName out of it, or the default has no part"),
        (
            name in defaults,
            f"the default class is {' and '.join(map(str, defaults)) or 'missing'}, and the claim's is {name}: a claim "
            "keeps the class that it was made with, so delete it and run pulumi up",
        ),
    )


def _authors_of_class(claim: Thing) -> list[str]:
    entries: list[dict[str, Any]] = at(claim, "metadata", "managedFields") or []
    return [entry["manager"] for entry in entries if at(entry, "fieldsV1", "f:spec", "f:storageClassName") is not None]


def mode_and_size(seen: Snapshot) -> Finding:
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    modes: list[str] = at(seen.claim, "spec", "accessModes") or []
    asked: str = at(seen.claim, "spec", "resources", "requests", "storage") or "0"
    return judged(
        f"{' and '.join(modes)}, {asked}",
        (modes == ["ReadWriteOnce"], "an EBS volume is for one node at a time: accessModes has to be ReadWriteOnce"),
        (
            parse_quantity(asked) == parse_quantity(seen.expected_storage),
            f"the stack's configuration says {seen.expected_storage}, the claim asks for {asked}: "
            f"pulumi config get storage-lab:storage, then {UP.format(seen.stack)}",
        ),
    )


def default_class(seen: Snapshot) -> Finding:
    defaults = default_classes(seen)
    if len(defaults) != 1:
        names = ", ".join(str(name_of(one)) for one in defaults) or "none"
        return missing(
            f"default classes: {names}",
            f"there has to be one: the annotation {DEFAULT_CLASS} makes a class the default; {UP.format(seen.stack)}",
        )
    [one] = defaults
    mode, policy = one.get("volumeBindingMode"), one.get("reclaimPolicy")
    expandable = one.get("allowVolumeExpansion") is True
    return judged(
        f"{name_of(one)}: {one.get('provisioner')}, {mode}, {policy}, {'' if expandable else 'not '}expandable",
        (one.get("provisioner") == EBS_DRIVER, f"another provisioner than {EBS_DRIVER} makes no EBS volume"),
        (
            mode == "WaitForFirstConsumer",
            f"with {mode} a volume is made before the Pod has a node, maybe in a zone that the Pod cannot reach: "
            "volumeBindingMode has to be WaitForFirstConsumer",
        ),
        (policy == "Delete", f"with {policy} the EBS volume stays, and costs, after the claim is gone"),
        (expandable, "allowVolumeExpansion has to be true, or the claim can never grow"),
    )


STEPS = (
    Step("claim-exists", "The claim exists", "kubectl get pvc {claim}{n}", exists),
    Step(
        "claim-waited",
        "Before its first consumer the claim was Pending",
        "kubectl get events{n} --field-selector involvedObject.name={claim}",
        waited,
    ),
    Step("claim-bound", "Now it is Bound", "kubectl get pvc {claim}{n}", bound),
    Step(
        "claim-class",
        "Its author named no class; the default one was filled in",
        "kubectl get pvc {claim}{n} -o yaml --show-managed-fields",
        class_left_out,
    ),
    Step(
        "claim-size", "One node at a time, and as large as configured", "kubectl describe pvc {claim}{n}", mode_and_size
    ),
    Step("default-class", "The default class waits, deletes and can expand", "kubectl get storageclass", default_class),
)
