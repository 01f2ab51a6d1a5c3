"""lab tour: deletes the Pods of the tour of persistence, waits for the next ones, and shows what survived."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TextIO

from components.access.dynamic_provider import Failure
from components.guards.polling import wait_until_gone
from components.settings.tour_plan import GROWTH, NAMESPACE, STATEFUL_SET, WAYS, Way, journal
from lab.errors import CannotLook
from lab.reading.commands import Refused
from lab.reading.kubectl import Kubectl, kubectl_of
from lab.reading.snapshot import Thing
from lab.reading.stack import Stack, read_stack
from lab.report import WORDS
from lab.steps.finding import Finding
from lab.tour_observations import Sight, grown_volumes, judge_bytes, judge_growth, judge_objects, ready_pod, see

# Detach, attach and mount take one minute together on EC2.
RESTART_SECONDS = 300
PIPED_WIDTH = 160


@dataclass(frozen=True)
class Result:
    """What became of a way: what Kubernetes and EC2 hold for it, and its bytes."""

    way: Way
    objects: Finding
    data: Finding

    @property
    def ok(self) -> bool:
        return self.objects.ok is not False and self.data.ok is not False


def tour(stack_name: str | None, out: TextIO = sys.stdout) -> int:
    """Takes the tour on a stack, the selected one if None. Returns 0 if all was as expected, else 1.

    Raises CannotLook where the tour is not part of the stack, a Pod does not come back, or nobody answers.
    """
    stack = read_stack(stack_name)
    if not stack.settings.tour:
        raise CannotLook(
            f"the tour is not part of the stack {stack.name}: run pulumi config set storage-lab:tour true "
            f"{stack.option}, then pulumi up {stack.option}"
        )
    with kubectl_of(stack) as kubectl:
        guide = Guide(stack, kubectl, out)
        try:
            results, growth = guide.replace_pods(), guide.grow()
        except Refused as error:
            raise CannotLook(f"kubectl: {error}") from None
        except Failure as error:
            raise CannotLook(str(error)) from None
    write(results, growth, out)
    return 0 if growth.ok and all(result.ok for result in results) else 1


class Guide:
    """Does what the tour does to the cluster, and says it in the commands that a learner would type."""

    def __init__(self, stack: Stack, kubectl: Kubectl, out: TextIO) -> None:
        self._kubectl, self._out = kubectl, out
        self._has_bytes = stack.settings.target != "local"

    def replace_pods(self) -> list[Result]:
        """Deletes each way's Pod, and compares what its successor has with what it had."""
        before = self._see_all()
        roles = ",".join(way.name for way in WAYS)
        self._type("delete", "pods", f"--namespace={NAMESPACE}", f"--selector=role in ({roles})")
        after = self._see_all()
        return [
            Result(
                way,
                judge_objects(before[way.name], after[way.name]),
                judge_bytes(way, before[way.name], after[way.name]),
            )
            for way in WAYS
        ]

    def grow(self) -> Finding:
        """Scales the StatefulSet up and down again, and looks at the volumes of its Pods."""
        few, many = GROWTH
        self._scale(few)
        # An earlier tour may have left the volumes of the Pods that are to come.
        at_first = grown_volumes(self._things(), many)
        self._scale(many)
        grown = grown_volumes(self._things(), many)
        self._scale(few)
        return judge_growth(at_first, grown, grown_volumes(self._things(), many), many)

    def _scale(self, replicas: int) -> None:
        self._type("scale", f"statefulset/{STATEFUL_SET}", f"--namespace={NAMESPACE}", f"--replicas={replicas}")

        def unsettled() -> str:
            [found] = [one for one in self._things() if one["kind"] == "StatefulSet"]
            status = found["status"]
            counts = {status.get("replicas", 0), status.get("readyReplicas", 0)}
            settled = counts == {replicas} and status.get("observedGeneration") == found["metadata"]["generation"]
            return "" if settled else f"{STATEFUL_SET} to have {replicas} Pods"

        self._wait(unsettled)

    def _see_all(self) -> dict[str, Sight]:
        """Every way, once all of them have a Pod that is ready."""

        def waiting() -> str:
            things = self._things()
            return ", ".join(way.name for way in WAYS if ready_pod(things, way.name) is None)

        self._wait(waiting)
        things = self._things()
        sights = {way.name: see(things, way.name, self._journal(things, way)) for way in WAYS}
        return {name: sight for name, sight in sights.items() if sight is not None}

    def _journal(self, things: Sequence[Thing], way: Way) -> tuple[str, ...] | None:
        pod = ready_pod(things, way.name)
        if not self._has_bytes or pod is None:
            return None
        inside = ("exec", f"--namespace={NAMESPACE}", pod["metadata"]["name"], "--", "cat", journal(way.name))
        return tuple(self._kubectl.run(*inside).split())

    def _things(self) -> list[Thing]:
        """The objects of the tour, and all PersistentVolumes."""
        said = self._kubectl.run("get", "pods,pvc,pv,statefulsets", f"--namespace={NAMESPACE}", "--output=json")
        return json.loads(said)["items"]

    def _type(self, *words: str) -> None:
        shown = " ".join(f"'{word}'" if " " in word else word for word in words)
        print(f"$ kubectl {shown}", file=self._out, flush=True)
        self._kubectl.run(*words, timeout=RESTART_SECONDS)

    def _wait(self, missing: Callable[[], str]) -> None:
        """Until `missing` has nothing more to name. Raises Failure at the deadline, with what is missing."""

        def failure() -> Failure:
            return Failure(
                f"after {RESTART_SECONDS} s still waiting for {missing()}: kubectl describe pods -n {NAMESPACE}"
            )

        say = partial(print, file=self._out, flush=True)
        wait_until_gone(missing, failure, RESTART_SECONDS, say=say)


def write(results: Sequence[Result], growth: Finding, out: TextIO) -> None:
    """The table of what each way kept and loses."""
    from rich.console import Console
    from rich.table import Table

    console = Console(file=out, width=None if out.isatty() else PIPED_WIDTH, highlight=False)
    table = Table(title="The Pod was deleted, and another took its place", title_justify="left")
    for heading in ("", "Way", "Where the data are", "What was there before and after", "The bytes", "Lost when"):
        table.add_column(heading, overflow="fold")
    for result in results:
        way = result.way
        verdict = "pass" if result.ok else "FAIL"
        table.add_row(verdict, way.name, way.keeper, _said(result.objects), _said(result.data), way.lost_when)
    console.print(table)
    console.print(f"{WORDS[growth.ok]}  StatefulSet {STATEFUL_SET}, {GROWTH[0]} to {GROWTH[1]} Pods: {_said(growth)}")


def _said(finding: Finding) -> str:
    return f"{finding.found} (look: {finding.hint})" if finding.hint else finding.found
