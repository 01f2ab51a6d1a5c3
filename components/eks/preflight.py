"""Preflight: what must be true of the machine, checked before the first resource.

Every failure is one sentence: what is wrong, where, what to do. Without it the same mistakes show up after ten
minutes, or as an error from deep inside a plugin. The settings were checked by
`settings.py`; the account is looked at by `ground.py`.
"""

import re
import shutil
import subprocess

OLDEST_AWS_CLI = (2, 7)
INSTALL_AWS_CLI = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"


class PreflightError(Exception):
    """One plain sentence for the person who ran the command."""


def check_aws_cli() -> None:
    """The aws command on PATH is 2.7 or newer: the kubeconfig logs in with it, and pulumi-eks refuses older ones.

    Raises PreflightError if it is missing, does not run, or is too old.
    """
    path = shutil.which("aws")
    if path is None:
        raise PreflightError(
            "the aws command is not on PATH, and the cluster's kubeconfig logs in with it: "
            f"install the AWS CLI, 2.7 or newer ({INSTALL_AWS_CLI})"
        )
    found = re.search(r"aws-cli/(\d+)\.(\d+)", _version_text(path))
    if found is None:
        raise PreflightError(
            f"{path} --version does not name a version: install the AWS CLI, 2.7 or newer ({INSTALL_AWS_CLI})"
        )
    if (int(found[1]), int(found[2])) < OLDEST_AWS_CLI:
        raise PreflightError(
            f"{path} is AWS CLI {found[1]}.{found[2]}, and 2.7 or newer is needed: update it ({INSTALL_AWS_CLI})"
        )


def _version_text(path: str) -> str:
    try:
        ran = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PreflightError(
            f"{path} --version does not run ({error}): install the AWS CLI again ({INSTALL_AWS_CLI})"
        ) from None
    return ran.stdout + ran.stderr  # version 1 wrote it to stderr
