"""The README's program with the component: it runs as it stands, and with no more than it says."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.guide import read
from tests.unit.conftest import VOLUME
from tests.unit.mocks import deploy

ROOT = Path(__file__).resolve().parents[2]


def program(readme: str) -> str:
    [only] = [block.text for block in read(ROOT / readme).blocks if block.info == "python"]
    return only


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_readmes_program_runs_when_pasted_and_tells_the_volumes_id(
    readme: str, cloud: dict[str, Any], tmp_path: Path
) -> None:
    pasted = tmp_path / "__main__.py"
    pasted.write_text(program(readme))
    deployed = deploy(lambda: runpy.run_path(str(pasted)), outputs=cloud)
    assert deployed.outputs["volumeId"] == VOLUME
    [claim] = [one for one in deployed.all("kubernetes:core/v1:PersistentVolumeClaim") if not one.read]
    assert claim.inputs["spec"]["resources"]["requests"]["storage"] == "5Gi", "the README's size went nowhere"
    assert claim.provider.startswith(deployed.one("pulumi:providers:kubernetes", "cluster").urn), (
        "it would go to whichever cluster the user's own kubeconfig means"
    )


def test_the_program_needs_the_folder_and_the_packages_that_the_readme_names_and_no_others(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "components", tmp_path / "components", ignore=shutil.ignore_patterns("__pycache__"))
    imports = [line for line in program("README.md").splitlines() if line.startswith(("import ", "from "))]
    tell = ["import sys", "print(*{name.partition('.')[0] for name in sys.modules})"]
    loaded = subprocess.run(
        [sys.executable, "-c", "\n".join([*imports, *tell])],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True,
    ).stdout.split()  # fmt: skip
    assert "components" in loaded
    assert not {"localcloud", "lab", "boto3", "lightkube", "pulumi_aws", "pulumi_eks"} & set(loaded)
