"""The program on the target eks, run once for each set of settings."""

import pytest

from tests.unit.components.eks.eks_program import HOME, SUBNETS, program
from tests.unit.mocks import Deployed


@pytest.fixture(scope="session")
def lab() -> Deployed:
    return program(publicAccessCidrs=[HOME])


@pytest.fixture(scope="session")
def snapshots() -> Deployed:
    return program(snapshots=True)


@pytest.fixture(scope="session")
def other() -> Deployed:
    """Everything that can be configured, configured otherwise."""
    network = {"vpcId": "vpc-0123456789abcdef0", "subnetIds": list(SUBNETS)}
    nodes = {"nodes": 3, "nodeType": "t3.large", "spot": True, "kubernetesVersion": "1.35"}
    return program(partition="aws-cn", subnets=SUBNETS, **network, **nodes)
