"""The recording engine keeps its promise: nothing that is asserted with it can pass unseen."""

import pulumi
import pytest

from components.nfs_server import NfsServer
from tests.unit.conftest import CLOUD
from tests.unit.mocks import deploy


def test_an_output_that_never_gets_a_value_fails_the_test() -> None:
    deployed = deploy(lambda: NfsServer("nfs-server", {}), outputs=CLOUD, preview=True)
    with pytest.raises(AssertionError, match="never resolved"):
        deployed.value(deployed.result.pv_name)


def test_an_assertion_that_fails_inside_apply_fails_the_test() -> None:
    def program() -> None:
        def refuse(_text: str) -> None:
            raise AssertionError("seen")

        pulumi.export("x", pulumi.Output.from_input("anything").apply(refuse))

    with pytest.raises(AssertionError, match="seen"):
        deploy(program)


def test_a_failed_program_leaves_nothing_to_the_next_one() -> None:
    with pytest.raises(pulumi.RunError):
        deploy(lambda: NfsServer("Bad", {}), outputs=CLOUD)
    deployed = deploy(lambda: NfsServer("nfs-server", {}), outputs=CLOUD)
    assert len(deployed.resources) == 6


def test_registering_the_same_name_twice_fails_the_test() -> None:
    with pytest.raises(Exception, match="registered twice"):
        deploy(lambda: [NfsServer("nfs-server", {}), NfsServer("nfs-server", {})], outputs=CLOUD)
