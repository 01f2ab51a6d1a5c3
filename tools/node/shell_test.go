package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// deadline is how long a test waits for what must happen; never how long it takes.
const deadline = 60 * time.Second

// screen is an output that a test reads while it is written.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) isOurs() {}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// box is a container's machine over folders of a test: / and /data, a volume of 64 KiB.
func box(t *testing.T) (m *machine, top string) {
	t.Helper()
	top = t.TempDir()
	base, err := os.OpenRoot(top)
	if err != nil {
		t.Fatal(err)
	}
	list := []mount{{at: "/dev", fs: devices{}, source: "devtmpfs", kind: "devtmpfs"}}
	for _, each := range []struct {
		at, name string
		limit    int64
	}{{"/data", "volume", 64 << 10}, {"/", "rootfs", 1 << 20}} {
		made, err := newFolder(base, each.name, each.limit, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = made.Close() })
		list = append(list, mount{at: each.at, fs: made, source: each.name, kind: "ext4"})
	}
	readOnly := list[1]
	readOnly.at, readOnly.readOnly = "/frozen", true
	again := list[1]
	again.at = "/again"
	list = append(list, readOnly, again)
	for _, name := range []string{"rootfs/data", "rootfs/frozen", "rootfs/again", "rootfs/tmp", "rootfs/etc"} {
		if err := os.MkdirAll(filepath.Join(top, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"PATH": "/bin", "HOME": "/root", "HOSTNAME": "box"}
	return &machine{mounts: newMounts(list...), hostname: "box", env: env, dir: "/", killed: func(int) {}}, top
}

// sh runs a script in a container and returns what it put out, stderr included, and its exit code.
func sh(t *testing.T, m *machine, script string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var out screen
	code := m.Run(ctx, []string{"sh", "-c", script}, streams{nil, &out, &out})
	if ctx.Err() != nil {
		t.Fatalf("%q did not end", script)
	}
	return out.String(), code
}

func TestScriptsDoWhatAShellDoes(t *testing.T) {
	for _, each := range []struct{ script, want string }{
		{`echo hello > /data/a && cat /data/a`, "hello\n"},
		{`for i in 1 2 3; do echo $i >> /data/b; done; wc -l < /data/b`, "3\n"},
		{`cd /data && echo x > c && pwd && ls`, "/data\nc\n"},
		{`(cd /tmp; pwd); pwd`, "/tmp\n/\n"},
		{`x=$(seq 3 | tail -n 1); echo "got $x"`, "got 3\n"},
		{`f() { echo "f $1"; return 3; }; f a; echo $?`, "f a\n3\n"},
		{`sleep 0 & wait; echo done`, "done\n"},
		{`set -e; false; echo never`, ""},
		{`[ -f /data/none ] || echo none`, "none\n"},
		{`echo $$ $PPID`, "1 0\n"},
		{`eval 'echo $$'`, "1\n"},
		{`echo 'echo from $1; return 4' > /tmp/s; . /tmp/s file; echo $?`, "from file\n4\n"},
		{`printf '#!/bin/sh\necho run $1\n' > /tmp/r; chmod +x /tmp/r; /tmp/r it`, "run it\n"},
		{`ln -s /data/target /tmp/link; echo far > /data/target; cat /tmp/link`, "far\n"},
		{`ln -s ../data /tmp/dir; echo near > /tmp/dir/n; cat /data/n`, "near\n"},
		{`echo a > /tmp/f; mv /tmp/f /data/f; cat /data/f; [ -e /tmp/f ] || echo moved`, "a\nmoved\n"},
		{`mkdir -p /data/x/y; touch /data/x/y/z; ls /data/x/y; rm -r /data/x; ls /data`, "z\n"},
		{`printf abc | sha256sum`, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n"},
		{`dd if=/dev/zero of=/data/z bs=1k count=4 2>/dev/null; wc -c < /data/z`, "4096\n"},
		{`trap 'echo bye' EXIT TERM 2>/dev/null; echo hi`, "hi\nbye\n"},
		{`command -v cat; command -v python || echo no`, "/bin/cat\nno\n"},
		{`echo "$(date -u +%FT%TZ)" | grep -c -E '^[0-9-]+T[0-9:]+Z$'`, "1\n"},
		{`kill -0 1 && echo alive; hostname; whoami`, "alive\nbox\nroot\n"},
		{`A=1 env | grep ^A=`, "A=1\n"},
		{`exec cat /etc/none; echo never`, "cat: /etc/none: No such file or directory\n"},
		{`echo x | tee /data/t1 /data/t2 > /dev/null; cat /data/t1 /data/t2`, "x\nx\n"},
		{`echo TMP ${TMPDIR:-none}`, "TMP none\n"},
		{`test -d /data && /bin/test -d /data && [ -w /data ] && [ ! -w /frozen ] && echo yes`, "yes\n"},
		{`echo ~ ~root ~nobody "~root" | cat; x=~daemon; echo $x`, "/root ~root ~nobody ~root\n~daemon\n"},
		{`echo $$ $UID | cat; echo $(echo $$)`, "1 0\n1\n"},
		{`trap 'echo $$ ~root' EXIT`, "1 ~root\n"},
		{`trap 'echo never; : <(:)' EXIT; trap 'echo never' ERR; trap - ERR; false; echo end`, "trap: process substitution is not played here: write to a file\nend\n"},
		{`set -- a b; shift -1; echo $#`, "shift: -1 is not a number of arguments\n2\n"},
		{`echo 'echo $1' | sh -s a b`, "a\n"},
		{`echo kept > /data/f; cp /data/f /again/f; mv /data/f /again/f; cat /data/f`, "cp: /data/f: is the same file\nmv: /data/f: is the same file\nkept\n"},
		{`mkdir /data/d; echo kept > /data/d/f; cp -r /data/d /again/d/e; mv /data/d /again/g; ls /data; cat /data/g/f`, "cp: /data/d: cannot be copied into itself\ng\nkept\n"},
		{`echo a > /data/a; echo b > /data/b; mv -n /data/a /data/b; rm -i /data/b; touch -c /data/c; cat /data/b; ls /data`, "mv: the option -n is not played here\nrm: the option -i is not played here\ntouch: the option -c is not played here\nb\na\nb\n"},
	} {
		t.Run(each.script, func(t *testing.T) {
			m, _ := box(t)
			if got, _ := sh(t, m, each.script); !strings.HasPrefix(got, each.want) || each.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, each.want)
			}
		})
	}
}

// writes counts what arrives of each write.
type writes struct{ each []string }

func (w *writes) Write(p []byte) (int, error) {
	w.each = append(w.each, string(p))
	return len(p), nil
}

func (*writes) isOurs() {}

func TestEchoAndPrintfWriteTheirTextAtOnce(t *testing.T) {
	for script, want := range map[string]string{
		`echo one "two three"`: "one two three\n", `echo -n a b`: "a b", `echo -ne 'a\tb\n'`: "a\tb\n", `echo -x -n`: "-x -n\n",
		`printf '%s=%d\n' a 1 b 2`: "a=1\nb=2\n", `command echo a b`: "a b\n", `builtin echo a b`: "a b\n",
	} {
		m, _ := box(t)
		var out writes
		m.Run(context.Background(), []string{"sh", "-c", script}, streams{nil, &out, &out})
		if len(out.each) != 1 || out.each[0] != want {
			t.Errorf("%s wrote %q: a kill in between would leave half a line, to which the next one is appended", script, out.each)
		}
	}
}

func TestNoLineIsAcknowledgedThatAFullVolumeDidNotTake(t *testing.T) {
	for _, write := range []string{"echo line >> /data/f", "printf 'line\\n' >> /data/f"} {
		m, _ := box(t)
		said, _ := sh(t, m, "dd if=/dev/zero of=/data/f bs=1k count=64 2>/dev/null; "+write+" && echo acknowledged")
		if !strings.Contains(said, "No space left on device") || strings.Contains(said, "acknowledged") {
			t.Errorf("%s: %q", write, said)
		}
	}
}

func TestUnknownCommandEndsWith127AndSaysWhatIsThere(t *testing.T) {
	m, _ := box(t)
	said, code := sh(t, m, "python3 app.py")
	if code != 127 || !strings.Contains(said, "python3: not found; here are") || !strings.Contains(said, "cat") {
		t.Errorf("got %d %q", code, said)
	}
}

func TestWritesBeyondAVolumesSizeFailAndDfShowsIt(t *testing.T) {
	m, _ := box(t)
	said, code := sh(t, m, "dd if=/dev/zero of=/data/full bs=1k count=100")
	if code == 0 || !strings.Contains(said, "No space left on device") {
		t.Errorf("writing 100 KiB into 64 KiB gave %d %q", code, said)
	}
	if said, _ = sh(t, m, "wc -c < /data/full; df /data"); !strings.HasPrefix(said, "65536\n") || !strings.Contains(said, " 100% /data") {
		t.Errorf("a full volume looks like %q", said)
	}
	if said, _ = sh(t, m, "rm /data/full; echo again > /data/a && echo more > /data/a && cat /data/a && df /data | grep -c ' 1% '"); said != "more\n1\n" {
		t.Errorf("after a removal there is room: %q", said)
	}
	if said, code = sh(t, m, "dd if=/dev/null of=/data/hole; dd if=/dev/zero of=/data/hole bs=1M seek=1 count=1"); code == 0 {
		t.Errorf("a file of holes counts with its size, and did not: %q", said)
	}
	if said, code = sh(t, m, "echo x > /frozen/f"); code == 0 || !strings.Contains(said, "Read-only file system") {
		t.Errorf("a read-only mount took a write: %q", said)
	}
}

func TestAVolumeIsEmptyAfterItsRemovedFilesAreClosed(t *testing.T) {
	m, _ := box(t)
	fill := `{ rm -f /data/f; dd if=/dev/zero bs=40k count=1 2>/dev/null; } > /data/f; `
	if said, code := sh(t, m, fill+fill+fill+`df /data | tail -n 1; ls /data`); code != 0 || !strings.Contains(said, " 0% ") {
		t.Errorf("ended with %d: %q", code, said)
	}
}

func TestRunningScriptsEndWithTheirContainer(t *testing.T) {
	for _, script := range []string{
		"while :; do :; done", "sleep 100000", "cat /dev/zero > /dev/null", "read x", "sleep 1000 & wait",
		"seq 1000000000 | wc -l", "yes() { while :; do echo y; done; }; yes | cat > /dev/null",
	} {
		t.Run(script, func(t *testing.T) {
			m, top := box(t)
			if err := os.WriteFile(filepath.Join(top, "rootfs/etc/f"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			in, feed, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer feed.Close()
			defer in.Close()
			ended, begun := make(chan int, 1), make(chan struct{})
			var out screen
			go func() {
				close(begun)
				ended <- m.Run(ctx, []string{"sh", "-c", script}, streams{in, &out, &out})
			}()
			<-begun
			cancel()
			select {
			case code := <-ended:
				if code == 0 {
					t.Errorf("it ended with 0 and %q", out.String())
				}
			case <-time.After(deadline):
				t.Fatal("it goes on")
			}
		})
	}
}

func TestOneScriptDoesNotTakeTheNodeDown(t *testing.T) {
	for _, each := range []struct {
		what, script string
		mayEnd       bool // a bound within the script, after which it goes on
	}{
		{"recursion", "f() { f; }; f", false},
		{"recursion through eval", `f() { eval f; }; f`, false},
		{"recursion through sh", `echo 'sh /tmp/s' > /tmp/s; sh /tmp/s`, false},
		{"recursion through source", `echo '. /tmp/s' > /tmp/s; . /tmp/s`, false},
		{"a variable that doubles", "x=0123456789abcdef; while :; do x=$x$x; done", false},
		{"a substitution without end", "x=$(cat /dev/zero)", false},
		{"many braces", "echo {1..100000000}", true},
		{"a variable that doubles before each call", "x=0123456789abcdef; while [ $x ]; do x=$x$x; done", false},
		{"a line that does not end", "cat < /dev/zero > /dev/null", false},
		{"a pipe that calls itself", "f() { f | f; }; f", false},
		{"a background that calls itself", "f() { f & f & wait; }; f", false},
		{"a negative shift in the background", "(shift -1) & wait", true},
		{"a negative shift in a pipe", "shift -1 | cat", true},
		{"an associative array", "declare -A m; m[x]=1; (echo ${m[-1]}) & wait", false},
		{"an associative array in disguise", "x=-A; declare $x m; m[x]=1; (echo ${m[-1]}) & wait", false},
		{"a deep trap", `x="( ( ( ( ( ( ( ( "; i=0; while [ $i -lt 18 ]; do x=$x$x; i=$((i+1)); done; trap "$x" EXIT`, false},
		{"a wide format", "printf '%100000000d' 1", false},
		{"many variables in a statement", "x=1; echo " + strings.Repeat("$x", 100), false},
		{"a deep script", strings.Repeat("(", 60000) + strings.Repeat(")", 60000), false},
		{"a long script", "echo " + strings.Repeat("x", 200<<10), false},
		{"a deep path", "cd /tmp; while mkdir d && cd d; do :; done; pwd | wc -c", true},
		{"a circle of links", "ln -s /tmp/b /tmp/a; ln -s /tmp/a /tmp/b; cat /tmp/a", false},
		{"coproc", "coproc { cat; }", false},
	} {
		t.Run(each.what, func(t *testing.T) {
			m, _ := box(t)
			ctx, cancel := context.WithTimeout(context.Background(), deadline)
			defer cancel()
			var out screen
			code := m.Run(ctx, []string{"sh", "-c", each.script}, streams{nil, &out, &out})
			if said := out.String(); ctx.Err() != nil || (code == 0 && !each.mayEnd) {
				t.Errorf("ended with %d, %.200q", code, said)
			}
		})
	}
}
