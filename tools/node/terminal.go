package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

const (
	controlC = 3
	controlD = 4
	controlU = 21

	backspace, del = 8, 127

	maxTyped = 4096 // a longer line is cut, as a terminal's driver cuts it
)

// terminal is the keyboard and screen of `kubectl exec -it`. There is no PTY: lines are edited here, and a command that
// runs gets the keys, or its end at Ctrl-C.
type terminal struct {
	line *term.Terminal
	keys chan byte // typed, and read by nobody yet
	gone chan struct{}
	mu   sync.Mutex
	stop context.CancelFunc // ends the command that runs, if one does
}

func newTerminal(in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) *terminal {
	t := &terminal{keys: make(chan byte, 4096), gone: make(chan struct{})}
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

// keyboard is what the line editor reads, key by key: what it does not need is for the next command.
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

// read takes the keys. Ctrl-C ends the command that runs; to the line editor it is "empty the line" and "line's end".
func (t *terminal) read(in io.Reader) {
	defer close(t.gone)
	buffer := make([]byte, 256)
	for {
		n, err := in.Read(buffer)
		for _, key := range buffer[:n] {
			if key != controlC {
				t.typed(key)
			} else if !t.interrupt() {
				t.typed(controlU)
				t.typed('\r')
			}
		}
		if err != nil {
			t.interrupt()
			return
		}
	}
}

// typed keeps a key for whoever reads next; the keys of somebody who types ahead without end are dropped.
func (t *terminal) typed(key byte) {
	select {
	case t.keys <- key:
	default:
	}
}

func (t *terminal) interrupt() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop == nil {
		return false
	}
	_, _ = t.line.Write([]byte("^C\n"))
	t.stop()
	return true
}

func (t *terminal) Write(p []byte) (int, error) { return t.line.Write(p) }
func (t *terminal) isOurs()                     {}

// foreground runs a command that has the keyboard until it ends.
func (t *terminal) foreground(ctx context.Context, m *machine, run func(context.Context, io.Reader) int) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.mu.Lock()
	t.stop = cancel
	t.mu.Unlock()
	reader, writer := io.Pipe()
	ended := make(chan struct{})
	go t.feed(writer, ended)
	code := m.withInput(reader, func(in io.Reader) int { return run(ctx, in) })
	close(ended)
	_ = reader.Close()
	t.mu.Lock()
	t.stop = nil
	t.mu.Unlock()
	return code
}

// feed shows the keys and gives them to a command line by line, as a terminal's driver does.
func (t *terminal) feed(to *io.PipeWriter, ended <-chan struct{}) {
	defer to.Close()
	var line []byte
	for {
		select {
		case key := <-t.keys:
			switch key {
			case controlD: // gives what was typed at once; with nothing typed it is the end
				if len(line) == 0 {
					return
				}
				_, _ = to.Write(line)
				line = nil
			case backspace, del:
				if len(line) > 0 {
					_, size := utf8.DecodeLastRune(line)
					line = line[:len(line)-size]
					_, _ = t.line.Write([]byte("\b \b"))
				}
			case '\r', '\n':
				_, _ = t.line.Write([]byte{'\n'})
				_, _ = to.Write(append(line, '\n'))
				line = nil
			default:
				if len(line) < maxTyped {
					_, _ = t.line.Write([]byte{key})
					line = append(line, key)
				}
			}
		case <-t.gone:
			return
		case <-ended:
			return
		}
	}
}

// Interact runs a command on a terminal and returns its exit code: a shell line by line, any other as it is.
func (m *machine) Interact(ctx context.Context, argv []string, t *terminal) (code int) {
	interactive := map[string]bool{"sh": true, "bash": true, "ash": true}[path.Base(argv[0])]
	for _, arg := range argv[1:] {
		interactive = interactive && (arg == "-i" || arg == "-l")
	}
	if !interactive {
		return t.foreground(ctx, m, func(ctx context.Context, in io.Reader) int { return m.Run(ctx, argv, streams{in, t, t}) })
	}
	runner, err := m.newRunner(m.env, m.dir, nil, streams{nil, t, t})
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
		code = t.foreground(ctx, m, func(ctx context.Context, in io.Reader) (code int) {
			if err := interp.StdIO(in, t, t)(runner); err != nil {
				return m.exitCode(err, t)
			}
			for _, statement := range script.Stmts {
				code = m.exitCode(runner.Run(&watched{Context: ctx, machine: m}, statement), t)
				if exited = runner.Exited() && ctx.Err() == nil; exited || ctx.Err() != nil {
					break
				}
			}
			return code
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
func (m *machine) withInput(in io.Reader, run func(io.Reader) int) int {
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
