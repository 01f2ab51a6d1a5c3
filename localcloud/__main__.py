"""python -m localcloud: the credential plugin of the kubeconfig, and commands for a cloud that lost its stack.

    python -m localcloud credential FOLDER   print an ExecCredential; start what is down before
    python -m localcloud status FOLDER       say what runs and what does not
    python -m localcloud stop FOLDER         end its processes, keep its data
    python -m localcloud delete FOLDER       end its processes, remove its data

FOLDER is the folder of a local cloud: .lab/clouds/<stack>.
"""

import os
import sys
from pathlib import Path

COMMANDS = ("credential", "status", "stop", "delete")


def main(arguments: list[str]) -> int:
    """Run a command and return its exit status: 0, 1 where the cloud is not well, 2 for bad use."""
    if len(arguments) != 2 or arguments[0] not in COMMANDS:
        print(f"usage: python -m localcloud {{{'|'.join(COMMANDS)}}} FOLDER", file=sys.stderr)
        return 2
    command, folder = arguments[0], Path(os.path.abspath(arguments[1]))

    from .errors import LocalCloudError

    try:
        return _run(command, folder)
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(command: str, folder: Path) -> int:
    if command == "credential":
        from .credential import print_credential

        print_credential(folder)
        return 0

    from .control_plane import ControlPlane

    if command == "delete":  # also a half-made or damaged cloud
        ControlPlane(folder, tools=folder, tell=_tell).delete()
        return 0
    cloud = ControlPlane.at(folder, tell=_tell)
    if command == "stop":
        cloud.stop()
    else:
        faults = cloud.health()
        print("\n".join(map(str, faults)) or "all is well")
        if cloud.is_outdated():
            print("it runs commands of older code: `pulumi up` restarts it with those of today")
        return 1 if faults else 0
    return 0


def _tell(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
