package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"

	v1 "k8s.io/api/core/v1"
)

// The images of the lab's NFS server.
var nfsImages = []string{"volume-nfs", "volume/nfs"}

func imageIs(image string, names ...string) bool {
	name, _, _ := strings.Cut(image, "@")
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		name = name[:at]
	}
	for _, each := range names {
		if name == each || strings.HasSuffix(name, "/"+each) {
			return true
		}
	}
	return false
}

// playOf is what a container does: an NFS server serves, a command that is here runs. nil is a container that only
// stands there, because nothing of this machine is run and no image is pulled.
func (w *worker) playOf(pod *v1.Pod, c *v1.Container, m *machine, env map[string]string) func(context.Context, streams) int {
	argv := []string{}
	for _, word := range append(append([]string{}, c.Command...), c.Args...) {
		argv = append(argv, expanded(word, env))
	}
	busybox := imageIs(c.Image, "busybox")
	switch {
	case imageIs(c.Image, nfsImages...) && len(c.Command) == 0:
		return func(ctx context.Context, io streams) int { return w.serveShare(ctx, m, io) }
	case busybox && len(argv) == 0:
		argv = []string{"sh"}
	case busybox && !canPlay(argv[0]):
		return func(_ context.Context, io streams) int {
			fmt.Fprintf(io.err, "%s: not found; here are %s\n", argv[0], strings.Join(commandNames(), ", "))
			return notFound
		}
	case !busybox && (len(c.Command) == 0 || !canPlay(argv[0])):
		if ownedByJob(pod) {
			return func(context.Context, streams) int { return 0 }
		}
		return nil
	}
	return func(ctx context.Context, io streams) int { return m.Run(ctx, argv, io) }
}

func ownedByJob(pod *v1.Pod) bool {
	for _, owner := range pod.OwnerReferences {
		if owner.Kind == "Job" {
			return true
		}
	}
	return false
}

// serveShare is an NFS server over /exports, in the Pods' network, until the container ends.
func (w *worker) serveShare(ctx context.Context, m *machine, io streams) int {
	failed := func(err error) int {
		fmt.Fprintf(io.err, "the NFS server cannot serve %s: %s\n", exports, plain(err))
		return 1
	}
	if err := m.mounts.Mkdir(ctx, exports, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return failed(err)
	}
	there, err := m.mounts.resolve(ctx, exports, true)
	if err != nil {
		return failed(err)
	}
	whole, is := there.fs.(*folder)
	if !is {
		return failed(errors.New("it is a share of another server"))
	}
	shared, err := whole.sub(named(path.Clean(there.name)))
	if err != nil {
		return failed(err)
	}
	defer shared.Close()
	at, err := w.kubelet.network.Listen(w.ip, nfsPort)
	if err != nil {
		return failed(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = serveNFS(ctx, at, shared) })
	fmt.Fprintf(io.out, "Serving %s\nNFS started\n", exports)
	serving.Wait()
	return 0
}
