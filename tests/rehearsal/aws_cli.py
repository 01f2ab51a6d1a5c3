"""A stand-in for the aws command: `--version`, and `eks get-token` with the token of the cluster's creator."""

import json
import os
import sys
from pathlib import Path

from tests.rehearsal.kubernetes import Kubernetes


def main() -> int:
    words = sys.argv[1:]
    if words == ["--version"]:
        print(f"aws-cli/{os.environ.get('REHEARSAL_AWS_CLI', '2.31.0')} Python/3.13 Linux/6")
        return 0
    if words[2:4] != ["eks", "get-token"]:
        print(f"the rehearsal does not play aws {' '.join(words)}", file=sys.stderr)
        return 2
    plane = Kubernetes(Path(os.environ["REHEARSAL_FOLDER"]) / "kubernetes", Path())
    kind = {"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential"}
    print(json.dumps({**kind, "status": {"token": plane.token}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
