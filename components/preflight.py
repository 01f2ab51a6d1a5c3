"""Preflight: what must be true of the machine and the settings, checked before the first resource.

Every failure is one sentence: what is wrong, where, what to do. Without it the same mistakes show up after ten
minutes, or as an error from deep inside a plugin. The account is looked at by `ground.py`.
"""

import re
import shutil
import subprocess

OLDEST_AWS_CLI = (2, 7)
INSTALL_AWS_CLI = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
# Where the exercise's NFS server was published, only ever as a Docker schema 1 image: containerd 2 cannot pull those.
UNPULLABLE_IMAGE = re.compile(
    r"(k8s\.gcr\.io|gcr\.io/google[_-]containers|gcr\.io/google[_-]samples)/volume-nfs([:@].*)?"
)


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


def check_image(image: str | None) -> None:
    """The image is one that a real node can pull; None stands for the component's default, which is.

    Raises PreflightError for the image of the exercise.
    """
    if image and UNPULLABLE_IMAGE.fullmatch(image):
        raise PreflightError(
            f"storage-lab:image is {image}, a Docker schema 1 image, which no current EKS node can pull: "
            "leave storage-lab:image out to get its maintained successor"
        )
