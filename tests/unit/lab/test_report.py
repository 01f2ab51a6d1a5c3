"""What the learner and the machine get to read: the report, the chain, one sentence where nothing can be seen."""

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lab import __main__ as commands
from lab import status as statuses
from lab.chain import MISSING, Chain, chain_of
from lab.errors import CannotLook
from lab.reading import kubectl as kubectls
from lab.reading import stack as stacks
from lab.reading.commands import Refused, run
from lab.reading.kubectl import Kubectl
from lab.reading.objects import age
from lab.reading.stack import read_stack
from lab.report import Line, Report, as_json, as_text, write
from lab.steps.finding import Finding
from tests.unit.lab.world import INSTANCE, MADE, POD, PV, VOLUME, World, broken

NOW = datetime.fromisoformat(MADE) + timedelta(minutes=7)


def line(key: str, ok: bool | None, hint: str = "") -> Line:
    return Line("nfs-server", key, f"{key} is right", f"kubectl get {key}", Finding(ok, f"found {key}", hint))


PASSED, SKIPPED, FAILED = line("pvc", True), line("bytes", None), line("pod", False, "describe it")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_step_that_cannot_be_tried_is_no_failure_and_no_success() -> None:
    report = Report("local", "local", [PASSED, SKIPPED])
    assert report.ok
    assert report.summary == "1 passed, 0 failed, 1 skipped"
    assert "skip  bytes is right" in as_text(report), "a step that nobody tried looks like one that passed"


def test_one_failed_step_fails_the_report_and_shows_what_to_look_at() -> None:
    report = Report("local", "local", [PASSED, FAILED])
    assert not report.ok
    text = as_text(report)
    assert text.index("FAIL  pod is right") < text.index("$ kubectl get pod") < text.index("look: describe it")


def test_machines_read_the_same() -> None:
    read = json.loads(as_json(Report("local", "local", [PASSED, SKIPPED, FAILED])))
    assert read["ok"] is False
    assert {step["step"]: step["status"] for step in read["steps"]} == {
        "pvc": "passed",
        "bytes": "skipped",
        "pod": "failed",
    }
    assert read["steps"][2]["hint"] == "describe it"


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_piped_or_on_a_terminal_all_of_it_is_there(out: io.StringIO) -> None:
    write(Report("local", "local", [PASSED, SKIPPED, FAILED], "export A=[b]"), out)
    shown = out.getvalue()
    for words in ("export A=[b]", "pvc is right", "$ kubectl get pod", "found bytes", "describe it", "1 failed"):
        assert words in shown, shown
    assert ("\x1b" in shown or "│" in shown) == out.isatty(), "lines for a pipe, a table for a person"


def drawn(*chains: Chain) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=500)
    with console.capture() as capture:
        console.print(statuses.picture(chains, NOW))
    return capture.get()


def test_the_chain_goes_from_the_deployment_down_to_the_instance() -> None:
    lines = drawn(chain_of(World().seen())).splitlines()
    kinds = [
        "Deployment nfs-server", f"Pod {POD}", "PersistentVolumeClaim nfs-pvc", f"PersistentVolume {PV}",
        "VolumeAttachment csi-86367afb", f"EBS volume {VOLUME}", f"EC2 instance {INSTANCE}",
    ]  # fmt: skip
    assert len(lines) == len(kinds), lines
    for depth, (shown, kind) in enumerate(zip(lines, kinds, strict=True)):
        assert kind in shown, lines
        assert shown.index(kind.split()[0]) == 4 * depth, "each hangs below what holds it"
        assert " 7m" in shown or "6m" in shown or depth == len(lines) - 1, "the age is missing"


def test_of_several_servers_each_chain_hangs_below_its_servers_name() -> None:
    here = chain_of(World().seen())
    lines = drawn(here, replace(here, server="team-a/nfs-server")).splitlines()
    assert [line for line in lines if line.startswith("NfsServer")] == [
        f"NfsServer {here.server}", "NfsServer team-a/nfs-server",
    ]  # fmt: skip
    assert sum("Deployment nfs-server" in line for line in lines) == 2


def test_all_is_well_in_a_lab_that_is_well() -> None:
    assert [link.kind for link in chain_of(World().seen()).links if not link.well] == []


@pytest.mark.parametrize(
    ("kind", "link"),
    [("Deployment", "Deployment"), ("Pod", "Pod"), ("VolumeAttachment", "VolumeAttachment"), ("Node", "EC2 instance")],
)
def test_a_link_that_is_missing_says_so_and_the_others_stay(kind: str, link: str) -> None:
    links = {one.kind: one for one in chain_of(broken(lambda world: world.remove(kind)).seen()).links}
    assert links[link].state == MISSING
    assert not links[link].well
    assert links["EBS volume"].name == VOLUME
    assert len(links) == 7


def test_a_pod_that_does_not_start_says_what_kubernetes_says() -> None:
    def unscheduled(world: World) -> None:
        pod = world.the("Pod")
        pod["status"] = {"phase": "Pending"}
        about = {"uid": pod["metadata"]["uid"]}
        world.things += [
            {"kind": "Event", "type": "Warning", "reason": "FailedScheduling", "message": text,
             "involvedObject": about, "lastTimestamp": time}
            for time, text in (("2026-03-01T10:02:00Z", "the latest"), ("2026-03-01T10:01:00Z", "the first"))
        ]  # fmt: skip

    [pod] = [link for link in chain_of(broken(unscheduled).seen()).links if link.kind == "Pod"]
    assert not pod.well
    assert "(Kubernetes: FailedScheduling: the latest)" in pod.about


def watched(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, *worlds: World) -> str:
    """What `status --watch` shows of one world after the other, until Ctrl-C."""
    from rich.console import Console

    looks = iter([[chain_of(world.seen())] for world in worlds])

    def look() -> list[Chain]:
        if chains := next(looks, None):
            return chains
        raise KeyboardInterrupt

    monkeypatch.setattr(statuses, "PAUSE_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        statuses.watch(look, Console(file=out, width=500))
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue())


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_watching_shows_a_change(monkeypatch: pytest.MonkeyPatch, out: io.StringIO) -> None:
    gone = broken(lambda world: world.remove("Pod"))
    shown = watched(monkeypatch, out, World(), gone)
    assert shown.index(f"Pod {POD}") < shown.index(f"Pod  {MISSING}")


def test_watching_in_a_pipe_says_nothing_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = watched(monkeypatch, io.StringIO(), World(), World(), World(), broken(lambda world: world.remove("Pod")))
    assert shown.count("Deployment nfs-server") == 2, "a log of what did not happen"


@pytest.mark.parametrize(("seconds", "shown"), [(-5, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")])
def test_ages_read_as_those_of_kubectl(seconds: int, shown: str) -> None:
    assert age(NOW, NOW + timedelta(seconds=seconds)) == shown


def test_times_of_both_apis_are_compared_in_one_zone() -> None:
    links = chain_of(World().seen()).links
    assert [link.kind for link in links if link.since and link.since.utcoffset() != UTC.utcoffset(None)] == []


def pulumi(monkeypatch: pytest.MonkeyPatch, *, outputs: Any = None, config: Any = None, error: str = "") -> list[str]:
    """A pulumi that answers so; returns what it is asked."""
    asked: list[str] = []

    def answer(*words: str) -> str:
        asked.append(" ".join(words))
        if error:
            raise Refused(error)
        if "--show-name" in words:
            return "local\n"
        if "config" in words:
            return json.dumps({"storage-lab:target": {"value": "local"}} if config is None else config)
        return json.dumps(outputs or {})

    monkeypatch.setattr(stacks, "run", answer)
    return asked


def test_a_stack_is_read_with_its_settings_and_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {
        "storage-lab:target": {"value": "local"},
        "storage-lab:servers": {"value": '["a-server"]', "objectValue": ["a-server"]},
        "aws:region": {"value": "eu-west-1"},
    }
    asked = pulumi(monkeypatch, config=config, outputs={"kubeconfig": "k", "servers": {"a-server": {}}})
    stack = read_stack("org/storage-lab/local")
    assert (stack.name, stack.cluster_name, stack.kubeconfig) == ("local", "storage-lab-local", "k")
    assert [server.claim_name for server in stack.settings.servers] == ["a-pvc"]
    assert all("--stack org/storage-lab/local" in words for words in asked), "another stack was asked"


def test_without_a_name_the_selected_stack_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pulumi(monkeypatch)
    assert read_stack().name == "local"
    assert not [words for words in asked if "--stack" in words]


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The sentence with which a command gives up."""
    assert commands.main(arguments) == 2, "2 says that nothing could be seen, 1 that something is wrong"
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1, shown.err
    return shown.err


@pytest.mark.parametrize("command", [["verify"], ["verify", "--json"], ["status"], ["status", "--watch"]])
def test_a_stack_that_is_not_up_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    pulumi(monkeypatch)
    assert "has no outputs, so nothing of it is up: run pulumi up --stack local" in complaint(capsys, *command)


def test_an_unknown_stack_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi(monkeypatch, error="no stack named 'nope' found")
    said = complaint(capsys, "verify", "--stack", "nope")
    assert said == "pulumi cannot tell about the stack nope: no stack named 'nope' found\n"


def test_a_configuration_that_is_not_the_labs_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi(monkeypatch, config={"storage-lab:storage": {"value": "1 GB"}})
    said = complaint(capsys, "verify")
    assert "storage-lab:target is missing" in said
    assert "1 GB" in said


def test_tools_that_are_not_there_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "pulumi is not on the PATH: run make setup" in complaint(capsys, "status")


def test_a_tool_that_fails_is_quoted_by_its_last_words() -> None:
    with pytest.raises(Refused, match=r"^it broke$") as refused:
        run("sh", "-c", "echo warning >&2; echo 'error: it broke' >&2; exit 3")
    assert refused.value.before == ["warning"]


def test_a_tool_that_fails_in_silence_is_quoted_by_its_exit_status() -> None:
    with pytest.raises(Refused, match=r"^exit status 3$"):
        run("sh", "-c", "exit 3")


def kubectl_that_fails(monkeypatch: pytest.MonkeyPatch, error: Refused) -> str:
    """The sentence about a cluster for which kubectl fails so."""

    def fail(*_words: str, timeout: float) -> str:
        raise error

    monkeypatch.setattr(kubectls, "run", fail)
    with pytest.raises(CannotLook) as raised:
        Kubectl(Path("a.kubeconfig"), "dev").list("pods")
    return str(raised.value)


def test_a_cluster_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    said = kubectl_that_fails(monkeypatch, Refused("The connection to the server was refused", ["E1125 noise"]))
    assert said == "the cluster of the stack dev does not answer: The connection to the server was refused"


def test_credentials_that_expired_are_told_in_the_words_of_who_looked_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    last = "Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255"
    noise = 'E1125 memcache.go:265] "getting credentials: exec: executable aws failed with exit code 255"'
    why = "Error when retrieving token from sso: Token has expired"
    said = kubectl_that_fails(monkeypatch, Refused(last, ["a warning", why, noise]))
    assert said.endswith("does not answer: Error when retrieving token from sso: Token has expired")


def test_a_tool_that_hangs_is_given_up() -> None:
    with pytest.raises(CannotLook, match=r"^sleep 30 did not end within"):
        run("sleep", "30", timeout=0.05)
