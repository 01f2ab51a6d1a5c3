"""Failures of dynamic providers reach the user as sentences."""

import traceback
from base64 import b64encode
from collections.abc import Mapping
from threading import Event
from typing import Any

import pytest

from components.access import dynamic_provider
from components.access.dynamic_provider import (
    ADDRESS,
    Failure,
    RecordedInputs,
    deleting,
    differs,
    inputs_of,
    without_traceback,
)


def as_the_host_formats_it(error: Exception) -> str:
    """Like the host of dynamic providers in pulumi.dynamic: what it makes of an exception is what the user sees."""
    try:
        with without_traceback():
            raise error
    except Exception:
        return traceback.format_exc()


def test_a_failure_is_its_sentence_alone() -> None:
    assert as_the_host_formats_it(Failure("the cloud is gone")) == "Failure: the cloud is gone\n"


def test_a_delete_that_ends_after_an_interruption_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = Event()
    monkeypatch.setattr(dynamic_provider, "cancelled", interrupted)
    with deleting():
        pass
    with pytest.raises(Failure, match="run the command again"), deleting():
        interrupted.set()


def test_what_a_failure_was_made_from_is_not_shown_either() -> None:
    failure = Failure("the cloud is gone")
    failure.__cause__ = KeyError("inside")
    assert as_the_host_formats_it(failure) == "Failure: the cloud is gone\n"


def test_any_other_exception_keeps_its_traceback() -> None:
    as_the_host_formats_it(Failure("before"))
    assert "in as_the_host_formats_it" in as_the_host_formats_it(KeyError("a bug"))


@pytest.mark.parametrize(
    ("news", "changed"), [({"a": 1}, []), ({"a": 2}, ["a"]), ({"b": 1}, ["b"]), ({"a": 1.0, "__provider": "x"}, [])]
)
def test_new_code_is_no_change_and_a_new_value_is(news: dict[str, object], changed: list[str]) -> None:
    assert differs({"a": 1, "__provider": b64encode(ADDRESS.encode())}, news) == changed


def test_what_pulumi_adds_is_not_an_input() -> None:
    assert inputs_of({"a": 1, "__provider": "x", "__internal": {}}) == {"a": 1}


class Records(RecordedInputs):
    def id_of(self, props: Mapping[str, Any]) -> str:
        return str(props["name"])


def test_recorded_inputs_are_what_delete_is_given() -> None:
    props = {"name": "ebs", "own": [1], "__provider": "code"}
    made = Records().create(props)
    assert (made.id, made.outs) == ("ebs", {"name": "ebs", "own": [1]})
    assert Records().update("ebs", {}, props).outs == made.outs


@pytest.mark.parametrize(("own", "changed"), [([1], False), ([], True)])
def test_a_changed_recorded_input_is_an_update_in_place(own: list[int], changed: bool) -> None:
    result = Records().diff("ebs", {"own": [1]}, {"own": own, "__provider": "newer code"})
    assert (result.changes, result.replaces) == (changed, None), "a replacement would run delete, and wait"
