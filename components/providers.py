"""The providers of the dynamic resources, at the one address that a state names them by.

A state holds `components.providers.<class>` for each dynamic resource. Pulumi's host imports that name when it deletes
or refreshes the resource, and the program does not run before. So a class may move between modules, but its name here
stays: a stack that exists could not be destroyed without it.
"""

from .guards.foreign_users import ForeignUsersProvider
from .guards.frozen_inputs import FrozenInputsProvider
from .guards.kept_claims import KeptClaimsProvider
from .guards.reclaim_barrier import ReclaimBarrierProvider
from .guards.volume_growth import VolumeGrowthProvider
from .local.control_plane import CloudFolderProvider, ControlPlaneProvider
from .local.ec2_instance import Ec2InstanceProvider

__all__ = [
    "CloudFolderProvider",
    "ControlPlaneProvider",
    "Ec2InstanceProvider",
    "ForeignUsersProvider",
    "FrozenInputsProvider",
    "KeptClaimsProvider",
    "ReclaimBarrierProvider",
    "VolumeGrowthProvider",
]

# Two former classes. Their resources become FrozenInputs in the next `up`; a destroy before it finds these names.
FixedInputsProvider = VolumeSizeProvider = FrozenInputsProvider
