"""Addresses: the names by which a state refers to the providers, today's and those of stacks from before."""

import pickle
import pickletools
from base64 import b64decode

import pytest
from pulumi.dynamic.dynamic import serialize_provider

from components import providers
from components.access.dynamic_provider import PROVIDER_KEY, Provider, differs

ADDRESSES = [
    "components.providers CloudFolderProvider",
    "components.providers ControlPlaneProvider",
    "components.providers Ec2InstanceProvider",
    "components.providers ForeignUsersProvider",
    "components.providers FrozenInputsProvider",
    "components.providers KeptClaimsProvider",
    "components.providers ReclaimBarrierProvider",
    "components.providers VolumeGrowthProvider",
]
# Of version 0.1, which named the module in which each class was written.
FORMER_ADDRESSES = [
    "components.cloud_folder CloudFolderProvider",
    "components.control_plane ControlPlaneProvider",
    "components.ec2_instance Ec2InstanceProvider",
    "components.fixed_inputs FixedInputsProvider",
    "components.foreign_users ForeignUsersProvider",
    "components.reclaim_barrier ReclaimBarrierProvider",
    "components.volume_size VolumeSizeProvider",
]
# As it is in the state of a stack that version 0.1 brought up.
FORMER_STATE = "gASVOAAAAAAAAACMGGNvbXBvbmVudHMuY29udHJvbF9wbGFuZZSMFENvbnRyb2xQbGFuZVByb3ZpZGVylJOUKYGULg=="


def address_in(state: str) -> str:
    return " ".join(text for _, text, _ in pickletools.genops(b64decode(state)) if isinstance(text, str))


def test_addresses_in_a_state_never_change() -> None:
    written = [address_in(serialize_provider(getattr(providers, name)())) for name in providers.__all__]
    assert written == ADDRESSES, "a stack that exists could be neither refreshed nor destroyed"


@pytest.mark.parametrize("address", FORMER_ADDRESSES)
def test_a_former_address_still_leads_to_a_provider(address: str) -> None:
    found = pickle.loads(f"c{address.replace(' ', chr(10))}\n.".encode())
    assert issubclass(found, Provider), "a destroy imports what the state names, and the program does not run before"


def test_a_former_state_holds_a_working_provider() -> None:
    assert isinstance(pickle.loads(b64decode(FORMER_STATE)), providers.ControlPlaneProvider)


def test_a_former_address_is_a_change_once() -> None:
    today = serialize_provider(providers.ControlPlaneProvider())
    assert differs({PROVIDER_KEY: FORMER_STATE}, {PROVIDER_KEY: today}) == [PROVIDER_KEY]
    assert differs({PROVIDER_KEY: today}, {PROVIDER_KEY: today}) == []
