package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

const (
	// A longer string is refused as an argument by Linux too. It bounds how deep the parser recurses.
	maxScript = 128 << 10
	// A script that calls itself ends here, long before Go ends the whole program for its stack.
	maxFrames = 4000
	// What a $(command) may put out, and what all scripts together may hold in memory, in bytes.
	maxSubstitution = 4 << 20
	maxHeap         = 512 << 20
	// Expansions in one statement: together with maxHeap they bound what a statement can build at once.
	maxExpansions = 64
	// What the variables of a shell may hold when it calls a command, as those of a loop do.
	maxVariables = 8 << 20
	// A pipe and a command in the background have a goroutine each. What starts more of them than this is not a lesson,
	// and would take the descriptors of all containers.
	maxGoroutines = 8000
	// The interpreter makes FIFOs in TMPDIR, and opens what looks like one past all handlers. Nothing can be there.
	noTemporary = "/dev/null/none"

	notFound    = 127
	outOfMemory = 137
)

var errTooMuch = errors.New("the script wants more memory than a container has here")

// machine is what the processes of a container share.
type machine struct {
	mounts   mounts
	hostname string
	env      map[string]string
	dir      string
	killed   func(signal int) // ends the container
	tooMuch  atomic.Bool
}

// streams are the three that a process starts with.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// environment is what a shell starts with: the container's variables, and answers to the interpreter's questions about
// this machine.
type environment struct {
	vars    map[string]string
	running bool
}

func (e *environment) Get(name string) expand.Variable {
	value, found := e.vars[name]
	switch {
	case name == "TMPDIR" && !e.running:
		value, found = noTemporary, true
	case found:
	case answers[name] != "":
		return expand.Variable{Set: true, Kind: expand.String, Str: answers[name]}
	}
	return expand.Variable{Set: found, Exported: found, Kind: expand.String, Str: value}
}

// Each is how the variables get into a shell of their own, that of a pipe or of the background.
func (e *environment) Each(visit func(string, expand.Variable) bool) {
	for _, names := range []map[string]string{answers, e.vars} {
		for name := range names {
			if !visit(name, e.Get(name)) {
				return
			}
		}
	}
}

// Run runs a command with its arguments and returns its exit code.
func (m *machine) Run(ctx context.Context, argv []string, io streams) int {
	script, err := syntax.NewParser().Parse(strings.NewReader(`"$@"`), "")
	if err != nil {
		panic(err)
	}
	return m.interpret(ctx, script, m.env, m.dir, argv, io)
}

// interpret runs a parsed script to its end.
func (m *machine) interpret(ctx context.Context, script *syntax.File, env map[string]string, dir string, params []string, io streams) (code int) {
	defer func() {
		if broken := recover(); broken != nil {
			fmt.Fprintf(io.err, "sh: the shell broke: %v\n", broken)
			logf("a shell broke: %v\n%s", broken, debug.Stack())
			code = 2
		}
	}()
	runner, err := m.newRunner(env, dir, params, io)
	if err != nil {
		fmt.Fprintf(io.err, "sh: %v\n", err)
		return 2
	}
	return m.exitCode(runner.Run(&watched{Context: ctx, machine: m}, script), io.err)
}

func (m *machine) exitCode(err error, stderr io.Writer) int {
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errTooMuch) || m.tooMuch.Load():
		fmt.Fprintf(stderr, "sh: %v\n", errTooMuch)
		return outOfMemory
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return 143
	}
	fmt.Fprintf(stderr, "sh: %v\n", err)
	return 1
}

func (m *machine) newRunner(env map[string]string, dir string, params []string, io streams) (*interp.Runner, error) {
	vars := &environment{vars: env}
	runner, err := interp.New(
		interp.Env(vars),
		func(r *interp.Runner) error { r.Dir = dir; r.Params = params; return nil },
		interp.StdIO(io.in, io.out, io.err),
		interp.CallHandler(m.onCall),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return m.onExec }),
		interp.OpenHandler(m.onOpen),
		interp.ReadDirHandler2(m.onReadDir),
		interp.StatHandler(func(ctx context.Context, name string, follow bool) (fs.FileInfo, error) {
			return m.mounts.Stat(ctx, name, follow)
		}),
		interp.AccessHandler(m.onAccess),
	)
	if err != nil {
		return nil, err
	}
	runner.Reset()
	vars.running = true
	return runner, nil
}

// watched is the context of a script. The interpreter asks it before each statement whether to go on.
type watched struct {
	context.Context
	machine *machine
	rested  atomic.Int64
}

func (w *watched) Err() error {
	if err := w.Context.Err(); err != nil {
		return err
	}
	if heapInUse() > maxHeap {
		runtime.GC()
		if heapInUse() > maxHeap {
			w.machine.tooMuch.Store(true)
		}
	}
	if w.machine.tooMuch.Load() {
		return errTooMuch
	}
	// A script that only computes gets half of a processor: it rests for 10 ms after each 10 ms.
	now, last := time.Now().UnixMilli(), w.rested.Load()
	if last != 0 && now-last >= 10 && now-last < 25 && w.rested.CompareAndSwap(last, now+10) {
		time.Sleep(10 * time.Millisecond)
	} else if now-last >= 25 {
		w.rested.Store(now)
	}
	return nil
}

func heapInUse() uint64 {
	sample := [1]metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample[:])
	return sample[0].Value.Uint64()
}
