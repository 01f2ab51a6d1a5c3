"""`make test` leaves out no folder of tests, and no family of faults."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_family_of_faults_has_a_telling_case() -> None:
    words = ["-m", "pytest", "--collect-only", "-qq", "-m", "telling", "tests/faults"]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    tried = {line.partition(": ")[0] for line in done.stdout.splitlines() if line.startswith("tests/")}
    families = {str(file.relative_to(ROOT)) for file in (ROOT / "tests" / "faults").glob("test_*.py")}
    assert tried == families, "mark one case of every module as telling, or `make test` never tries the family"


def test_make_test_names_every_folder_of_tests() -> None:
    words = ["make", "--dry-run", "test"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    folders = {f"tests/{file.relative_to(ROOT / 'tests').parts[0]}" for file in (ROOT / "tests").glob("*/**/test_*.py")}
    assert folders <= set(said), "a folder that `make test` does not name is never run before a change is merged"
