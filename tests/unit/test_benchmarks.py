"""The pure parts of the benchmarks: the split of a command's time, and the page that is rewritten."""

import json
from collections.abc import Iterable

import pytest

from benchmarks.bare import manifests
from benchmarks.engine_log import split
from benchmarks.report import placed, table

URN = "urn:pulumi:local::storage-lab::storage-lab:index:LocalCluster$"
PLANE = f"Provider[0x1].Create({URN}pulumi-python:dynamic/storage-lab:ControlPlane::lab)"
NODE = f"Provider[0x2].Create({URN}kubernetes:core/v1:Node::node-1)"
CLAIM = f"Provider[0x2].Create({URN}kubernetes:core/v1:PersistentVolumeClaim::nfs)"


def log(events: Iterable[tuple[float, str]]) -> list[str]:
    return [json.dumps({"time": f"2026-11-25T17:00:{when:012.9f}Z", "msg": message}) for when, message in events]


def test_each_second_of_a_command_is_counted_once() -> None:
    lines = log(
        [
            (0.0, "CLI Metadata"),
            (1.0, "langhost[python].Run(pwd=/lab) executing"),
            (2.0, "registering resource: ty=pulumi:pulumi:Stack, name=s"),
            (3.0, "registering resource: ty=storage-lab:index:LocalCluster, name=lab"),
            (3.0, f"{PLANE} executing (#props=4)"),
            (6.0, f"{PLANE} success: id=local"),
            (6.5, f"{NODE} executing (#props=4)"),
            (7.0, f"{CLAIM} executing (#props=4)"),
            (7.5, f"{NODE} success: id=node-1"),
            (8.5, f"{CLAIM} failed: no"),
        ]
    )
    found = split(lines, whole=10.0)
    assert found.program == pytest.approx(2.0), "from the start of the program to its first own resource"
    assert found.control_plane == pytest.approx(3.0)
    assert found.kubernetes == pytest.approx(2.0), "two calls at the same time are waited for once"
    assert found.engine == pytest.approx(3.0), "the engine has what is left"


def test_call_during_the_control_planes_is_not_counted_twice() -> None:
    lines = log(
        [
            (1.0, f"{PLANE} executing (#props=4)"),
            (2.0, f"{NODE} executing (#props=4)"),
            (3.0, f"{NODE} success: id=node-1"),
            (5.0, f"{PLANE} success: id=local"),
        ]
    )
    found = split(lines, whole=5.0)
    assert (found.control_plane, found.kubernetes) == pytest.approx((4.0, 0.0))


def test_lines_that_are_not_the_engines_are_skipped() -> None:
    lines = ["Updating (local):\n", "[]\n", "null\n", '{"msg": "no time"}\n', ""]
    assert split(lines, whole=1.0).engine == 1.0, "a plugin that prints would end the benchmark"


def test_manifests_leave_out_owners_and_patches() -> None:
    owners = [{"kind": "PersistentVolumeClaim", "uid": "of the other cluster"}]
    state = [
        {"type": "pulumi:pulumi:Stack", "inputs": {}},
        {
            "type": "kubernetes:apps/v1:Deployment",
            "inputs": {"kind": "Deployment", "__inputs": {}, "metadata": {"name": "a", "ownerReferences": owners}},
        },
        {"type": "kubernetes:core/v1:PersistentVolumePatch", "inputs": {"metadata": {"name": "patched"}}},
    ]
    assert manifests(state) == [{"kind": "Deployment", "metadata": {"name": "a"}}], (
        "the garbage collector deletes what names an owner that does not exist"
    )


def test_part_replaces_its_own_tables_and_nothing_else() -> None:
    page = "a\n<!-- measured: lab -->\nold\n<!-- end of lab -->\nb"
    once = placed(page, "lab", "new")
    assert once == "a\n<!-- measured: lab -->\nnew\n<!-- end of lab -->\nb"
    assert placed(once, "lab", "new") == once, "the command can be run again and again"
    with pytest.raises(ValueError, match="lacks <!-- measured: scale -->"):
        placed(page, "scale", "new")


def test_table_puts_numbers_to_the_right() -> None:
    lines = table(("what", "seconds"), [("up", 3.14159), ("down", 123.4)]).splitlines()
    assert lines == ["| what | seconds |", "| --- | --: |", "| up | 3.14 |", "| down | 123 |"]
