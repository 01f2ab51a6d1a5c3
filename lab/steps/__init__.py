"""The exercise: its steps in the order in which a learner takes them."""

from lab.reading.snapshot import Snapshot
from lab.steps.claim import STEPS as CLAIM
from lab.steps.finding import Finding, Step
from lab.steps.server import STEPS as SERVER
from lab.steps.volume import STEPS as VOLUME

STEPS: tuple[Step, ...] = (*CLAIM, *SERVER, *VOLUME)


def look(seen: Snapshot) -> dict[str, Finding]:
    """What each step finds, by its key. Changes nothing."""
    return {step.key: step.look(seen) for step in STEPS}
