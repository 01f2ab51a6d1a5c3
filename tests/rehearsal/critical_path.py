"""The longest chain of needs in a stack's state, with AWS's minutes put in."""

from typing import Any

# From docs/eks.md; every type that is not named takes seconds.
MINUTES = {"aws:eks/cluster:Cluster": 10.0, "aws:eks/nodeGroup:NodeGroup": 2.2, "aws:eks/addon:Addon": 0.9}


def critical_path(state: list[dict[str, Any]]) -> tuple[float, list[str]]:
    """Return the length of the longest chain in minutes, and the names of the resources in it that take minutes.

    A component is there when its children are, nested components included, so whoever needs it needs all of them.
    """
    by_urn = {resource["urn"]: resource for resource in state}
    known: dict[str, tuple[float, list[str]]] = {}

    def needs(resource: dict[str, Any]) -> list[str]:
        children = [] if resource["custom"] else [r["urn"] for r in state if r.get("parent") == resource["urn"]]
        return [urn for urn in (*resource.get("dependencies", []), *children) if urn in by_urn]

    def longest(urn: str) -> tuple[float, list[str]]:
        if urn not in known:
            resource = by_urn[urn]
            minutes, path = max(map(longest, needs(resource)), default=(0.0, []))
            own = MINUTES.get(resource["type"], 0.0)
            known[urn] = (minutes + own, [*path, urn.split("::")[3]] if own else path)
        return known[urn]

    return max(map(longest, by_urn))
