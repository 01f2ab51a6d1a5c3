"""What a stack declares: one noun a module, one ComponentResource each.

This file imports nothing of the package: a program for the local target must never load the AWS packages.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# The version of the published components: a changed schema is another version (docs/component.md).
__version__ = "0.4.0"

# Modules that a state from before `providers` names, each with the class that it names there. The next `up` writes the
# address of today; a stack that is destroyed without one still needs these.
MOVED = {
    f"{__name__}.{module}": name
    for module, name in {
        "cloud_folder": "CloudFolderProvider",
        "control_plane": "ControlPlaneProvider",
        "ec2_instance": "Ec2InstanceProvider",
        "fixed_inputs": "FixedInputsProvider",
        "foreign_users": "ForeignUsersProvider",
        "reclaim_barrier": "ReclaimBarrierProvider",
        "volume_size": "VolumeSizeProvider",
    }.items()
}


class _MovedModules(MetaPathFinder, Loader):
    """Finds each module of MOVED as an empty one that holds its class."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        name = MOVED[module.__name__]
        setattr(module, name, getattr(import_module(".providers", __name__), name))


sys.meta_path.append(_MovedModules())
