"""The README's program with the component: it runs as it stands, and with no more than it says."""

import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.guide import read
from tests.unit.conftest import CLOUD, VOLUME
from tests.unit.fresh import ROOT, fresh_components
from tests.unit.mocks import deploy


def program(readme: str) -> str:
    """Return the program, for the folder components/, which pip installs as storage_lab."""
    [only] = [block.text for block in read(ROOT / readme).blocks if block.info == "python"]
    return only.replace("from storage_lab.", "from components.")


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_readmes_program_runs_when_pasted_and_tells_the_volumes_id(readme: str, tmp_path: Path) -> None:
    pasted = tmp_path / "__main__.py"
    pasted.write_text(program(readme))
    deployed = deploy(lambda: runpy.run_path(str(pasted)), outputs=CLOUD)
    assert deployed.outputs["volumeId"] == VOLUME
    claim = deployed.one("kubernetes:core/v1:PersistentVolumeClaim")
    assert claim.inputs["spec"]["resources"]["requests"]["storage"] == "5Gi", "the README's size went nowhere"
    assert claim.provider.startswith(deployed.one("pulumi:providers:kubernetes", "cluster").urn), (
        "it would go to whichever cluster the user's own kubeconfig means"
    )


def test_the_program_needs_the_folder_and_the_packages_that_the_readme_names_and_no_others(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "components", tmp_path / "components", ignore=shutil.ignore_patterns("__pycache__"))
    ours = {folder.parent.name for folder in ROOT.glob("*/__init__.py")} - {"components"}
    assert {"localcloud", "lab"} <= ours, "what the reader does not copy"
    imports = [line for line in program("README.md").splitlines() if line.startswith(("import ", "from "))]
    names: dict[str, Any] = {}
    with fresh_components(tmp_path, without=(*ours, "boto3", "lightkube", "pulumi_aws", "pulumi_eks")):
        exec("\n".join(imports), names)
        assert sys.modules["components"].__path__ == [str(tmp_path / "components")], "it was not the copied folder"
    assert "NfsServer" in names
