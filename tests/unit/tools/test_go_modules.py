"""The Go modules of the toolchain: what they share is compiled once, and what the provider leaves out is not missed."""

import re

import pytest

from tools.catalogue import MODULES, PROVIDER, PULUMI
from tools.provider_sources import without_types

# Where two modules must differ. The provider does not compile with the CLI's Pulumi, and kubelet's library for CSI not
# with the CSI of the conformance suite, from which alpha fields have gone.
DIFFERENT = {
    "github.com/pulumi/pulumi/pkg/v3",
    "github.com/pulumi/pulumi/sdk/v3",
    "github.com/container-storage-interface/spec",
}
KINDS = """package v2

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func IsListKind(apiVersion, kind string) bool {
	return fmt.Sprintf("%s/%s", apiVersion, kind) == "v1/List"
}

func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, props pulumi.Input,
	opts ...pulumi.ResourceOption) (pulumi.CustomResource, error) {
	switch fmt.Sprintf("%s/%s", apiVersion, kind) {
	case "v1/ConfigMap":
		var res corev1.ConfigMap
		err := ctx.RegisterResource("kubernetes:core/v1:ConfigMap", name, props, &res, opts...)
		return &res, err
	}
}
"""


def required(folder: str) -> dict[str, str]:
    """The version that each module has for the go.mod in `folder`."""
    go_mod = (PULUMI.path.parent / folder / "go.mod").read_text()
    versions = dict(re.findall(r"^\s*(?:require )?(\S+) (v\S+)(?: // indirect)?$", go_mod, re.MULTILINE))
    return versions | dict(re.findall(r"^\s*(\S+) => \1 (v\S+)$", go_mod, re.MULTILINE))


def test_what_two_go_modules_need_has_one_version_so_that_it_is_compiled_once() -> None:
    versions: dict[str, dict[str, str]] = {}
    for module in MODULES:
        for dependency, version in required(module.folder).items():
            versions.setdefault(dependency, {})[module.folder] = version
    shared = {dependency: found for dependency, found in versions.items() if len(found) > 1}
    assert len(shared) > 100, "the go.mod files were not understood"
    different = {dependency: found for dependency, found in shared.items() if len(set(found.values())) > 1}
    assert different.keys() == DIFFERENT, f"compiled once for each of these versions: {different}"


def test_the_provider_asks_for_the_kubernetes_libraries_of_the_api_server() -> None:
    assert required(PROVIDER.folder)["k8s.io/client-go"] == required("kubernetes")["k8s.io/client-go"]


def test_the_sdk_of_the_provider_keeps_what_is_not_about_types() -> None:
    kept = without_types(KINDS)
    assert "func IsListKind" in kept
    assert "RegisterResource" not in kept
    assert 'import "fmt"\n' in kept
    assert "corev1" not in kept, "an import that nothing uses does not compile"


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('"kubernetes:core/v1:ConfigMap"', '"kubernetes:v1:ConfigMap"'),
        ("var res corev1.ConfigMap", "var res corev1.ConfigMap\n\t\tadjust(&res)"),
        ("func RegisterResource(", "func Register("),
    ],
)
def test_an_sdk_that_registers_objects_in_another_way_is_not_built(was: str, now: str) -> None:
    with pytest.raises(ValueError, match=r"kinds\.go"):
        without_types(KINDS.replace(was, now))
