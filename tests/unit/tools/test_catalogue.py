"""The Go modules of the toolchain share versions, so that what two of them need is compiled once."""

import re

from tools.catalogue import MODULES, PROVIDER, PULUMI

# Where two modules must differ. The provider does not compile with the CLI's Pulumi. Kubelet's library for CSI does not
# compile with the CSI of the conformance suite, which lacks alpha fields that it uses.
DIFFERENT = {
    "github.com/pulumi/pulumi/pkg/v3",
    "github.com/pulumi/pulumi/sdk/v3",
    "github.com/container-storage-interface/spec",
}


def required(folder: str) -> dict[str, str]:
    """The version that each module has for the go.mod in `folder`."""
    go_mod = (PULUMI.path.parent / folder / "go.mod").read_text()
    versions = dict(re.findall(r"^\s*(?:require )?(\S+) (v\S+)(?: // indirect)?$", go_mod, re.MULTILINE))
    return versions | dict(re.findall(r"^\s*(\S+) => \1 (v\S+)$", go_mod, re.MULTILINE))


def test_go_modules_require_one_version_of_what_they_share() -> None:
    versions: dict[str, dict[str, str]] = {}
    for module in MODULES:
        for dependency, version in required(module.folder).items():
            versions.setdefault(dependency, {})[module.folder] = version
    shared = {dependency: found for dependency, found in versions.items() if len(found) > 1}
    assert len(shared) > 100, "the go.mod files were not understood"
    different = {dependency: found for dependency, found in shared.items() if len(set(found.values())) > 1}
    assert different.keys() == DIFFERENT, f"compiled once for each of these versions: {different}"


def test_provider_requires_the_api_servers_kubernetes_libraries() -> None:
    assert required(PROVIDER.folder)["k8s.io/client-go"] == required("kubernetes")["k8s.io/client-go"]
