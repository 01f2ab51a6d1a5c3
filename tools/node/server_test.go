package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	utilexec "k8s.io/client-go/util/exec"
)

// authority signs the certificates of a test.
type authority struct {
	*testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{T: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes name.crt and name.key; the first one signs itself.
func (a *authority) issue(name string, wanted *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.Fatal(err)
	}
	wanted.SerialNumber, wanted.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(time.Hour)
	wanted.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = wanted, key
	}
	der, err1 := x509.CreateCertificate(rand.Reader, wanted, parent, &key.PublicKey, signer)
	made, err2 := x509.ParseCertificate(der)
	keyDER, err3 := x509.MarshalECPrivateKey(key)
	err4 := os.WriteFile(a.file(name+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	err5 := os.WriteFile(a.file(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600)
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			a.Fatal(err)
		}
	}
	return made, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) client(name string, groups ...string) *rest.Config {
	a.issue(name, &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: groups}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return &rest.Config{TLSClientConfig: rest.TLSClientConfig{CAFile: a.file("ca.crt"), CertFile: a.file(name + ".crt"), KeyFile: a.file(name + ".key")}}
}

// listen serves the cloud's port and returns its address and the administrator's way to it.
func (c *cloud) listen() (string, *authority, *rest.Config) {
	c.Helper()
	a := newAuthority(c.T)
	a.issue("server", &x509.Certificate{Subject: pkix.Name{CommonName: "node"}})
	config, err := tlsConfig(a.file("ca.crt"), a.file("server.crt"), a.file("server.key"))
	if err != nil {
		c.Fatal(err)
	}
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.Cleanup(cancel)
	go func() { _ = c.k.serve(ctx, at, config) }()
	return at.Addr().String(), a, a.client("admin", administrators)
}

func request(t *testing.T, config *rest.Config, to string) (int, string, error) {
	t.Helper()
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Get(to)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

func TestNobodyGetsInWithoutACertificateOfAnAdministrator(t *testing.T) {
	c := newCloud(t)
	c.script("shell", "echo logged; sleep infinity")
	c.ready("shell")
	at, a, admin := c.listen()
	to := "https://" + at + "/containerLogs/default/shell/main"
	eventually(t, "the administrator reads", func() bool {
		code, text, err := request(t, admin, to)
		return err == nil && code == http.StatusOK && text == "logged\n"
	})
	stranger := newAuthority(t)
	for what, config := range map[string]*rest.Config{
		"no certificate":          {TLSClientConfig: rest.TLSClientConfig{CAFile: a.file("ca.crt")}},
		"a user's certificate":    a.client("user", "developers"),
		"another authority's":     {TLSClientConfig: rest.TLSClientConfig{CAFile: a.file("ca.crt"), CertFile: stranger.client("admin", administrators).CertFile, KeyFile: stranger.file("admin.key")}},
		"a token in the place":    {BearerToken: "x", TLSClientConfig: rest.TLSClientConfig{CAFile: a.file("ca.crt")}},
		"no look at the server's": {TLSClientConfig: rest.TLSClientConfig{Insecure: true}},
	} {
		if code, text, err := request(t, config, to); err == nil {
			t.Errorf("%s: got %d %q", what, code, text)
		}
	}
	if answer, err := http.Get("http://" + at + "/containerLogs/default/shell/main"); err == nil && answer.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %d", answer.StatusCode)
	}
	for path, want := range map[string]int{
		"/": 404, "/metrics": 404, "/debug/pprof/": 404, "/logs/": 404, "/pods": 404, "/configz": 404, "/run/default/shell/main?cmd=ls": 404,
		"/attach/default/shell/main": 501, "/containerLogs/default/none/main": 404, "/containerLogs/default/shell/none": 404,
		"/containerLogs/default/shell/..%2f..%2f..%2fetc": 404, "/containerLogs/default/shell/main?tailLines=x": 400,
		"/containerLogs/default/shell/main?previous=true": 400,
	} {
		if code, _, err := request(t, admin, "https://"+at+path); err != nil || code != want {
			t.Errorf("%s gives %d %v, want %d", path, code, err, want)
		}
	}
}

func TestLogsAreTailedFollowedAndKeptOfTheRunBefore(t *testing.T) {
	c := newCloud(t)
	c.script("talks", "for i in 1 2 3; do echo line $i; done; echo oops >&2; until [ -e /tmp/go ]; do sleep 0.01; done; echo last; exit 1")
	c.ready("talks")
	at, _, admin := c.listen()
	to := "https://" + at + "/containerLogs/default/talks/main"
	eventually(t, "all lines are there", func() bool {
		_, text, _ := request(t, admin, to)
		return text == "line 1\nline 2\nline 3\noops\n"
	})
	if _, text, _ := request(t, admin, to+"?tailLines=2"); text != "line 3\noops\n" {
		t.Errorf("--tail=2 gives %q", text)
	}
	if _, text, _ := request(t, admin, to+"?limitBytes=9"); text != "line 1\nli" {
		t.Errorf("--limit-bytes=9 gives %q", text)
	}
	if _, text, _ := request(t, admin, to+"?timestamps=true&tailLines=1"); !strings.HasPrefix(text, "20") || !strings.HasSuffix(text, "Z oops\n") {
		t.Errorf("--timestamps gives %q", text)
	}
	if text := c.followed(admin, to+"?tailLines=1"); text != "oops\nlast\n" {
		t.Errorf("-f gave %q", text)
	}
	eventually(t, "the log of before", func() bool {
		_, text, _ := request(t, admin, to+"?previous=true")
		return strings.HasSuffix(text, "oops\nlast\n")
	})
}

// followed is all that a log says to who follows it, until its container is let go and ends.
func (c *cloud) followed(admin *rest.Config, to string) string {
	c.Helper()
	text := make(chan string, 1)
	go func() {
		_, said, _ := request(c.T, admin, to+"&follow=true")
		text <- said
	}()
	c.exec("talks", "touch /tmp/go")
	select {
	case said := <-text:
		return said
	case <-time.After(deadline):
		c.Fatal("-f does not end with its container")
		return ""
	}
}

func TestAFollowedTailSaysNothingTwiceAfterTheLogWasMoved(t *testing.T) {
	c := newCloud(t)
	c.script("talks", "seq 260000; echo END; until [ -e /tmp/go ]; do sleep 0.01; done")
	c.ready("talks")
	at, _, admin := c.listen()
	to := "https://" + at + "/containerLogs/default/talks/main?tailLines=1"
	eventually(t, "the log has its last line", func() bool {
		_, text, _ := request(t, admin, to)
		return text == "END\n"
	})
	if text := c.followed(admin, to); text != "END\n" {
		t.Errorf("-f gave %d bytes: %.100q", len(text), text)
	}
}

func (c *cloud) execute(config *rest.Config, at, pod string, options remotecommand.StreamOptions, argv ...string) error {
	c.Helper()
	query := url.Values{"command": argv, "output": {"1"}}
	if options.Stdin != nil {
		query.Set("input", "1")
	}
	if options.Tty {
		query.Set("tty", "1")
	} else {
		query.Set("error", "1")
	}
	to := &url.URL{Scheme: "https", Host: at, Path: "/exec/default/" + pod + "/main", RawQuery: query.Encode()}
	executor, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, to)
	if err != nil {
		c.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	return executor.StreamWithContext(ctx, options)
}

func TestExecHasStreamsExitCodesAndATerminal(t *testing.T) {
	c := newCloud(t)
	c.script("shell", "sleep infinity")
	c.ready("shell")
	at, _, admin := c.listen()
	var out, errs bytes.Buffer
	err := c.execute(admin, at, "shell", remotecommand.StreamOptions{Stdin: strings.NewReader("typed\n"), Stdout: &out, Stderr: &errs},
		"sh", "-c", "read x; echo got $x; echo wrong >&2; exit 5")
	ended, is := err.(utilexec.CodeExitError)
	if !is || ended.Code != 5 || out.String() != "got typed\n" || errs.String() != "wrong\n" {
		t.Errorf("exec gave %v, %q, %q", err, out.String(), errs.String())
	}
	out.Reset()
	if err := c.execute(admin, at, "shell", remotecommand.StreamOptions{Stdout: &out, Stderr: &errs}, "echo", "plain"); err != nil || out.String() != "plain\n" {
		t.Errorf("exec echo gave %v %q", err, out.String())
	}
	large := strings.Repeat("0123456789abcdef\n", 20000)
	out.Reset()
	if err := c.execute(admin, at, "shell", remotecommand.StreamOptions{Stdin: strings.NewReader(large), Stdout: &out, Stderr: &errs}, "cat"); err != nil || out.String() != large {
		t.Errorf("exec -i cat gave %v and %d bytes of %d", err, out.Len(), len(large))
	}
	keys, typed := io.Pipe()
	screen := &screen{}
	done := make(chan error, 1)
	go func() {
		done <- c.execute(admin, at, "shell", remotecommand.StreamOptions{Stdin: keys, Stdout: screen, Tty: true}, "sh")
	}()
	for _, step := range []struct{ keys, shows string }{
		{"", "/ # "},
		{"x=kept\r", "\r\n/ # "},
		{"echo is $x; cd /tmp\r", "is kept\r\n/tmp # "},
		{"for i in 1 2\rdo echo n$i\rdone\r", "n1\r\nn2\r\n/tmp # "},
		{"sleep 100000\r", "sleep 100000\r\n"},
		{"\x03", "^C\r\n/tmp # "},
		{"echo never\x03", "/tmp # "},
		{"read y; echo \"<$y>\"\r", "\r\n"},
		{"line\r", "<line>\r\n/tmp # "},
		{"cat\r", "cat\r\n"},
		{"twicf\x7fe\r", "e\r\ntwice\r\n"},
		{"\x04", "/tmp # "},
		{"sleep 0.5; read z; echo \"[$z]\"\rahead\r", "[ahead]\r\n"},
		{"exit 7\r", ""},
	} {
		before := len(screen.String())
		if _, err := typed.Write([]byte(step.keys)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "after "+step.keys+" the screen shows "+step.shows, func() bool {
			return strings.Contains(screen.String()[max(0, before-len(step.shows)):], step.shows)
		})
	}
	select {
	case err := <-done:
		if ended, is := err.(utilexec.CodeExitError); !is || ended.Code != 7 {
			t.Errorf("exit 7 gave %v", err)
		}
	case <-time.After(deadline):
		t.Fatalf("the terminal does not end: %q", screen.String())
	}
}

func TestPortForwardReachesTheNFSServerAndNothingElse(t *testing.T) {
	c := newCloud(t)
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	c.server("serves", c.claim("nfs", "1Gi", true))
	c.ready("serves")
	at, _, admin := c.listen()
	transport, upgrader, err := spdy.RoundTripperFor(admin)
	if err != nil {
		t.Fatal(err)
	}
	to := &url.URL{Scheme: "https", Host: at, Path: "/portForward/default/serves"}
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, to)
	stop, forwarding := make(chan struct{}), make(chan struct{})
	defer close(stop)
	closed := outside.Addr().(*net.TCPAddr).Port
	forwarder, err := portforward.New(dialer, []string{"0:2049", "0:" + big.NewInt(int64(closed)).String()}, stop, forwarding, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = forwarder.ForwardPorts() }()
	select {
	case <-forwarding:
	case <-time.After(deadline):
		t.Fatal("port-forward does not begin")
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", address("127.0.0.1", int(ports[0].Local)))
	if err != nil {
		t.Fatal(err)
	}
	// The null call of NFS version 3: what `rpcinfo -t` asks.
	call := "\x80\x00\x00\x28" + "\x00\x00\x00\x07" + "\x00\x00\x00\x00" + "\x00\x00\x00\x02" + "\x00\x01\x86\xa3" + "\x00\x00\x00\x03" + strings.Repeat("\x00", 20)
	answer := make([]byte, 28)
	_ = conn.SetDeadline(time.Now().Add(deadline))
	if _, err := conn.Write([]byte(call)); err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err != nil || string(answer[4:8]) != "\x00\x00\x00\x07" {
		t.Errorf("the NFS server answers %x, %v", answer, err)
	}
	other, err := net.Dial("tcp", address("127.0.0.1", int(ports[1].Local)))
	if err != nil {
		t.Fatal(err)
	}
	_ = other.SetDeadline(time.Now().Add(deadline))
	if n, err := other.Read(make([]byte, 1)); err == nil || n > 0 {
		t.Error("a port of this machine was reached")
	}
}
