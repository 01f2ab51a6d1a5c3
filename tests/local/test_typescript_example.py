"""The TypeScript example compiles with the SDK that Pulumi generates from the components."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from checkout import COMMAND_SECONDS, ROOT, activated
from tests.local.language_hosts import language_host
from tests.local.test_component_examples import INSTALL_SECONDS, plugin
from tools.catalogue import PULUMI_NODEJS

pytestmark = pytest.mark.thorough

# What a program must not be able to say: the compiler reports an error that is expected and does not come.
REFUSED = """import * as storageLab from "@pulumi/storage-lab";
// @ts-expect-error: a size is a text
new storageLab.NfsServer("size", { storage: 5 });
// @ts-expect-error: no such input
new storageLab.NfsServer("unknown", { replicas: "2" });
// @ts-expect-error: a switch is known when the program is written
new storageLab.EbsStorageClass("switch", { default: "true" });
// @ts-expect-error: an output is a text
export const id: Promise<number> = new storageLab.NfsServer("output").volumeId;
"""


def run(words: list[str], folder: Path, env: Mapping[str, str], seconds: float = COMMAND_SECONDS) -> None:
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_typescript_example_compiles_with_the_generated_sdk(tmp_path: Path) -> None:
    env = {**activated()}
    assert shutil.which("npm", path=env["PATH"]), (
        "npm is not on PATH. This test compiles examples/typescript: install Node.js 20 or newer (nodejs.org), run it "
        "again. Nothing else in this project needs Node.js."
    )
    env["PATH"] = f"{language_host(PULUMI_NODEJS, 'pulumi-nodejs')}:{env['PATH']}"
    example = tmp_path / "examples" / "typescript"
    shutil.copytree(ROOT / "examples" / "typescript", example, ignore=shutil.ignore_patterns("node_modules", "sdks"))
    plugin(tmp_path)
    given = (example / "package.json").read_text()
    run(["pulumi", "package", "add", "../../components", "--non-interactive"], example, env, INSTALL_SECONDS)
    assert json.loads((example / "package.json").read_text()) == json.loads(given), "the example names the SDK already"
    assert "../../components" in (example / "Pulumi.yaml").read_text(), "Pulumi would not find the plugin"
    (example / "refused.ts").write_text(REFUSED)
    run(["node_modules/.bin/tsc"], example, env)
