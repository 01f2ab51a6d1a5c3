package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"

	"golang.org/x/term"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"mvdan.cc/sh/v3/syntax"
)

const (
	controlC = 3
	controlD = 4
)

// terminal is the keyboard and screen of `kubectl exec -it`. There is no PTY: lines are edited here, and a command that
// runs gets the keys, or its end at Ctrl-C.
type terminal struct {
	line *term.Terminal
	mu   sync.Mutex
	keys chan byte      // to the line editor
	to   *io.PipeWriter // to the command that runs, if one does
	stop context.CancelFunc
	gone chan struct{}
}

func newTerminal(in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) *terminal {
	t := &terminal{keys: make(chan byte, 1024), gone: make(chan struct{})}
	t.line = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keyboard{t}, out}, "")
	go t.read(in)
	go func() {
		for size := range resize {
			if size.Width > 0 { // a terminal that does not know its size says 0
				_ = t.line.SetSize(int(size.Width), int(size.Height))
			}
		}
	}()
	return t
}

// keyboard is what the line editor reads.
type keyboard struct{ *terminal }

func (k keyboard) Read(p []byte) (int, error) {
	select {
	case key := <-k.keys:
		p[0] = key
		return 1, nil
	case <-k.gone:
		return 0, io.EOF
	}
}

// read gives each key to whoever it is for. At Ctrl-C the line editor sees "empty the line" and "line's end".
func (t *terminal) read(in io.Reader) {
	defer close(t.gone)
	buffer := make([]byte, 256)
	for {
		n, err := in.Read(buffer)
		for _, key := range buffer[:n] {
			t.mu.Lock()
			to, stop := t.to, t.stop
			t.mu.Unlock()
			switch {
			case to == nil && key == controlC:
				t.keys <- 21
				t.keys <- '\r'
			case to == nil:
				t.keys <- key
			case key == controlC:
				_, _ = t.line.Write([]byte("^C\n"))
				stop()
			case key == controlD:
				_ = to.Close()
			default:
				if key == '\r' {
					key = '\n'
				}
				_, _ = t.line.Write([]byte{key})
				_, _ = to.Write([]byte{key})
			}
		}
		if err != nil {
			t.mu.Lock()
			if t.stop != nil {
				t.stop()
			}
			t.mu.Unlock()
			return
		}
	}
}

func (t *terminal) Write(p []byte) (int, error) { return t.line.Write(p) }
func (t *terminal) isOurs()                     {}

// foreground runs a command that has the keyboard until it ends.
func (t *terminal) foreground(ctx context.Context, run func(context.Context, io.Reader)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, writer := io.Pipe()
	t.mu.Lock()
	t.to, t.stop = writer, cancel
	t.mu.Unlock()
	run(ctx, reader)
	_ = reader.Close()
	t.mu.Lock()
	t.to, t.stop = nil, nil
	t.mu.Unlock()
}

// Interact runs a command on a terminal and returns its exit code: a shell line by line, any other as it is.
func (m *machine) Interact(ctx context.Context, argv []string, t *terminal) (code int) {
	interactive := map[string]bool{"sh": true, "bash": true, "ash": true}[path.Base(argv[0])]
	for _, arg := range argv[1:] {
		interactive = interactive && (arg == "-i" || arg == "-l")
	}
	if !interactive {
		t.foreground(ctx, func(ctx context.Context, in io.Reader) {
			code = m.withInput(ctx, in, func(in io.Reader) int { return m.Run(ctx, argv, streams{in, t, t}) })
		})
		return code
	}
	in, feed, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(t, err)
		return 1
	}
	defer in.Close()
	defer feed.Close()
	runner, err := m.newRunner(m.env, m.dir, nil, streams{in, t, t})
	if err != nil {
		fmt.Fprintln(t, err)
		return 1
	}
	pending := ""
	for {
		t.line.SetPrompt(m.prompt(runner.Dir, pending))
		text, err := t.line.ReadLine()
		if err != nil || ctx.Err() != nil {
			fmt.Fprintln(t)
			return code
		}
		if text == "" {
			pending = ""
			continue
		}
		script, err := parse(pending+text+"\n", "sh")
		if syntax.IsIncomplete(err) {
			pending += text + "\n"
			continue
		}
		pending = ""
		if err != nil {
			fmt.Fprintf(t, "%v\n", err)
			continue
		}
		exited := false
		t.foreground(ctx, func(ctx context.Context, keys io.Reader) {
			go func() { _, _ = io.Copy(feed, keys) }()
			for _, statement := range script.Stmts {
				code = m.exitCode(runner.Run(&watched{Context: ctx, machine: m}, statement), t)
				if exited = runner.Exited() && ctx.Err() == nil; exited || ctx.Err() != nil {
					return
				}
			}
		})
		if exited {
			return code
		}
	}
}

func (m *machine) prompt(dir, pending string) string {
	if pending != "" {
		return "> "
	}
	return strings.TrimSuffix(dir, "/.") + " # "
}

// withInput runs something whose standard input is a pipe, as the interpreter wants it, fed from `in`.
func (m *machine) withInput(ctx context.Context, in io.Reader, run func(io.Reader) int) int {
	if in == nil {
		return run(nil)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		logf("no pipe for a standard input: %v", err)
		return 1
	}
	go func() {
		_, _ = io.Copy(writer, in)
		_ = writer.Close()
	}()
	defer reader.Close()
	return run(reader)
}
