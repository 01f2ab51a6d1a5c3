"""Preflight: each thing that can be wrong before the first resource, and the sentence that says so."""

from pathlib import Path

import pytest

from components.eks.preflight import PreflightError, check_aws_cli


def command(folder: Path, body: str) -> None:
    """Put an `aws` on a PATH that holds nothing else."""
    script = folder / "aws"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_missing_aws_command_is_said_with_where_to_get_it(path: Path):
    with pytest.raises(PreflightError, match=r"the aws command is not on PATH.*install the AWS CLI.*https://"):
        check_aws_cli()


@pytest.mark.parametrize("version", ["2.6.4", "1.45.11", "1.7.0"])
def test_an_aws_command_older_than_2_7_is_refused_with_its_path_and_version(path: Path, version: str):
    command(path, f"echo aws-cli/{version} Python/3.11 Linux")
    short = ".".join(version.split(".")[:2])
    with pytest.raises(PreflightError, match=rf"{path}/aws is AWS CLI {short}, and 2\.7 or newer is needed"):
        check_aws_cli()


@pytest.mark.parametrize("version", ["2.7.0", "2.10.1", "2.31.0", "3.0.0"])
def test_version_numbers_are_compared_as_numbers(path: Path, version: str):
    command(path, f"echo aws-cli/{version} Python/3.11 Linux")
    check_aws_cli()


@pytest.mark.parametrize("body", ["echo hello", "exit 3", "echo nothing >&2; exit 1"])
def test_an_aws_command_that_does_not_name_its_version_is_refused(path: Path, body: str):
    command(path, body)
    with pytest.raises(PreflightError, match="does not name a version"):
        check_aws_cli()


def test_an_aws_command_that_cannot_run_is_refused_without_a_traceback(path: Path):
    (path / "aws").write_text("#!/does/not/exist\n")
    (path / "aws").chmod(0o755)
    with pytest.raises(PreflightError, match="--version does not run"):
        check_aws_cli()
