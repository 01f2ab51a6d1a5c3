"""The generated stubs: what setting up makes is what the controller imports."""

from __future__ import annotations

from pathlib import Path

from tools.generate_csi import STUBS

ROOT = Path(__file__).resolve().parents[2]


def test_the_generator_makes_the_modules_that_the_controller_imports() -> None:
    imports = (ROOT / "localcloud" / "csi" / "stubs.py").read_text()
    for stub in STUBS:
        assert f"import {Path(stub).stem} as" in imports, f"a bare clone would generate {stub}, which nobody imports"
        assert (ROOT / ".lab" / "python" / stub).exists(), f"make setup did not leave {stub} where it is looked for"
