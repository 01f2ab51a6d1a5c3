"""What is published for other languages: the schema of the components, which is a contract of its version."""

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components import __version__
from components.nfs_server import NfsServer
from components.storage_class import EbsStorageClass
from tests.unit.fresh import ROOT

PUBLISHED = Path(__file__).with_name("published") / f"{__version__}.json"


def schema() -> dict[str, Any]:
    return json.loads(ComponentProvider([EbsStorageClass, NfsServer], "storage-lab", version=__version__).schema)


@pytest.fixture(scope="module", name="schema")
def published() -> dict[str, Any]:
    return schema()


def test_a_published_schema_never_changes(schema: dict[str, Any]) -> None:
    assert schema == json.loads(PUBLISHED.read_text()), (
        "names, types and defaults are API: give components/__init__.py another version, write its schema into "
        f"{PUBLISHED.parent.relative_to(ROOT)}, and say in CHANGELOG.md what changed"
    )


def test_the_changelog_has_an_entry_for_the_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_input_and_output_has_a_description(schema: dict[str, Any]) -> None:
    for token, resource in schema["resources"].items():
        assert resource["isComponent"]
        for name, prop in {**resource["inputProperties"], **resource["properties"]}.items():
            assert prop.get("description"), f"{token} {name} would have no description in other languages"


def test_no_input_is_required(schema: dict[str, Any]) -> None:
    for token, resource in schema["resources"].items():
        assert not resource.get("requiredInputs"), f"{token}: every input has a default"


def test_only_switches_are_plain(schema: dict[str, Any]) -> None:
    plain = {
        name
        for resource in schema["resources"].values()
        for name, prop in resource["inputProperties"].items()
        if prop.get("plain")
    }
    assert plain == {"default", "protect"}, "the others take the output of another resource"


def test_the_contract_describes_every_input_and_output(schema: dict[str, Any]) -> None:
    contract = (ROOT / "docs" / "component.md").read_text()
    missing = [row for row in rows(schema) if row not in contract]
    assert not missing, "docs/component.md lacks these rows:\n" + "\n".join(missing)


def rows(schema: dict[str, Any]) -> list[str]:
    """Return the rows of the contract's tables, as the schema has them."""
    made: list[str] = []
    for resource in schema["resources"].values():
        for name, prop in resource["inputProperties"].items():
            meaning, _, default = prop["description"].partition(" Default: ")
            made.append(f"| `{name}` | {_type(prop)} | {default.removesuffix('.')} | {meaning} |")
        made += [
            f"| `{name}` | {_type(prop)} | {prop['description']} |" for name, prop in resource["properties"].items()
        ]
    return made


def _type(prop: dict[str, Any]) -> str:
    if prop.get("type") == "array":
        return f"list of {_type(prop['items'])}"
    if prop.get("type") == "object":
        return f"map of {_type(prop['additionalProperties'])}"
    return prop.get("type") or prop["$ref"].rpartition(":")[2]
