"""The Identity service of the CSI driver ebs.csi.aws.com."""

import grpc

from .names import DRIVER
from .stubs import csi, csi_grpc

VERSION = "0.1.0"


class Identity(csi_grpc.IdentityServicer):
    """CSI Identity: the driver's name, that its volumes belong to zones, and that they grow."""

    def GetPluginInfo(
        self, request: csi.GetPluginInfoRequest, context: grpc.ServicerContext
    ) -> csi.GetPluginInfoResponse:
        return csi.GetPluginInfoResponse(name=DRIVER, vendor_version=VERSION)

    def GetPluginCapabilities(
        self, request: csi.GetPluginCapabilitiesRequest, context: grpc.ServicerContext
    ) -> csi.GetPluginCapabilitiesResponse:
        service, expansion = csi.PluginCapability.Service, csi.PluginCapability.VolumeExpansion
        services = (service.CONTROLLER_SERVICE, service.VOLUME_ACCESSIBILITY_CONSTRAINTS)
        return csi.GetPluginCapabilitiesResponse(
            capabilities=[
                *(csi.PluginCapability(service=service(type=kind)) for kind in services),
                # ONLINE: a volume grows while a node uses it.
                csi.PluginCapability(volume_expansion=expansion(type=expansion.ONLINE)),
            ]
        )

    def Probe(self, request: csi.ProbeRequest, context: grpc.ServicerContext) -> csi.ProbeResponse:
        # Ready as soon as it listens: an EC2 API that is down is told by each call, and passes.
        response = csi.ProbeResponse()
        response.ready.value = True
        return response
