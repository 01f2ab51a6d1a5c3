// Command pulumi-resource-kubernetes is the Kubernetes provider of Pulumi, built where no official release of it can be
// had. The provider's module keeps its schema in the repository but not the two files that its own main embeds, so this
// main embeds them under the same names; tools/provider_sources.py makes them and lays them over this folder for the compiler.
package main

import (
	_ "embed"
	"io"
	"os"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed schema-embed.json
var schema []byte

//go:embed terraform-mapping-embed.json
var mapping []byte

func main() {
	go endWithEngine()
	provider.Serve("kubernetes", version.Version, schema, mapping)
}

// endWithEngine ends the provider when the engine lets go of the other end of its standard input: one that is killed
// cannot end its plugins.
func endWithEngine() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}
