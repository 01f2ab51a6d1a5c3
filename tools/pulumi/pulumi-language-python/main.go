// Command pulumi-language-python is the Python language host of the embedded Pulumi CLI.
//
// The official host ships only inside Pulumi's release archives, so a machine without them has no way to run a
// Python program. This one serves the parts of LanguageRuntime that the everyday commands need (preview, up,
// refresh, destroy, install, about, plugins that are Python) and answers Unimplemented to the rest. It is built, and found by the CLI next to
// its own executable, only where the user has no pulumi of their own.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A killed engine cannot end its plugins, but it lets go of the other end of their standard input.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	// The engine passes its own address last; flags of the official host (-root and the like) may come first.
	engine := ""
	if n := len(os.Args); n > 1 {
		engine = os.Args[n-1]
	}
	cancel := make(chan bool)
	go func() {
		<-ctx.Done()
		close(cancel)
	}()
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, &host{engine: engine, lifetime: ctx})
			return nil
		},
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "pulumi-language-python cannot listen on loopback: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("%d\n", handle.Port)
	if err := <-handle.Done; err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "pulumi-language-python stopped serving: %v\n", err)
		os.Exit(1)
	}
}
