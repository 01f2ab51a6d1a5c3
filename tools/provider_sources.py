"""What Pulumi's Kubernetes provider is compiled from besides its module, made for one build.

The two files that it embeds are not in its module. And it imports Pulumi's Go SDK for Kubernetes: a Go type for each of
157 kinds, more to compile than the rest of the provider, for a single function, which registers objects of which it
looks at none. That function is ours here (untyped/), and the types stay away.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from tools.catalogue import GoModule

UPSTREAM = "github.com/pulumi/pulumi-kubernetes/provider/v4"
SDK = "github.com/pulumi/pulumi-kubernetes/sdk/v4"
# The packages of it that the provider imports, and utilities, which these import.
_PACKAGES = ("", "utilities", "yaml/v2", "helm/v4")


def flags(module: GoModule, source: Callable[[str], Path], scratch: Path) -> list[str]:
    """Makes the sources in the folder `scratch`, and returns the flags with which `go build` reads them.

    `source` is called with path@version of a module that `module` requires and returns the folder it lies in.
    """
    overlay = _embedded(module, source(module.requires(UPSTREAM)), scratch)
    _untyped_sdk(module, source(module.requires(SDK)), scratch / "sdk")
    # Only this build replaces the SDK: the go.mod in `module` stays one that any Go tool can read.
    go_mod = (module.path / "go.mod").read_text()
    (scratch / "go.mod").write_text(f"{go_mod}\nreplace {SDK} => {json.dumps(str(scratch / 'sdk'))}\n")
    shutil.copy(module.path / "go.sum", scratch)
    return [f"-overlay={overlay}", f"-modfile={scratch / 'go.mod'}"]


def _embedded(module: GoModule, provider: Path, scratch: Path) -> Path:
    """The two embedded files, and the overlay that shows them to the compiler in the folder of `module`."""
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


def _untyped_sdk(module: GoModule, sdk: Path, out: Path) -> None:
    """The packages of the SDK in the folder `sdk` that need no type for each kind, with our function in its place."""
    root = Path("go") / "kubernetes"
    for package in _PACKAGES:
        (out / root / package).mkdir(parents=True, exist_ok=True)
        for path in sorted((sdk / root / package).glob("*.go")):
            shutil.copyfile(path, out / root / package / path.name)
    shutil.copyfile(sdk / "go.mod", out / "go.mod")
    kinds = out / root / "yaml" / "v2" / "kinds.go"
    kinds.write_text(without_types(kinds.read_text()))
    shutil.copy(module.path / "untyped" / "register_resource.go", kinds.parent)


def without_types(kinds: str) -> str:
    """The Go file kinds.go of the SDK's package yaml/v2 without its last function, RegisterResource, and what only
    that imports.

    Raises:
        ValueError: the function does more than untyped/register_resource.go does.
    """
    kept, _, function = kinds.partition("\nfunc RegisterResource(")
    cases = re.findall(r'case "(.+)/(.+)":\n\t\tvar res .+\n\t\terr := ctx.RegisterResource\("(.+?)"', function)
    if not cases or len(cases) != function.count("\tcase "):
        raise ValueError("kinds.go of Pulumi's Kubernetes SDK registers objects in another way than in v4.24.0")
    for api_version, kind, token in cases:
        group_version = api_version if "/" in api_version else f"core/{api_version}"
        if token != f"kubernetes:{group_version}:{kind}":
            raise ValueError(f"kinds.go of Pulumi's Kubernetes SDK registers {api_version}/{kind} as {token}")
    return re.sub(r"^import \(\n.*?^\)$", 'import "fmt"', kept, count=1, flags=re.MULTILINE | re.DOTALL)
