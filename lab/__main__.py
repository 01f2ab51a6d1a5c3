"""python -m lab: shows the lab, watches it, judges it, or takes its tour of persistence.

Exit status: 0 all well, 1 a step failed, 2 the lab could not be read.
"""

import argparse
import sys
from collections.abc import Sequence

from lab.errors import LabError


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    asked = _parser().parse_args(arguments)
    try:
        return _run(asked)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head`
        sys.stderr.close()
        return 141


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Shows and judges the lab.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="judge each step of the exercise")
    verify.add_argument("--gone", action="store_true", help="after pulumi destroy: is anything left?")
    verify.add_argument("--json", action="store_true", help="for machines")
    status = commands.add_parser("status", help="show the chain from the Deployment to the EC2 instance")
    watch = commands.add_parser("watch", help="show the chain live, and what changes it, until Ctrl-C")
    tour = commands.add_parser("tour", help="delete Pods, and show what each way of keeping data kept")
    for command in (verify, status, watch, tour):
        command.add_argument("--stack", metavar="S", help="the stack; the selected one if left out")
    return parser


def _run(asked: argparse.Namespace) -> int:
    if asked.command == "tour":
        # The commands load only what they need.
        from lab.tour import tour

        return tour(asked.stack)
    if asked.command == "watch":
        from lab.watch import watch

        return watch(asked.stack)
    from lab.reading.stack import read_stack

    stack = read_stack(asked.stack)
    if asked.command == "status":
        from lab.status import status

        return status(stack, sys.stdout)
    from lab.report import as_json, write
    from lab.verify import verify, verify_gone

    report = verify_gone(stack) if asked.gone else verify(stack)
    if asked.json:
        print(as_json(report))
    else:
        write(report, sys.stdout)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
