"""The provider is built without the SDK's types, and only from an SDK that we understand."""

import pytest

from tools.provider_sources import without_types

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


def test_sdk_keeps_everything_but_the_types() -> None:
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
def test_sdk_that_registers_objects_otherwise_is_refused(was: str, now: str) -> None:
    with pytest.raises(ValueError, match=r"kinds\.go"):
        without_types(KINDS.replace(was, now))
