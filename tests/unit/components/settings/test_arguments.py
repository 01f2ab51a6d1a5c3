"""Arguments of another type are one sentence: component, name, argument, value and what is accepted."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.lab_storage_class import LabStorageClass
from components.local.cluster import LocalCluster
from components.nfs_clients import NfsClients
from components.nfs_server import NfsServer
from components.persistence_tour import PersistenceTour
from components.storage_class import EbsStorageClass

COMPONENTS: list[Any] = [EbsStorageClass, LabStorageClass, LocalCluster, NfsClients, NfsServer, PersistenceTour]


def refusal(create: Callable[[], object]) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        create()
    return str(refused.value)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"storage": 5}, "storage is 5; accepted is a text"),
        ({"storage": None}, "storage is None; accepted is a text"),
        ({"image": ["nfs"]}, "image is ['nfs']; accepted is a text"),
        ({"sotrage": "1Gi"}, "it has no argument sotrage; known are server_name"),
        ({"protect": pulumi.Output.from_input(False)}, "protect is an output; accepted is True or False"),
        ({"labels": {"a": 1}}, "labels is {'a': 1}; accepted is a dict of text"),
        ({"labels": ["a"]}, "labels is ['a']; accepted is a dict of text"),
        (
            {"tolerations": [{"keyy": "a"}]},
            "tolerations is [{'keyy': 'a'}]; accepted is a list of dict of key, operator, value, effect",
        ),
        (None, "its arguments are None; accepted is a dict"),
        ("2Gi", "its arguments are '2Gi'; accepted is a dict"),
    ],
)
def test_a_wrong_type_is_a_sentence(args: Any, said: str) -> None:
    assert refusal(lambda: NfsServer("x", args)).startswith(f"NfsServer x: {said}")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"tags": {"a": 5}}, "tags is {'a': 5}; accepted is a dict of text"),
        ({"tags": {"Name": "mine"}}, "the class sets the tag Name itself; give others"),
        ({"class_name": ""}, "the class name '' "),
        ({"class_name": "No Class"}, "the class name 'No Class' "),
    ],
)
def test_a_class_that_cannot_be_is_refused(args: Any, said: str) -> None:
    assert refusal(lambda: EbsStorageClass("x", args)).startswith(f"EbsStorageClass x: {said}")


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)
def test_every_component_refuses_what_it_does_not_know(component: Any) -> None:
    said = refusal(lambda: component("x", {"no such argument": 1}))
    assert said.startswith(f"{component.__name__} x: ")
    assert "it has no argument no such argument; known are" in said


@pytest.mark.parametrize(
    "component", [one for one in COMPONENTS if one not in (EbsStorageClass, NfsServer)], ids=lambda one: one.__name__
)
def test_every_component_names_what_is_missing(component: Any) -> None:
    assert " is missing" in refusal(lambda: component("x", {}))


def test_numbers_truth_and_lists_are_told_apart() -> None:
    args = {"server_name": "a", "namespace": "b", "address": "c", "storage": "1Gi"}
    assert "count is True; accepted is a whole number" in refusal(lambda: NfsClients("x", {**args, "count": True}))  # type: ignore[typeddict-item]
    assert "count is '2'" in refusal(lambda: NfsClients("x", {**args, "count": "2"}))  # type: ignore[typeddict-item]
