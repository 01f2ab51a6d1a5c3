"""The files that the Kubernetes provider embeds and that its module lacks, made for one build."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tools.catalogue import GoModule


def upstream(module: GoModule) -> str:
    """The provider's own module, as path@version."""
    return "@".join(re.findall(r"^require (\S+) (\S+)$", (module.path / "go.mod").read_text(), re.MULTILINE)[0])


def write(module: GoModule, provider: Path, scratch: Path) -> Path:
    """Makes the two files that the provider embeds, from its module in the folder `provider`, and the overlay that
    shows them to the compiler in the folder of `module`. All of them go to `scratch`."""
    source = provider / "cmd" / "pulumi-resource-kubernetes"
    schema = json.loads((source / "schema.json").read_text())
    schema["version"] = next(iter(module.versions().values()))
    mapping = json.loads((source / "terraform-mapping.json").read_text())
    replace = dict[str, str]()
    for name, document in (("schema-embed.json", schema), ("terraform-mapping-embed.json", mapping)):
        (scratch / name).write_text(json.dumps(document, separators=(",", ":")))
        replace[str(module.path / name)] = str(scratch / name)
    overlay = scratch / "overlay.json"
    overlay.write_text(json.dumps({"Replace": replace}))
    return overlay
