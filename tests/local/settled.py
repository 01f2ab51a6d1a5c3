"""Waits until a lab is at rest again."""

from checkout import Checkout
from checkout.until import until


def attached_again(checkout: Checkout) -> None:
    """Wait until a Pod is ready, with its volume attached, and the Service leads to it."""
    checkout.kubectl("rollout", "status", "deployment/nfs-server", "--timeout=60s")

    def attached() -> bool:
        return any(one.get("status", {}).get("attached") for one in checkout.get("volumeattachments")["items"])

    def reached() -> bool:
        [pod] = checkout.get("pods")["items"]
        slices = checkout.get("endpointslices", "-l", "kubernetes.io/service-name=nfs-server")["items"]
        targets = [endpoint["targetRef"]["uid"] for one in slices for endpoint in one["endpoints"] or ()]
        return targets == [pod["metadata"]["uid"]]

    until(attached, "the volume is attached again")
    until(reached, "the Service leads to the new Pod")
