"""lab tour: lets the containers of the tour of persistence crash, deletes their Pods, and shows what was kept."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from components.settings.tour_plan import CRASH, GROWTH, STATEFUL_SET, TOUR_NAMESPACE, WAYS, Way, journal
from lab.errors import LabError
from lab.reading.commands import CommandFailed
from lab.reading.kubectl import Kubectl, kubectl_of
from lab.reading.objects import Thing
from lab.reading.stack import read_stack
from lab.report import WORDS
from lab.steps import Finding
from lab.tour_observations import (
    Observation,
    grown_volumes,
    judge_crash,
    judge_deletion,
    judge_growth,
    judge_objects,
    observe,
    ready_pod,
    restarts_of,
)

# Detach, attach and mount take one minute together on EC2.
RESTART_SECONDS = 300
PAUSE_SECONDS = 0.5
# The first word comes soon, so that the command does not look dead; later ones show that it goes on.
FIRST_WORD_SECONDS, NEXT_WORD_SECONDS = 3, 10
PIPED_WIDTH = 160


@dataclass(frozen=True)
class Result:
    """A way after both losses: what Kubernetes and EC2 hold for its next Pod, and its bytes after each loss."""

    way: Way
    objects: Finding
    crash: Finding
    deletion: Finding

    @property
    def ok(self) -> bool:
        return all(one.ok is True for one in (self.objects, self.crash, self.deletion))


def tour(stack_name: str | None, out: TextIO = sys.stdout) -> int:
    """Take the tour on a stack, the selected one if None. Returns 0 if all was as expected, else 1.

    Raises LabError where the tour is not part of the stack, a Pod does not come back, or the cluster does not answer.
    """
    stack = read_stack(stack_name)
    if not stack.settings.tour:
        raise LabError(
            f"the tour is not part of the stack {stack.name}: run pulumi config set storage-lab:tour true "
            f"{stack.option}, then pulumi up {stack.option}"
        )
    with kubectl_of(stack) as kubectl:
        guide = Guide(kubectl, out)
        try:
            results, growth = guide.lose_pods(), guide.grow()
        except CommandFailed as error:
            raise LabError(f"kubectl: {error}") from None
    write(results, growth, out)
    return 0 if growth.ok and all(result.ok for result in results) else 1


class Guide:
    """Changes the cluster, and prints each change as the command that a learner would type."""

    def __init__(self, kubectl: Kubectl, out: TextIO) -> None:
        self._kubectl, self._out = kubectl, out

    def lose_pods(self) -> list[Result]:
        """Lose each way's container, then its Pod, and compare what the next one has with what the one before had."""
        at_first = self._observe_all()
        for way in WAYS:
            self._type("exec", f"--namespace={TOUR_NAMESPACE}", f"deploy/{way.name}", "--", "touch", CRASH)
        self._wait(lambda: self._not_restarted(at_first))
        crashed = self._observe_all()
        roles = ",".join(way.name for way in WAYS)
        self._type("delete", "pods", f"--namespace={TOUR_NAMESPACE}", f"--selector=role in ({roles})")
        replaced = self._observe_all()
        return [
            Result(
                way,
                judge_objects(crashed[way.name], replaced[way.name]),
                judge_crash(way, at_first[way.name], crashed[way.name]),
                judge_deletion(way, crashed[way.name], replaced[way.name]),
            )
            for way in WAYS
        ]

    def _not_restarted(self, before: dict[str, Observation]) -> str:
        """Return the ways whose container has not been started again since `before`."""
        things = self._things()
        pods = {way.name: ready_pod(things, way.name) for way in WAYS}
        return ", ".join(name for name, pod in pods.items() if pod is None or restarts_of(pod) <= before[name].restarts)

    def grow(self) -> Finding:
        """Scale the StatefulSet up and down again, and judge the volumes of its Pods."""
        few, many = GROWTH
        self._scale(few)
        # An earlier tour may have left the volumes of the Pods that are to come.
        at_first = grown_volumes(self._things(), many)
        self._scale(many)
        grown = grown_volumes(self._things(), many)
        self._scale(few)
        return judge_growth(at_first, grown, grown_volumes(self._things(), many), many)

    def _scale(self, replicas: int) -> None:
        self._type("scale", f"statefulset/{STATEFUL_SET}", f"--namespace={TOUR_NAMESPACE}", f"--replicas={replicas}")

        def unsettled() -> str:
            [found] = [one for one in self._things() if one["kind"] == "StatefulSet"]
            status = found["status"]
            counts = {status.get("replicas", 0), status.get("readyReplicas", 0)}
            settled = counts == {replicas} and status.get("observedGeneration") == found["metadata"]["generation"]
            return "" if settled else f"{STATEFUL_SET} to have {replicas} Pods"

        self._wait(unsettled)

    def _observe_all(self) -> dict[str, Observation]:
        """Wait until every way has a ready Pod, and observe them all."""

        def waiting() -> str:
            things = self._things()
            return ", ".join(way.name for way in WAYS if ready_pod(things, way.name) is None)

        self._wait(waiting)
        things = self._things()
        found = {way.name: observe(things, way.name, self._journal(things, way)) for way in WAYS}
        return {name: observation for name, observation in found.items() if observation is not None}

    def _journal(self, things: Sequence[Thing], way: Way) -> tuple[str, ...]:
        pod = ready_pod(things, way.name)
        if pod is None:
            return ()
        inside = ("exec", f"--namespace={TOUR_NAMESPACE}", pod["metadata"]["name"], "--", "cat", journal(way.name))
        return tuple(self._kubectl.run(*inside).split())

    def _things(self) -> list[Thing]:
        """Return the objects of the tour, and all PersistentVolumes."""
        said = self._kubectl.run("get", "pods,pvc,pv,statefulsets", f"--namespace={TOUR_NAMESPACE}", "--output=json")
        return json.loads(said)["items"]

    def _type(self, *words: str) -> None:
        shown = " ".join(f"'{word}'" if " " in word else word for word in words)
        print(f"$ kubectl {shown}", file=self._out, flush=True)
        self._kubectl.run(*words, timeout=RESTART_SECONDS)

    def _wait(self, missing: Callable[[], str]) -> None:
        """Wait until `missing` names nothing more. Raises LabError at the deadline, with what is still missing."""
        begun = time.monotonic()
        next_word = FIRST_WORD_SECONDS
        while waiting := missing():
            waited = time.monotonic() - begun
            if waited >= RESTART_SECONDS:
                raise LabError(
                    f"after {RESTART_SECONDS} s still waiting for {waiting}: kubectl describe pods -n {TOUR_NAMESPACE}"
                )
            if waited >= next_word:
                print(f"{waited:.0f} s of {RESTART_SECONDS} s: waiting for {waiting}", file=self._out, flush=True)
                next_word = waited + NEXT_WORD_SECONDS
            time.sleep(PAUSE_SECONDS)


def write(results: Sequence[Result], growth: Finding, out: TextIO) -> None:
    """Write the table of what each way kept, and when its data is lost."""
    from rich.console import Console
    from rich.table import Table

    console = Console(file=out, width=None if out.isatty() else PIPED_WIDTH, highlight=False)
    table = Table(title="The container crashed, then the Pod was deleted", title_justify="left")
    for heading in (
        "",
        "Way",
        "Where the data are",
        "What was there before and after",
        "After the crash",
        "After the deletion",
        "Lost when",
    ):
        table.add_column(heading, overflow="fold")
    for result in results:
        way = result.way
        verdict = "pass" if result.ok else "FAIL"
        found = (_said(one) for one in (result.objects, result.crash, result.deletion))
        table.add_row(verdict, way.name, way.keeper, *found, way.lost_when)
    console.print(table)
    console.print(f"{WORDS[growth.ok]}  StatefulSet {STATEFUL_SET}, {GROWTH[0]} to {GROWTH[1]} Pods: {_said(growth)}")


def _said(finding: Finding) -> str:
    return f"{finding.found} (look: {finding.hint})" if finding.hint else finding.found
