"""The pure parts of the benchmarks: where the time of a command goes, and how the page is rewritten."""

import json
from collections.abc import Iterable
from xml.etree import ElementTree

import pytest

from benchmarks.bare import manifests
from benchmarks.engine_log import split
from benchmarks.plot import line_plot
from benchmarks.report import placed, table

URN = "urn:pulumi:local::storage-lab::storage-lab:index:LocalCluster$"
PLANE = f"Provider[0x1].Create({URN}pulumi-python:dynamic/storage-lab:ControlPlane::lab)"
NODE = f"Provider[0x2].Create({URN}kubernetes:core/v1:Node::node-1)"
CLAIM = f"Provider[0x2].Create({URN}kubernetes:core/v1:PersistentVolumeClaim::nfs)"


def log(events: Iterable[tuple[float, str]]) -> list[str]:
    return [json.dumps({"time": f"2026-11-25T17:00:{when:012.9f}Z", "msg": message}) for when, message in events]


def test_each_second_of_a_command_is_counted_once_for_what_it_waited_for() -> None:
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


def test_a_call_within_the_control_planes_own_is_not_counted_twice() -> None:
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


def test_lines_that_are_not_the_engines_are_passed_over() -> None:
    lines = ["Updating (local):\n", "[]\n", "null\n", '{"msg": "no time"}\n', ""]
    assert split(lines, whole=1.0).engine == 1.0, "a plugin that prints would end the benchmark"


def test_manifests_are_those_of_the_stack_without_what_only_pulumi_or_that_cluster_knows() -> None:
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
        "the garbage collector removes what names an owner that is not there"
    )


def test_a_part_replaces_its_own_tables_and_nothing_else() -> None:
    page = "a\n<!-- measured: lab -->\nold\n<!-- end of lab -->\nb"
    once = placed(page, "lab", "new")
    assert once == "a\n<!-- measured: lab -->\nnew\n<!-- end of lab -->\nb"
    assert placed(once, "lab", "new") == once, "the command can be run again and again"
    with pytest.raises(ValueError, match="lacks <!-- measured: scale -->"):
        placed(page, "scale", "new")


def test_a_table_puts_numbers_to_the_right_and_words_to_the_left() -> None:
    lines = table(("what", "seconds"), [("up", 3.14159), ("down", 123.4)]).splitlines()
    assert lines == ["| what | seconds |", "| --- | --: |", "| up | 3.14 |", "| down | 123 |"]


def test_the_plot_is_well_formed_and_names_its_lines() -> None:
    svg = line_plot("t <1>", "x", "y", {"up & on": [(1, 2.0), (200, 80.0)], "flat": [(1, 0.0)]})
    texts = [element.text for element in ElementTree.fromstring(svg).iter() if element.text]
    assert {"t <1>", "up & on", "flat", "200", "80"} <= set(texts), "the ends of both axes are labelled"
