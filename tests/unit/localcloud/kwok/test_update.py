"""Updating the commands of an existing cloud: what changes, comes and is dropped, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcloud.components import Component, components_of
from localcloud.errors import LocalCloudError
from localcloud.kwok import kwokctl, update
from localcloud.record.layout import Layout
from localcloud.record.record import CloudRecord
from tests.unit.localcloud.records import make_record

STAGE = {"kind": "Stage", "metadata": {"name": "pod-run"}}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A cloud of today, as kwokctl has written it down."""
    layout = Layout(tmp_path)
    layout.cluster.mkdir(parents=True)
    record = make_record(tmp_path)
    entries = [_entry(component, record, layout) for component in components_of(record)]
    documents = [{"kind": "KwokctlConfiguration", "components": entries}, STAGE]
    layout.cluster_configuration.write_text(yaml.safe_dump_all(documents))
    return layout


def _entry(component: Component, record: CloudRecord, layout: Layout) -> dict[str, Any]:
    own = kwokctl.own_component(component, record, layout)
    if component.kind == "kubernetes":
        own["args"] = ["--from-kwokctl=1", *own["args"]]
    return own


def _with_table(monkeypatch: pytest.MonkeyPatch, *components: Component) -> None:
    for module in (update, kwokctl):
        monkeypatch.setattr(module, "components_of", lambda _record: components)


def _arguments(layout: Layout) -> dict[str, list[str]]:
    [configuration, _] = yaml.safe_load_all(layout.cluster_configuration.read_text())
    return {entry["name"]: entry["args"] for entry in configuration["components"]}


def test_a_cloud_of_today_has_nothing_to_update(layout: Layout) -> None:
    assert update.outdated(make_record(layout.folder), layout) == set(), "what is well would be restarted"


def test_a_new_row_of_the_table_reaches_an_old_cloud(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    new = Component("new", "program", ("new",), needs_api=True, arguments=lambda r, _: [f"--port={r.ports['new']}"])
    kept = [component for component in components_of(make_record(layout.folder)) if component.name != "csi-attacher"]
    _with_table(monkeypatch, *kept, new)
    record = make_record(layout.folder)
    record = replace(record, ports=record.ports | {"new": 20015})
    assert update.outdated(record, layout) == {"new", "csi-attacher"}
    update.update(record, layout)
    assert _arguments(layout)["new"] == ["--port=20015"]
    assert "csi-attacher" not in _arguments(layout), "a component that the table dropped would start again"
    assert update.outdated(record, layout) == set(), "every start would update again"


def test_a_new_row_restarts_all_code_of_ours(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    record = make_record(layout.folder)
    assert update.of_older_code(record, layout) == set()
    new = Component("new", "sidecar", arguments=lambda *_: [])
    _with_table(monkeypatch, *components_of(record), new)
    restarted = update.of_older_code(record, layout)
    assert {"new", "ebs-csi", "lab-node", "supervisor"} <= restarted, "the new sidecar asks what older code lacks"
    assert not {"etcd", "kube-apiserver"} & restarted


def test_a_changed_argument_takes_the_place_of_the_old(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    record = make_record(layout.folder)
    changed = [
        replace(c, arguments=lambda *_: ["--from-kwokctl=2", "--added=3"]) if c.name == "etcd" else c
        for c in components_of(record)
    ]  # fmt: skip
    _with_table(monkeypatch, *changed)
    assert update.outdated(record, layout) == {"etcd"}
    update.update(record, layout)
    etcd = _arguments(layout)["etcd"]
    assert (etcd[0], etcd[-1]) == ("--from-kwokctl=2", "--added=3")
    assert "--from-kwokctl=1" not in etcd, "two values for one key"
    assert STAGE in yaml.safe_load_all(layout.cluster_configuration.read_text()), (
        "what kwokctl wrote beside the components is its own"
    )


def test_a_cloud_with_todays_digest_is_not_read(layout: Layout) -> None:
    record = make_record(layout.folder)
    layout.cluster_configuration.unlink()
    current = replace(record, commands=update.digest(record, layout))
    assert update.outdated(current, layout) == set(), "every start would pay for reading the file"


def test_a_damaged_file_of_kwokctl_is_an_error_for_the_user(layout: Layout) -> None:
    layout.cluster_configuration.write_text("components: [")
    with pytest.raises(LocalCloudError, match=r"kwok\.yaml is damaged"):
        update.outdated(make_record(layout.folder), layout)
