"""The components of EKS check their arguments as all others do."""

from typing import Any

import pulumi
import pytest

from tests.unit.components.eks import eks_program  # loads the AWS packages without their warnings

COMPONENTS = {
    "cluster": "EksCluster",
    "driver": "EksDriver",
    "network": "Network",
    "network_addons": "EksNetworkAddons",
    "nodes": "EksNodes",
    "service_role": "ServiceRole",
}


@pytest.mark.parametrize("module", COMPONENTS)
def test_a_component_of_eks_refuses_what_it_does_not_know(module: str) -> None:
    assert eks_program
    loaded: Any = __import__(f"components.eks.{module}", fromlist=[COMPONENTS[module]])
    with pytest.raises(pulumi.RunError, match="it has no argument colour; known are"):
        getattr(loaded, COMPONENTS[module])("x", {"colour": "blue"})
