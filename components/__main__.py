"""Serves the components to programs in other languages: Pulumi runs this folder as a plugin, wherever it is."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from pulumi.provider.experimental import component_provider_host

HERE = Path(__file__).resolve().parent
NAME = "storage_lab"


def package() -> ModuleType:
    """Load this folder as the package that pip installs, whatever the folder is called here."""
    spec = spec_from_file_location(NAME, HERE / "__init__.py", submodule_search_locations=[str(HERE)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{HERE} is not a Python package")
    sys.modules[NAME] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[NAME])
    return sys.modules[NAME]


def serve() -> None:
    """Serve until the engine ends the plugin."""
    version: str = package().__version__
    published = {"storage_class": "EbsStorageClass", "nfs_server": "NfsServer"}
    components = [getattr(import_module(f"{NAME}.{module}"), noun) for module, noun in published.items()]
    component_provider_host(components, "storage-lab", version=version)


if __name__ == "__main__":
    serve()
