// Command node is the kubelet of all nodes of a local cloud: it gives Pods files, a shell that reaches nothing else, and
// an NFS server, without root and without a container runtime.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

type settings struct {
	kubeconfig, folder, authority, certificate, key, address string
	port                                                     int
}

func main() {
	var given settings
	flag.StringVar(&given.kubeconfig, "kubeconfig", "", "how to reach the API server, as its administrator")
	flag.StringVar(&given.folder, "folder", "", "the folder for volumes, Pods and logs; nothing outside of it is read or written")
	flag.StringVar(&given.authority, "client-ca", "", "the certificate of the cluster's authority, which signs its clients'")
	flag.StringVar(&given.certificate, "certificate", "", "the certificate to serve with")
	flag.StringVar(&given.key, "key", "", "the key of the certificate")
	flag.StringVar(&given.address, "address", "127.0.0.1", "the address to listen on")
	flag.IntVar(&given.port, "port", 10250, "the port to listen on")
	flag.Parse()
	log.SetFlags(log.LstdFlags | log.LUTC)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, given); err != nil {
		fmt.Fprintf(os.Stderr, "node: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, given settings) error {
	for name, value := range map[string]string{
		"--kubeconfig": given.kubeconfig, "--folder": given.folder, "--client-ca": given.authority,
		"--certificate": given.certificate, "--key": given.key,
	} {
		if value == "" {
			return fmt.Errorf("%s is needed; --help says what it is", name)
		}
	}
	klog.SetOutput(io.Discard) // client-go says the same over and over while the API server is away
	klog.LogToStderr(false)
	config, err := tlsConfig(given.authority, given.certificate, given.key)
	if err != nil {
		return err
	}
	access, err := clientcmd.BuildConfigFromFlags("", given.kubeconfig)
	if err != nil {
		return err
	}
	access.QPS, access.Burst = 1000, 2000 // as unlimited as the control plane of a local cloud
	access.UserAgent = "storage-lab-node"
	access.ContentType = "application/vnd.kubernetes.protobuf"
	access.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(access)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(given.folder, 0o700); err != nil {
		return err
	}
	folder, err := os.OpenRoot(given.folder)
	if err != nil {
		return err
	}
	at, err := net.Listen("tcp", net.JoinHostPort(given.address, strconv.Itoa(given.port)))
	if err != nil {
		return err
	}
	version := "v1.0.0"
	if found, err := client.Discovery().ServerVersion(); err == nil {
		version = found.GitVersion
	}
	group, ctx := errgroup.WithContext(ctx)
	k := newKubelet(ctx, client, folder, given.port, version)
	group.Go(func() error { return k.Run(ctx) })
	group.Go(func() error { return k.serve(ctx, at, config) })
	return group.Wait()
}

func logf(format string, values ...any) { log.Printf(format, values...) }

// quiet drops what clients do wrong in their handshakes: each look at the port would be a line.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
