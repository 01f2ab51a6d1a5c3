// Package v2 is laid into Pulumi's Go SDK for Kubernetes as yaml/v2 when the provider is built (tools/provider_sources.py).
package v2

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// object is a Kubernetes object of any kind: an ID and a URN, which is all that the provider asks of what it registers.
type object struct{ pulumi.CustomResourceState }

// RegisterResource registers a Kubernetes object as the resource type that the SDK has for its kind: the type's token
// follows from apiVersion and kind, where the core group, which apiVersion leaves out, is spelled "core".
func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, props pulumi.Input,
	opts ...pulumi.ResourceOption,
) (pulumi.CustomResource, error) {
	if !strings.Contains(apiVersion, "/") {
		apiVersion = "core/" + apiVersion
	}
	var res object
	if err := ctx.RegisterResource("kubernetes:"+apiVersion+":"+kind, name, props, &res, opts...); err != nil {
		return nil, err
	}
	return &res, nil
}
