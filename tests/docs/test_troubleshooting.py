"""Troubleshooting: what Pulumi says about a setting of another type is what the document has as its heading."""

from collections.abc import Iterator

import pytest

from checkout import ROOT, Checkout

DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text()
ARRAY, INTEGER, BOOLEAN = "array<string>", "integer", "boolean"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    checkout = Checkout(tmp_path_factory.mktemp("settings"))
    yield checkout
    checkout.clear()


@pytest.mark.parametrize(
    ("words", "type_"),
    [
        (("storage-lab:publicAccessCidrs", "203.0.113.7/32"), ARRAY),
        (("--path", "storage-lab:subnetIds[0]", "7"), ARRAY),
        (("storage-lab:nodes", "many"), INTEGER),
        (("storage-lab:reclaimTimeoutSeconds", "1.5"), INTEGER),
        (("storage-lab:tour", "yes"), BOOLEAN),
        (("storage-lab:snapshots", "yes"), BOOLEAN),
    ],
)
def test_setting_of_another_type_gets_the_documented_sentence(
    checkout: Checkout, words: tuple[str, ...], type_: str
) -> None:
    key = words[-2].removeprefix("storage-lab:").removesuffix("[0]")
    try:
        checkout.pulumi("config", "set", *words)
        refused = checkout.preview(expect=None)
    finally:
        checkout.pulumi("config", "rm", f"storage-lab:{key}")
    sentence = f"Stack 'local' with configuration key '{key}' must be of type '{type_}'"
    assert refused.returncode != 0
    assert sentence in refused.stderr, "nobody finds it in the document any more"
    assert checkout.state() == [], "something was started"
    [row] = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{type_}` |")]
    assert f"`{key}`" in row
    if words == ("storage-lab:publicAccessCidrs", "203.0.113.7/32"):
        assert f"### `{sentence}`" in DOCUMENT.splitlines()


def test_stack_without_its_file_gets_the_documented_sentence(checkout: Checkout) -> None:
    file = checkout.folder / "Pulumi.local.yaml"
    kept = file.read_text()
    file.unlink()
    try:
        refused = checkout.preview(expect=None)
    finally:
        file.write_text(kept)
    assert refused.returncode != 0
    assert "Stack 'local' is missing configuration value 'target'" in refused.stderr
    assert "`Stack 'dev' is missing configuration value 'target'`" in DOCUMENT


def test_foreign_passphrase_gets_the_documented_sentence_and_way_out(checkout: Checkout) -> None:
    refused = checkout.preview(expect=None, env={"PULUMI_CONFIG_PASSPHRASE": "of another project"})
    assert refused.returncode != 0
    assert "incorrect passphrase" in refused.stderr
    checkout.pulumi("stack", env={"PULUMI_CONFIG_PASSPHRASE": ""})
    for document in ("docs/troubleshooting.md", "README.md", "README.ja.md"):
        text = (ROOT / document).read_text().replace("\n", " ")
        assert "`incorrect passphrase`" in text, document
        assert "`unset PULUMI_CONFIG_PASSPHRASE`" in text, document
