"""The program of version 0.1, with which stacks were brought up that today's code must update and destroy."""

import io
import subprocess
import tarfile
from pathlib import Path

from checkout import ROOT

# The last commit in which a state names the module of a provider's class, and pulumi-eks declares the network add-ons.
COMMIT = "b92a20d"


def unpack_former(folder: Path, commit: str = COMMIT) -> Path:
    """Put the checkout of that commit into `folder`, and return it."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    assert packed.returncode == 0, f"Git has no commit {commit} here: run git fetch --unshallow, then try again"
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder
