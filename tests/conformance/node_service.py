"""A node service of the driver, as far as csi-sanity needs one to test the controller.

csi-sanity asks the node service which node to publish to, and unpublishes there while it cleans up. The local cloud
has no node service, because its node program mounts without one, so the test brings one. Identity is passed on to the
real controller, because csi-sanity asks for it at the node's endpoint.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from localcloud.csi.names import MOST_VOLUMES_ON_A_NODE
from localcloud.csi.stubs import csi, csi_grpc
from tests.conformance.driver import ZONE


class Node(csi_grpc.NodeServicer):
    def __init__(self, instance_id: str) -> None:
        self._instance_id = instance_id

    def NodeGetInfo(self, request: Any, context: Any) -> csi.NodeGetInfoResponse:
        return csi.NodeGetInfoResponse(
            node_id=self._instance_id,
            max_volumes_per_node=MOST_VOLUMES_ON_A_NODE,
            accessible_topology=csi.Topology(segments={"topology.kubernetes.io/zone": ZONE}),
        )

    def NodeGetCapabilities(self, request: Any, context: Any) -> csi.NodeGetCapabilitiesResponse:
        return csi.NodeGetCapabilitiesResponse()

    def NodeUnpublishVolume(self, request: Any, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.NOT_FOUND, "nothing is ever mounted here")


class PassedOn(csi_grpc.IdentityServicer):
    def __init__(self, channel: grpc.Channel) -> None:
        self._identity: Any = csi_grpc.IdentityStub(channel)

    def GetPluginInfo(self, request: Any, context: Any) -> csi.GetPluginInfoResponse:
        return self._identity.GetPluginInfo(request)

    def GetPluginCapabilities(self, request: Any, context: Any) -> csi.GetPluginCapabilitiesResponse:
        return self._identity.GetPluginCapabilities(request)

    def Probe(self, request: Any, context: Any) -> csi.ProbeResponse:
        return self._identity.Probe(request)


@contextlib.contextmanager
def node_service(socket_path: Path, instance_id: str, controller: grpc.Channel) -> Iterator[None]:
    """Serve on that socket while the context is open."""
    with ThreadPoolExecutor(4) as workers:
        server = grpc.server(workers)
        csi_grpc.add_NodeServicer_to_server(Node(instance_id), server)
        csi_grpc.add_IdentityServicer_to_server(PassedOn(controller), server)
        server.add_insecure_port(f"unix:{socket_path}")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()
