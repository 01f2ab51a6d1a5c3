// Command pulumi-language-nodejs lets `pulumi package add` write an SDK in TypeScript and install it.
//
// The official host ships only inside Pulumi's release archives. A test builds this one where no Pulumi is installed.
// The SDK is the work of Pulumi's own generator. A program is not run: that answers Unimplemented.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	codegenrpc "github.com/pulumi/pulumi/sdk/v3/proto/go/codegen"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
}

func main() {
	cancel := make(chan bool)
	// The engine lets go of the other end of standard input when it ends or is killed.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(cancel)
	}()
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{})
			return nil
		},
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-language-nodejs cannot listen on loopback: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("%d\n", handle.Port)
	<-handle.Done
}

func (*host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GeneratePackage writes the SDK for a schema into a folder.
func (*host) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.GetSchema()), &spec); err != nil {
		return nil, fmt.Errorf("cannot read the schema: %w", err)
	}
	loader, err := schema.NewLoaderClient(request.GetLoaderTarget())
	if err != nil {
		return nil, err
	}
	pkg, found, err := schema.BindSpec(spec, loader, schema.ValidationOptions{})
	if err != nil {
		return nil, err
	}
	if found.HasErrors() {
		return &pulumirpc.GeneratePackageResponse{Diagnostics: answered(found)}, nil
	}
	files, err := nodejs.GeneratePackage(
		"pulumi-language-nodejs", pkg, request.GetExtraFiles(), request.GetLocalDependencies(), request.GetLocal(), loader)
	if err != nil {
		return nil, err
	}
	for name, text := range files {
		path := filepath.Join(request.GetDirectory(), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.GeneratePackageResponse{Diagnostics: answered(found)}, nil
}

// Link makes the SDK a dependency of the program.
func (*host) Link(ctx context.Context, request *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	for _, linked := range request.GetPackages() {
		name := linked.GetPackage().GetName()
		dependency := fmt.Sprintf("dependencies.@pulumi/%s=file:%s", name, filepath.ToSlash(linked.GetPath()))
		if err := npm(ctx, request.GetInfo(), "pkg", "set", dependency); err != nil {
			return nil, err
		}
	}
	return &pulumirpc.LinkResponse{}, nil
}

// InstallDependencies does not run the scripts of packages: they would look for plugins of Pulumi's.
func (*host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	stream grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	words := []string{"ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"}
	return npm(stream.Context(), request.GetInfo(), words...)
}

func npm(ctx context.Context, info *pulumirpc.ProgramInfo, words ...string) error {
	command := exec.CommandContext(ctx, "npm", words...)
	command.Dir = info.GetRootDirectory()
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("npm %s: %w\n%s", words[0], err, said)
	}
	return nil
}

func answered(found hcl.Diagnostics) []*codegenrpc.Diagnostic {
	answer := make([]*codegenrpc.Diagnostic, 0, len(found))
	for _, one := range found {
		answer = append(answer, plugin.HclDiagnosticToRPCDiagnostic(one))
	}
	return answer
}
