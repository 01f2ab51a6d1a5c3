"""Pulumi's hosts for other languages: those of the installed Pulumi, or the ones that a test builds."""

from pathlib import Path

from checkout import ROOT
from tools.catalogue import GoModule
from tools.console import Progress
from tools.go_build import Build, Go
from tools.lock import exclusive
from tools.pulumi_cli import installed_pulumi

LAB = ROOT / ".lab"


def language_host(module: GoModule, folder: str) -> Path:
    """Return the folder that holds the host: beside the installed Pulumi, or .lab/bin/<folder>."""
    installed = installed_pulumi()
    if installed and all((installed.resolve().parent / tool).exists() for tool in module.tools):
        return installed.resolve().parent
    build = Build(module, LAB, LAB / "bin" / folder, Progress())
    with exclusive(LAB / "setup.lock"):  # a build removes what is left of another
        if not build.is_fresh():
            build.run(Go(LAB))
    return build.bin
