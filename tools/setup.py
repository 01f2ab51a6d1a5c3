"""Makes what the lab needs on this machine: `python3 -m tools.setup unit|run|test`.

unit  the virtual environment with the test tools
run   the virtual environment and the local cloud's binaries; Pulumi too where none is installed
test  both, the CSI conformance suite, and kwok for clouds of older code

What exists already is left alone: a second call takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tools.catalogue import CSI_SANITY, KUBERNETES, KWOK, NODE, PROVIDER, PULUMI, python_requirement
from tools.console import Progress
from tools.errors import SetupError
from tools.generate_csi import STUBS
from tools.go_build import Build, Go
from tools.lock import exclusive
from tools.pulumi_cli import activation, installed_pulumi, write_dynamic_launcher
from tools.python_env import PythonEnvironment, check_python
from tools.stamp import Stamp

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / ".lab"
PULUMI_HOME = LAB / "pulumi"
PURPOSES = ("unit", "run", "test")
CSI = "github.com/container-storage-interface/spec"


def main(words: list[str]) -> int:
    """Set up for the purpose in `words`. Returns the exit status."""
    if len(words) != 1 or words[0] not in PURPOSES:
        print(f"usage: python3 -m tools.setup {'|'.join(PURPOSES)}", file=sys.stderr)
        return 2
    progress = Progress()
    try:
        with _locked(progress):
            _set_up(words[0], progress)
    except SetupError as error:
        print(f"\nsetup: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"\nsetup: {error.filename or LAB}: {error.strerror}. Mend that and run the same command again: it goes on "
            "from here.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nsetup: interrupted. Run the same command again: it goes on from here.", file=sys.stderr)
        return 130
    return 0


@contextlib.contextmanager
def _locked(progress: Progress) -> Iterator[None]:
    """Hold the lock of this checkout: when several calls run at once, one works and the others wait for it."""
    waiting = partial(progress.done, "another setup of this checkout is running: waiting for it")
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(exclusive(LAB / "setup.lock", waiting))
        except OSError as error:
            raise SetupError(
                f"Nothing can be written to {LAB} ({error.strerror}): the project's folder must be writable."
            ) from None
        yield


def _set_up(purpose: str, progress: Progress) -> None:
    check_python()
    environment = PythonEnvironment(ROOT, "requirements.txt" if purpose == "run" else "requirements-dev.txt", progress)
    builds = [] if purpose == "unit" else _builds(purpose, progress)
    stale = [build for build in builds if not build.is_fresh()]
    go = Go(LAB) if stale else None
    with ThreadPoolExecutor(max_workers=1) as pool:
        packages = None if environment.is_fresh() else pool.submit(environment.make)
        for build in stale:
            assert go is not None
            progress.done(f"building {build.module.title} ({len(build.module.tools)} tools)")
            build.run(go)
            progress.done(f"built {', '.join(build.module.tools)}")
        if packages is not None:
            packages.result()
            progress.done(f"Python packages of {environment.requirements.name} installed")
    if builds:
        _csi_stubs(environment, go)
        _activate(environment, embedded=any(build.module is PULUMI for build in builds))


def _builds(purpose: str, progress: Progress) -> list[Build]:
    builds = [Build(module, LAB, LAB / "bin", progress) for module in (KUBERNETES, NODE)]
    if installed_pulumi() is None:
        # The CLI looks for a provider in a folder of exactly this name.
        plugin = PULUMI_HOME / "plugins" / f"resource-kubernetes-v{python_requirement('pulumi-kubernetes')}"
        builds += [Build(PULUMI, LAB, PULUMI_HOME / "bin", progress), Build(PROVIDER, LAB, plugin, progress)]
    if purpose == "test":
        builds += [Build(module, LAB, LAB / "bin", progress) for module in (CSI_SANITY, KWOK)]
    return builds


def _csi_stubs(environment: PythonEnvironment, go: Go | None) -> None:
    """Generate the Python stubs of the CSI specification in the version that the sidecars were built with."""
    out = LAB / "python"
    stamp = Stamp(out / "made-from.json")
    made_from = {"csi.proto": KUBERNETES.requires(CSI), "grpcio-tools": python_requirement("grpcio-tools")}
    if stamp.holds(made_from, [out / stub for stub in STUBS]):
        return
    proto = (go or Go(LAB)).module_dir(KUBERNETES, CSI)
    words = [environment.python, ROOT / "tools" / "generate_csi.py", "--proto", proto, "--out", out]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise SetupError(f"Generating the CSI stubs failed: {reason}")
    stamp.add(made_from)


def _activate(environment: PythonEnvironment, *, embedded: bool) -> None:
    (LAB / "state").mkdir(exist_ok=True)
    # Its secrets are encrypted with the lab's passphrase, which is empty: other users must not read it.
    (LAB / "state").chmod(0o700)
    if embedded:
        write_dynamic_launcher(PULUMI_HOME, environment.python)
    (LAB / "activate").write_text(activation(ROOT, PULUMI_HOME if embedded else None))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
