"""A stand-in for the aws command: `--version`, and `eks get-token` with the token of the cluster's creator.

Run by path and without the project, because every client starts it: it reads the file of tokens by itself.
"""

import json
import os
import sys


def main() -> int:
    words = sys.argv[1:]
    if words == ["--version"]:
        print("aws-cli/2.31.0 Python/3.13 Linux/6")
        return 0
    if words[2:4] != ["eks", "get-token"]:
        print(f"the rehearsal does not play aws {' '.join(words)}", file=sys.stderr)
        return 2
    with open(os.path.join(os.environ["REHEARSAL_FOLDER"], "kubernetes", "tokens.csv")) as tokens:
        token = tokens.read().partition(",")[0]
    kind = {"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential"}
    print(json.dumps({**kind, "status": {"token": token}}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
