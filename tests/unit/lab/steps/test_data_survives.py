"""The file outlives its Pod, and only then the step passes."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from lab.reading.commands import CommandFailed
from lab.reading.kubectl import Kubectl
from lab.reading.objects import Thing
from lab.reading.snapshot import Snapshot
from lab.steps import data_survives
from lab.verify import STEPS
from tests.unit.lab.fake_lab import POD, FakeLab

NEXT = "nfs-server-576868c54d-next"


class Server:
    """An NFS server whose Pod has files, on a volume that outlives it or not."""

    def __init__(self, *, keeps: bool = True, refuses: str = "") -> None:
        self.files: dict[str, str] = {}
        self.typed: list[str] = []
        self._keeps, self._refuses, self._pod = keeps, refuses, POD

    def run(self, *words: str, timeout: float = 0) -> str:
        self.typed.append(" ".join(words))
        if self._refuses and self._refuses in words:
            raise CommandFailed("the server said no")
        answer: Callable[..., str] = getattr(self, f"_{words[0]}", lambda *_: "")
        return answer(*words)

    def _exec(self, _: str, _namespace: str, pod: str, _dashes: str, *command: str) -> str:
        assert pod == self._pod, "there is no such Pod any more"
        if command[0] == "sh":
            text, _, file = command[2].removeprefix("echo ").removesuffix(" && sync").partition(" > ")
            self.files[file] = f"{text}\n"
        elif command[0] == "rm":
            del self.files[command[-1]]
        return self.files.get(command[-1], "") if command[0] == "cat" else ""

    def _delete(self, *_words: str) -> str:
        self._pod = NEXT
        if not self._keeps:
            self.files = dict.fromkeys(self.files, "")
        return ""

    def _get(self, *_words: str) -> str:
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        leaving = {"metadata": {"name": POD, "deletionTimestamp": "now"}, "status": ready}
        items: list[Any] = [leaving, {"metadata": {"name": self._pod}, "status": ready}]
        return json.dumps({"items": items})


def tried(server: Server, seen: Snapshot | None = None) -> Any:
    return data_survives.step(cast(Kubectl, server), STEPS, lambda: "a token").look(seen or FakeLab().seen())


def test_file_is_read_through_the_next_pod() -> None:
    server = Server()
    finding = tried(server)
    assert finding.ok, finding
    assert POD in finding.found
    assert NEXT in finding.found
    assert server.files == {}, "the learner's share is left with a file of ours"
    assert [typed.split()[0] for typed in server.typed] == ["exec", "delete", "rollout", "get", "exec", "exec"]


def test_file_lost_with_the_pod_is_a_failure() -> None:
    finding = tried(Server(keeps=False))
    assert finding.ok is False
    assert "read nothing" in finding.found
    assert "/exports" in finding.hint


@pytest.mark.parametrize("verb", ["exec", "delete", "rollout", "get"])
def test_failing_command_says_which_and_why(verb: str) -> None:
    finding = tried(Server(refuses=verb))
    assert finding.ok is False
    assert "the server said no" in finding.found
    assert finding.hint


def test_server_that_is_not_ready_keeps_its_pod() -> None:
    lab = FakeLab()
    lab.the("Pod")["status"]["conditions"] = []
    server = Server()
    finding = tried(server, lab.seen())
    assert finding.ok is None
    assert "when the other steps pass" in finding.found
    assert server.typed == [], "a Pod that may never come back was deleted"


def test_server_with_files_elsewhere_keeps_its_pod() -> None:
    lab = FakeLab()
    lab.the("Deployment")["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
    server = Server()
    assert tried(server, lab.seen()).ok is None
    assert server.typed == [], "the learner's files were lost with the Pod"


HINDRANCES: dict[str, tuple[str, Thing]] = {
    "carries the finalizer example.com/hold": ("Pod", {"metadata": {"finalizers": ["example.com/hold"]}}),
    "is cordoned": ("Node", {"spec": {"unschedulable": True}}),
    "has the taint maintenance": ("Node", {"spec": {"taints": [{"key": "maintenance", "effect": "NoSchedule"}]}}),
}


@pytest.mark.parametrize("hindrance", HINDRANCES)
def test_pod_without_a_sure_successor_is_kept(hindrance: str) -> None:
    lab, server, (kind, change) = FakeLab(), Server(), HINDRANCES[hindrance]
    for part, fields in change.items():
        lab.the(kind)[part].update(fields)
    finding = tried(server, lab.seen())
    assert finding.ok is None, "everything works, so nothing is wrong"
    assert hindrance in finding.found
    assert server.typed == [], "a Pod was deleted that does not end, or that no other follows"


@pytest.mark.parametrize(
    "toleration",
    [
        {"operator": "Exists"},
        {"key": "team", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "team", "operator": "Equal", "value": "storage"},
        {"key": "team", "value": "storage", "effect": "NoSchedule"},
    ],
)
def test_tolerated_taint_hinders_nothing(toleration: Thing) -> None:
    lab = FakeLab()
    lab.the("Node")["spec"]["taints"] = [{"key": "team", "value": "storage", "effect": "NoSchedule"}]
    lab.the("Pod")["spec"]["tolerations"] = [toleration]
    assert tried(Server(), lab.seen()).ok
    lab.the("Node")["spec"]["taints"][0]["value"] = "else"
    lab.the("Pod")["spec"]["tolerations"] = [{**toleration, "effect": "NoExecute"}]
    assert tried(Server(), lab.seen()).ok is None


def test_command_to_type_deletes_the_pod_too() -> None:
    typed = data_survives.step(cast(Kubectl, Server()), STEPS).command(FakeLab().seen())
    assert "/exports" in typed
    assert "delete pod -l role=nfs-server" in typed
