package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const (
	streamIdle     = 4 * time.Hour
	streamCreation = 30 * time.Second
	// The group whose members may do everything: the API server's own certificate for nodes is one of them.
	administrators = "system:masters"
)

// tlsConfig lets nobody in but who has a certificate of the cluster's authority that may do everything.
func tlsConfig(authority, certificate, key string) (*tls.Config, error) {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", authority)
	}
	own, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}, ClientCAs: clients,
		ClientAuth: tls.RequireAndVerifyClientCert,
		NextProtos: []string{"http/1.1"}, // SPDY and WebSocket upgrade from it
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !slices.Contains(state.PeerCertificates[0].Subject.Organization, administrators) {
				return fmt.Errorf("the certificate is not one of %s", administrators)
			}
			return nil
		},
	}, nil
}

// serve answers what the API server passes on for kubectl: logs, exec and port-forward.
func (k *kubelet) serve(ctx context.Context, at net.Listener, config *tls.Config) error {
	server := &http.Server{
		Handler: k.handler(), TLSConfig: config, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    quiet(),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ServeTLS(at, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (k *kubelet) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", k.onLogs)
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", k.onExec)
	mux.HandleFunc("/portForward/{namespace}/{pod}", k.onPortForward)
	mux.HandleFunc("/attach/{namespace}/{pod}/{container}", func(to http.ResponseWriter, _ *http.Request) {
		http.Error(to, "attach is not played on `local`: use kubectl logs -f, or kubectl exec", http.StatusNotImplemented)
	})
	return mux
}

func (k *kubelet) asked(to http.ResponseWriter, request *http.Request) (*worker, *container, bool) {
	name := request.PathValue("pod")
	w := k.worker(request.PathValue("namespace"), name)
	if w == nil {
		http.Error(to, fmt.Sprintf("pod %q does not run on a node of this cloud", name), http.StatusNotFound)
		return nil, nil, false
	}
	c, err := w.find(request.PathValue("container"))
	if err != nil {
		http.Error(to, err.Error(), http.StatusNotFound)
		return nil, nil, false
	}
	return w, c, true
}

func (k *kubelet) onLogs(to http.ResponseWriter, request *http.Request) {
	w, c, ok := k.asked(to, request)
	if !ok {
		return
	}
	query, previous, err := logQueryOf(request)
	if err != nil {
		http.Error(to, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	number, current := c.restarts, c.run
	waits := c.state.Waiting != nil && c.last.Terminated == nil
	if c.state.Waiting != nil && current == nil && c.last.Terminated != nil && !previous && number > 0 {
		number-- // between two runs the log is still that of the one that ended
	}
	w.mu.Unlock()
	if previous {
		number, current = number-1, nil
	}
	if number < 0 || waits {
		text := fmt.Sprintf("container %q in pod %q is waiting to start", c.spec.Name, w.current().Name)
		if previous {
			text = fmt.Sprintf("previous terminated container %q in pod %q not found", c.spec.Name, w.current().Name)
		}
		http.Error(to, text, http.StatusBadRequest)
		return
	}
	dir, err := w.logs(c.spec.Name)
	if err != nil {
		http.Error(to, err.Error(), http.StatusInternalServerError)
		return
	}
	defer dir.Close()
	if _, err := dir.Stat(logName(number)); err != nil && number > 0 && !previous {
		number--
	}
	if _, err := dir.Stat(logName(number)); err != nil {
		http.Error(to, fmt.Sprintf("the log of container %q is not there any longer", c.spec.Name), http.StatusNotFound)
		return
	}
	var live *containerLog
	if current != nil {
		live = current.log
	}
	if err := readLog(request.Context(), dir, logName(number), live, query, flushing{to, http.NewResponseController(to)}); err != nil {
		logf("a log cannot be read: %v", err)
	}
}

func logQueryOf(request *http.Request) (query logQuery, previous bool, err error) {
	values := request.URL.Query()
	number := func(name string) int64 {
		text := values.Get(name)
		if text == "" {
			return -1
		}
		found, failed := strconv.ParseInt(text, 10, 64)
		if failed != nil || found < 0 {
			err = fmt.Errorf("%s is %q, which is not a number", name, text)
		}
		return found
	}
	truth := func(name string) bool { is, _ := strconv.ParseBool(values.Get(name)); return is }
	query = logQuery{follow: truth("follow"), timestamps: truth("timestamps"), tail: number("tailLines"), limit: number("limitBytes")}
	if since := number("sinceSeconds"); since >= 0 {
		query.since = time.Now().Add(-time.Duration(since) * time.Second)
	}
	if text := values.Get("sinceTime"); text != "" {
		if query.since, err = time.Parse(time.RFC3339, text); err != nil {
			return query, false, err
		}
	}
	return query, truth("previous"), err
}

// flushing sends each line at once: who follows a log waits for it.
type flushing struct {
	io.Writer
	*http.ResponseController
}

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	_ = f.Flush()
	return n, err
}

func (k *kubelet) onExec(to http.ResponseWriter, request *http.Request) {
	w, c, ok := k.asked(to, request)
	if !ok {
		return
	}
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(to, err.Error(), http.StatusBadRequest)
		return
	}
	remotecommand.ServeExec(to, request, execution{w, c}, w.current().Name, string(w.uid), c.spec.Name,
		request.URL.Query()["command"], options, streamIdle, streamCreation, remotecommand.SupportedStreamingProtocols)
}

// execution runs a command beside those of a container.
type execution struct {
	w *worker
	c *container
}

func (e execution) ExecInContainer(ctx context.Context, _, _, _ string, argv []string, in io.Reader, out, stderr io.WriteCloser,
	tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	e.w.mu.Lock()
	current := e.c.run
	e.w.mu.Unlock()
	if current == nil {
		return fmt.Errorf("container %q does not run", e.c.spec.Name)
	}
	if len(argv) == 0 {
		return errors.New("there is no command")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(current.ctx, cancel) // it ends with its container
	defer stop()
	to, toErr := io.Writer(io.Discard), io.Writer(io.Discard)
	if out != nil {
		to, toErr = ours(out), ours(out)
	}
	if stderr != nil {
		toErr = ours(stderr)
	}
	code := 0
	if tty && in != nil {
		code = current.machine.Interact(ctx, argv, newTerminal(in, out, resize))
	} else {
		code = current.machine.withInput(in, func(in io.Reader) int {
			return current.machine.Run(ctx, argv, streams{in, to, toErr})
		})
	}
	if current.ctx.Err() != nil && code == int(terminated) {
		code = int(killed)
	}
	if code != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: code}
	}
	return nil
}

func (k *kubelet) onPortForward(to http.ResponseWriter, request *http.Request) {
	w := k.worker(request.PathValue("namespace"), request.PathValue("pod"))
	if w == nil {
		http.Error(to, fmt.Sprintf("pod %q does not run on a node of this cloud", request.PathValue("pod")), http.StatusNotFound)
		return
	}
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(to, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(to, request, forwarding{w}, w.current().Name, string(w.uid), options, streamIdle, streamCreation,
		portforward.SupportedProtocols)
}

// forwarding connects to a port of a Pod: of the Pod's own network, never of this machine.
type forwarding struct{ w *worker }

func (f forwarding) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	conn, err := f.w.kubelet.network.Dial(ctx, f.w.ip, int(port))
	if err != nil {
		return fmt.Errorf("nothing in the Pod listens on port %d; an NFS server does on %d", port, nfsPort)
	}
	defer conn.Close()
	done := make(chan struct{}, 2)
	for _, pair := range []struct {
		to   io.Writer
		from io.Reader
	}{{conn, stream}, {stream, conn}} {
		go func() {
			_, _ = io.Copy(pair.to, pair.from)
			done <- struct{}{}
		}()
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	return nil
}
