"""What docs/eks-policy.json lets a learner do."""

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from checkout import ROOT


def policy() -> list[dict[str, Any]]:
    """Return the statements of the document."""
    return json.loads((ROOT / "docs" / "eks-policy.json").read_text())["Statement"]


def allowed_actions() -> list[str]:
    return [action for statement in policy() for action in statement["Action"]]


def refused(calls: Iterable[str]) -> list[str]:
    """Return those of the IAM actions that the document does not allow."""
    allowed = allowed_actions()
    return [call for call in sorted(set(calls)) if not any(fnmatchcase(call, each) for each in allowed)]
