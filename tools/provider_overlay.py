"""The files that the Kubernetes provider embeds and that its module lacks, made for one build."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tools.catalogue import GoModule


def _of_inputs(schema: dict[str, Any]) -> dict[str, Any]:
    """The provider's schema less all but the names of the inputs of its resources.

    The provider parses its schema anew for every `.get` of a resource, to look these names up. Whole it has 7 MB, which
    took 0.1 s of processor time for each PersistentVolume that a program reads. Types and documentation are for
    generating SDKs, which nobody does with this build.
    """
    anything = {"$ref": "pulumi.json#/Any"}
    return schema | {
        "types": {},
        "resources": {
            token: {"inputProperties": dict.fromkeys(resource.get("inputProperties", ()), anything)}
            for token, resource in schema["resources"].items()
        },
    }


def upstream(module: GoModule) -> str:
    """The provider's own module, as path@version."""
    return "@".join(re.findall(r"^require (\S+) (\S+)$", (module.path / "go.mod").read_text(), re.MULTILINE)[0])


def write(module: GoModule, provider: Path, scratch: Path) -> Path:
    """Makes the two files that the provider embeds, from its module in the folder `provider`, and the overlay that
    shows them to the compiler in the folder of `module`. All of them go to `scratch`."""
    source = provider / "cmd" / "pulumi-resource-kubernetes"
    schema = _of_inputs(json.loads((source / "schema.json").read_text()))
    schema["version"] = next(iter(module.versions().values()))
    mapping = json.loads((source / "terraform-mapping.json").read_text())
    replace = dict[str, str]()
    for name, document in (("schema-embed.json", schema), ("terraform-mapping-embed.json", mapping)):
        (scratch / name).write_text(json.dumps(document, separators=(",", ":")))
        replace[str(module.path / name)] = str(scratch / name)
    overlay = scratch / "overlay.json"
    overlay.write_text(json.dumps({"Replace": replace}))
    return overlay
