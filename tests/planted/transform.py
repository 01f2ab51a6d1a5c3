"""Plants an error into the program of a checkout, for an engine that really runs it.

The error is a function that changes what a resource is registered with. It gets every resource before the engine does,
so it needs no line of the program, and stays planted when files move or are rewritten.
"""

from collections.abc import Callable
from pathlib import Path

from pulumi import ResourceTransformationArgs

from checkout import ROOT

PROLOGUE = """\
import sys
sys.path.append({root!r})
import pulumi
from {module} import {name} as planted_error

def plant(args):
    planted_error(args)
    return pulumi.ResourceTransformationResult(args.props, args.opts)

pulumi.runtime.register_stack_transformation(plant)
"""


def plant(program: Path, error: Callable[[ResourceTransformationArgs], None]) -> None:
    """Let the program in this folder run with the error; `error` is a function of a module that it can import."""
    main = program / "__main__.py"
    prologue = PROLOGUE.format(root=str(ROOT), module=error.__module__, name=error.__name__)
    main.write_text(prologue + main.read_text())
