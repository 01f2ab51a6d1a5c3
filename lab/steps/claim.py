"""The steps about the claim and its StorageClass."""

from collections.abc import Sequence
from typing import Any

from components.settings.conventions import DEFAULT_CLASS, EBS_DRIVER
from components.settings.quantity import parse_quantity
from lab.reading.objects import Thing, at, name_of
from lab.reading.snapshot import Snapshot
from lab.steps import Finding, Step, judged, missing

# The scheduler writes it on a claim that waits for a consumer, and on no other, once a Pod wants it.
SELECTED_NODE = "volume.kubernetes.io/selected-node"
UP = "run pulumi up --stack {}"


def default_classes(seen: Snapshot) -> list[Thing]:
    """Return the StorageClasses that are marked as default."""
    return [one for one in seen.classes if at(one, "metadata", "annotations", DEFAULT_CLASS) == "true"]


def exists(seen: Snapshot) -> Finding:
    """Judge whether the claim exists and stays."""
    if seen.claim is None:
        return missing(
            f"there is no claim {seen.server.claim_name} in the namespace {seen.server.namespace}",
            f"it was deleted or never created: {UP.format(seen.stack)}",
        )
    leaving = at(seen.claim, "metadata", "deletionTimestamp")
    return judged(
        f"{seen.server.claim_name} exists{', and is being deleted' if leaving else ''}",
        (leaving is None, "somebody deleted it; Kubernetes removes it as soon as no Pod uses it"),
    )


def waited(seen: Snapshot) -> Finding:
    """Judge whether the claim was Pending before its first consumer.

    The event says so, but the API server forgets events after an hour. The annotation stays, and proves the same: the
    scheduler chose a node for the Pod before the volume was created.
    """
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    if any(event.get("reason") == "WaitForFirstConsumer" for event in seen.events_of(seen.claim)):
        return Finding(True, "it was Pending: event WaitForFirstConsumer, waiting for first consumer to be created")
    node = at(seen.claim, "metadata", "annotations", SELECTED_NODE)
    if node:
        return Finding(
            True,
            "Kubernetes keeps events for an hour, and this one is older. The volume was created after the scheduler "
            f"had chosen {node} for the Pod: annotation {SELECTED_NODE}",
        )
    return missing(
        "nothing shows that it waited for a Pod: there is no event WaitForFirstConsumer and no chosen node",
        "a claim of a class with volumeBindingMode Immediate is bound without a Pod; see the class's step",
    )


def bound(seen: Snapshot) -> Finding:
    """Judge whether the claim has its volume."""
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    phase = at(seen.claim, "status", "phase")
    volume = at(seen.claim, "spec", "volumeName")
    reasons = seen.last_warning(seen.claim, seen.pod)
    describe = f"kubectl describe pvc {seen.server.claim_name}{seen.in_namespace}"
    hint = {
        "Pending": f"it has no volume yet: {describe} tells why{reasons}",
        "Lost": "its PersistentVolume was deleted, so its data is out of reach: create claim and server again",
    }
    return judged(
        f"{phase} to {volume}" if volume else str(phase), (phase == "Bound", hint.get(str(phase), f"{phase}?{reasons}"))
    )


def class_left_out(seen: Snapshot) -> Finding:
    """Judge whether the author named no class. Kubernetes notes who set each field."""
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    name = at(seen.claim, "spec", "storageClassName")
    authors = _authors_of_class(seen.claim)
    defaults = [name_of(one) for one in default_classes(seen)]
    who = f"set by {' and '.join(authors)}" if authors else "that no author set: the cluster filled it in"
    return judged(
        f"class {name}, {who}" if name else "no class",
        (not authors, "the claim names a class itself: leave storageClassName out, so that the default class is used"),
        (
            # A missing default class is the business of the next step: it changes nothing for this claim.
            not defaults or name in defaults,
            f"the default class is {' and '.join(map(str, defaults))}, and the claim's is {name}: a claim keeps the "
            "class that it was created with, and its data. Only a new claim gets the default class",
        ),
    )


def _authors_of_class(claim: Thing) -> list[str]:
    entries: list[dict[str, Any]] = at(claim, "metadata", "managedFields") or []
    return [entry["manager"] for entry in entries if at(entry, "fieldsV1", "f:spec", "f:storageClassName") is not None]


def mode_and_size(seen: Snapshot) -> Finding:
    """Judge what the claim asks for."""
    if seen.claim is None:
        return missing("there is no claim", "see the first step")
    modes: list[str] = at(seen.claim, "spec", "accessModes") or []
    asked: str = at(seen.claim, "spec", "resources", "requests", "storage") or "0"
    has: str = at(seen.claim, "status", "capacity", "storage") or asked  # a claim without a volume: another step
    return judged(
        f"{' and '.join(modes)}, {asked}",
        (modes == ["ReadWriteOnce"], "an EBS volume is for one node at a time: accessModes has to be ReadWriteOnce"),
        (
            # Somebody may have made it larger, and no claim gets smaller. And EBS has whole GiB: a claim may have the
            # size without asking for it.
            parse_quantity(max(asked, has, key=parse_quantity)) >= parse_quantity(seen.expected_storage),
            f"the configuration says {seen.expected_storage}, the claim asks for {asked}: {UP.format(seen.stack)}",
        ),
        (
            parse_quantity(has) >= parse_quantity(asked),
            f"the claim asks for {asked} and has {has}: its volume grows, or kubectl describe pvc says why it does not",
        ),
    )


def default_class(seen: Snapshot) -> Finding:
    """Judge whether there is one default class, and its fields."""
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
        (
            one.get("provisioner") == EBS_DRIVER,
            f"the provisioner has to be {EBS_DRIVER}: no other one creates an EBS volume",
        ),
        (
            mode == "WaitForFirstConsumer",
            f"with {mode} a volume is created before the Pod has a node, maybe in a zone that the Pod cannot reach: "
            "volumeBindingMode has to be WaitForFirstConsumer",
        ),
        (policy == "Delete", f"with {policy} the EBS volume stays, and costs, after the claim was deleted"),
        (expandable, "allowVolumeExpansion has to be true, or the claim can never grow"),
    )


STEPS: Sequence[Step[Snapshot]] = (
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
