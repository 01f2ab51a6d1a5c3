package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// served is an NFS server of a test over a folder, which can be stopped and started again.
type served struct {
	network *network
	folder  string
	cancel  context.CancelFunc
	done    chan struct{}
	limit   int64
}

func newServed(t *testing.T, limit int64) *served {
	s := &served{network: newNetwork(), folder: t.TempDir(), limit: limit}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

func (s *served) start(t *testing.T) {
	t.Helper()
	base, err := os.OpenRoot(s.folder)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := newFolder(base, "exports", s.limit, nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.network.Listen("10.244.0.1", nfsPort)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.done = cancel, make(chan struct{})
	go func() {
		defer close(s.done)
		_ = serveNFS(ctx, at, shared)
		_ = shared.Close()
	}()
}

func (s *served) stop() {
	s.cancel()
	<-s.done
}

// client is a container with the share at /share.
func (s *served) client(t *testing.T, options ...string) (*machine, *share) {
	t.Helper()
	m, _ := box(t)
	mounted := newShare(s.network, "10.244.0.1", "/", options)
	t.Cleanup(func() { _ = mounted.Close() })
	m.mounts = newMounts(append(m.mounts, mount{at: "/share", fs: mounted, source: "10.244.0.1:/", kind: "nfs"})...)
	return m, mounted
}

func TestFilesOnAShareAreLikeFilesOfAFolder(t *testing.T) {
	s := newServed(t, 1<<20)
	m, _ := s.client(t)
	for _, each := range []struct{ script, want string }{
		{"echo hello > /share/a && cat /share/a", "hello\n"},
		{"echo more >> /share/a; echo more >> /share/a; wc -l < /share/a", "3\n"},
		{"echo short > /share/a; cat /share/a", "short\n"},
		{"mkdir -p /share/x/y && cd /share/x/y && echo deep > f && cat ../y/f && pwd", "deep\n/share/x/y\n"},
		{"ls /share; ls /share/x", "a\nx\ny\n"},
		{"ln -s x/y/f /share/link && cat /share/link && readlink /share/link", "deep\nx/y/f\n"},
		{"mv /share/a /share/x/b && cat /share/x/b; [ -e /share/a ] || echo gone", "short\ngone\n"},
		{"rmdir /share/x 2>&1", "rmdir: /share/x: Directory not empty\n"},
		{"cp /share/x/b /tmp/b && mv /tmp/b /share/c && cat /share/c", "short\n"},
		{"cat /share/none 2>&1", "cat: /share/none: No such file or directory\n"},
		{"for i in $(seq 300); do echo $i > /share/x/n$i; done; ls /share/x | wc -l; echo /share/x/n1* | wc -w", "302\n111\n"},
		{"rm -r /share/x; ls /share", "c\nlink\n"},
		{"chmod 755 /share/c; ls -l /share/c | grep -c '^-rwxr-xr-x '; [ -x /share/c ] && echo x", "1\nx\n"},
		{"df -k /share | tail -n 1 | grep -o -E ' 1024 .* /share' | wc -l", "1\n"},
		{"dd if=/dev/zero of=/share/big bs=64k count=100 2>&1 | grep -o 'No space left on device'; rm /share/big", "No space left on device\n"},
		{"[ -O /share/c ] || true; [ -N /share/c ] || true; echo fine", "fine\n"},
	} {
		if said, _ := sh(t, m, each.script); said != each.want {
			t.Errorf("%s\ngot  %q\nwant %q", each.script, said, each.want)
		}
	}
}

func TestMegabytesArriveAtTheOtherClientAsTheyWere(t *testing.T) {
	s := newServed(t, 64<<20)
	one, _ := s.client(t)
	other, _ := s.client(t)
	content := make([]byte, 10<<20)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	ctx := context.Background()
	opened, err := one.mounts.Open(ctx, "/share/big", os.O_WRONLY|os.O_CREATE, 0o644)
	if err == nil {
		_, err = io.Copy(opened, bytes.NewReader(content))
	}
	if err != nil {
		t.Fatal(err)
	}
	if said, _ := sh(t, other, "sha256sum /share/big"); said != fmt.Sprintf("%x  /share/big\n", sha256.Sum256(content)) {
		t.Errorf("another client reads %s", said)
	}
}

func TestClientsGoOnAfterARestartOfTheServer(t *testing.T) {
	s := newServed(t, 1<<20)
	m, _ := s.client(t)
	ctx := context.Background()
	opened, err := m.mounts.Open(ctx, "/share/log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	wrote, finished := make(chan int, 1000), make(chan error, 1)
	go func() {
		defer close(wrote)
		for i := range 200 {
			if _, err := fmt.Fprintf(opened, "line %d\n", i); err != nil {
				finished <- err
				return
			}
			wrote <- i
		}
		finished <- nil
	}()
	for i := range wrote {
		if i%40 == 20 {
			s.stop()
			s.start(t)
		}
	}
	if err := <-finished; err != nil {
		t.Fatalf("a hard mount gave up: %v", err)
	}
	said, _ := sh(t, m, "cat /share/log")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	for i, line := range lines {
		if line != fmt.Sprintf("line %d", i) {
			t.Fatalf("line %d is %q: an acknowledged line is not there once", i, line)
		}
	}
	if len(lines) != 200 {
		t.Errorf("%d lines are there of 200", len(lines))
	}
}

func TestASoftMountFailsAfterItsTimeAndAHardOneWaits(t *testing.T) {
	s := newServed(t, 1<<20)
	soft, mounted := s.client(t, "soft", "timeo=1", "retrans=1")
	if mounted.patience != 300*time.Millisecond {
		t.Errorf("soft,timeo=1,retrans=1 waits %v", mounted.patience)
	}
	hard, _ := s.client(t)
	sh(t, soft, "echo x > /share/f")
	s.stop()
	if said, code := sh(t, soft, "cat /share/f"); code == 0 || !strings.Contains(said, "Input/output error") {
		t.Errorf("a soft mount of a dead server gave %d %q", code, said)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- hard.Run(ctx, []string{"cat", "/share/f"}, streams{nil, io.Discard, io.Discard}) }()
	select {
	case code := <-ended:
		t.Errorf("a hard mount of a dead server ended with %d", code)
	case <-time.After(time.Second): // long after the soft one gave up
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(deadline):
		t.Fatal("the end of a container waits for a dead server")
	}
	s.start(t)
	if said, _ := sh(t, hard, "cat /share/f"); said != "x\n" {
		t.Errorf("after a restart the hard mount reads %q", said)
	}
}

func TestHandlesOfAnEarlierServerAreUnderstood(t *testing.T) {
	s := newServed(t, 1<<20)
	m, _ := s.client(t)
	sh(t, m, "mkdir /share/d; echo x > /share/d/f")
	opened, err := m.mounts.Open(context.Background(), "/share/d/f", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	s.start(t)
	if text, err := io.ReadAll(opened); err != nil || string(text) != "x\n" {
		t.Errorf("an open file of before gives %q, %v", text, err)
	}
	sh(t, m, "rm /share/d/f")
	s.stop()
	s.start(t)
	_, _ = opened.Seek(0, io.SeekStart)
	if _, err := io.ReadAll(opened); !errors.Is(err, syscall.ESTALE) {
		t.Errorf("a removed file gives %v, not a stale handle", err)
	}
}

func TestASymbolicLinkOnAShareStaysOnTheShare(t *testing.T) {
	s := newServed(t, 1<<20)
	if err := os.Symlink("/etc", s.folder+"/exports/out"); err != nil {
		t.Fatal(err)
	}
	_, mounted := s.client(t)
	if _, err := mounted.Open(context.Background(), "out/passwd", os.O_RDONLY, 0); err == nil {
		t.Error("the server followed a link out of its share")
	}
	if _, err := mounted.Open(context.Background(), "../../etc/passwd", os.O_RDONLY, 0); err == nil {
		t.Error("the server followed dots out of its share")
	}
	if _, err := mounted.Stat(context.Background(), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there gives %v", err)
	}
}

func TestAnUnmountLeavesNothingBehind(t *testing.T) {
	s := newServed(t, 1<<20)
	before := runtime.NumGoroutine()
	for range 20 {
		mounted := newShare(s.network, "10.244.0.1", exports, nil)
		if err := mounted.Mount(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := mounted.Close(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the goroutines of 20 mounts end", func() bool { return runtime.NumGoroutine() <= before+2 })
}

func TestGarbageOnTheWireEndsItsConnectionOnly(t *testing.T) {
	s := newServed(t, 1<<20)
	m, _ := s.client(t)
	var done sync.WaitGroup
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", strings.Repeat("\xff", 100), "\x80\x00\x00\x28" + strings.Repeat("\x00", 40)} {
		done.Go(func() {
			conn, err := s.network.Dial(context.Background(), "10.244.0.1", nfsPort)
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			_, _ = conn.Write([]byte(garbage))
			_, _ = conn.Read(make([]byte, 100))
			_ = conn.Close()
		})
	}
	done.Wait()
	if said, _ := sh(t, m, "echo fine > /share/f; cat /share/f"); said != "fine\n" {
		t.Errorf("after garbage the server gives %q", said)
	}
}

func TestTheNetworkReachesNoPortOfThisMachine(t *testing.T) {
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	port := at.Addr().(*net.TCPAddr).Port
	for _, host := range []string{"127.0.0.1", "localhost", "::1", "0.0.0.0", ""} {
		if conn, err := newNetwork().Dial(context.Background(), host, port); err == nil {
			_ = conn.Close()
			t.Errorf("%q:%d, a port of this machine, was reached", host, port)
		}
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not after %v", what, deadline)
		}
	}
}
