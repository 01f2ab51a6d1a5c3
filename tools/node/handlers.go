package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime/debug"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

func (m *machine) readFile(ctx context.Context, p string, limit int64) (string, error) {
	opened, err := m.mounts.Open(ctx, p, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer opened.Close()
	text, err := io.ReadAll(io.LimitReader(opened, limit))
	return string(text), err
}

func absolute(dir, p string) string {
	if path.IsAbs(p) {
		return p
	}
	return dir + "/" + p
}

// onExec runs what is neither a function nor a part of the shell: one of our own commands, or a script.
func (m *machine) onExec(ctx context.Context, args []string) (result error) {
	hc := interp.HandlerCtx(ctx)
	p := &process{
		machine: m, ctx: ctx, name: path.Base(args[0]), args: args[1:], dir: hc.Dir,
		in: strings.NewReader(""), out: &output{to: bounded(hc.Stdout)}, err: hc.Stderr,
		env: exported(hc.Env),
	}
	if hc.Stdin != nil {
		p.in = hc.Stdin
	}
	defer func() {
		if broken := recover(); broken != nil {
			fmt.Fprintf(hc.Stderr, "%s broke: %v\n", args[0], broken)
			logf("%v broke: %v\n%s", args, broken, debug.Stack())
			result = interp.ExitStatus(1)
		}
	}()
	code := m.execute(p, args[0])
	if err := ctx.Err(); err != nil {
		return err
	}
	if errors.Is(p.out.failed, errTooMuch) {
		m.tooMuch.Store(true)
		return errTooMuch
	}
	if code != 0 {
		return interp.ExitStatus(uint8(code))
	}
	return nil
}

func (m *machine) execute(p *process, called string) int {
	if strings.Contains(called, "/") {
		full := absolute(p.dir, called)
		if info, err := m.mounts.Stat(p.ctx, full, true); err == nil {
			switch {
			case info.IsDir() || info.Mode()&0o111 == 0:
				fmt.Fprintf(p.err, "sh: %s: Permission denied\n", called)
				return 126
			}
			p.args = append([]string{full}, p.args...)
			return runShell(p)
		}
		if dir := path.Dir(path.Clean(full)); !binaryFolders[dir] {
			fmt.Fprintf(p.err, "sh: %s: not found\n", called)
			return notFound
		}
	}
	run, found := commands[p.name]
	if !found {
		fmt.Fprintf(p.err, "sh: %s: not found; here are %s\n", called, strings.Join(commandNames(), ", "))
		return notFound
	}
	return run(p)
}

var binaryFolders = map[string]bool{
	"/bin": true, "/sbin": true, "/usr/bin": true, "/usr/sbin": true, "/usr/local/bin": true, "/usr/local/sbin": true,
}

// canPlay tells whether a container's command is one that is played here.
func canPlay(command string) bool {
	dir := path.Dir(command)
	return commands[path.Base(command)] != nil && (dir == "." || binaryFolders[dir]) || interp.IsBuiltin(command)
}

func commandNames() []string {
	names := make([]string, 0, len(commands))
	for name := range commands {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func exported(env expand.Environ) map[string]string {
	vars := map[string]string{}
	env.Each(func(name string, value expand.Variable) bool {
		delete(vars, name)
		if value.IsSet() && value.Exported && value.Kind == expand.String {
			vars[name] = value.Str
		}
		return true
	})
	return vars
}

// bounded caps what goes into a $(command), whose text the interpreter keeps in memory.
func bounded(out io.Writer) io.Writer {
	switch out.(type) {
	case *bytes.Buffer, *strings.Builder:
		return &boundedWriter{out, maxSubstitution}
	}
	if _, ours := out.(interface{ isOurs() }); ours {
		return out
	}
	if _, isFile := out.(*os.File); isFile {
		return out
	}
	return &boundedWriter{out, maxSubstitution}
}

type boundedWriter struct {
	to   io.Writer
	left int
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, errTooMuch
	}
	b.left -= len(p)
	return b.to.Write(p)
}

// openFile is a file that the shell opened for a redirection.
type openFile struct{ file }

func (openFile) isOurs() {}

func (m *machine) onOpen(ctx context.Context, p string, flag int, perm fs.FileMode) (opened io.ReadWriteCloser, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			opened, err = nil, pathError("open", p, fmt.Errorf("%v", broken))
		}
	}()
	hc := interp.HandlerCtx(ctx)
	if p == "" {
		return nil, pathError("open", p, fs.ErrNotExist)
	}
	switch p {
	case "/dev/stdout", "/dev/fd/1":
		return stream{hc.Stdout}, nil
	case "/dev/stderr", "/dev/fd/2":
		return stream{hc.Stderr}, nil
	}
	found, err := m.mounts.Open(ctx, absolute(hc.Dir, p), flag, perm)
	if err != nil {
		return nil, err
	}
	if plain, isPlain := found.(*folderFile); isPlain && flag == os.O_RDONLY {
		return plain.opened, nil // reads alone may go past the room
	}
	if _, isDevice := found.(device); isDevice {
		return openFile{&endlessFile{found, m, maxHeap / 8}}, nil
	}
	return openFile{found}, nil
}

// endlessFile is a device. The shell's own `read` would keep in memory all that comes before the end of a line.
type endlessFile struct {
	file
	machine *machine
	left    int
}

func (f *endlessFile) Read(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		f.machine.tooMuch.Store(true)
		return 0, errTooMuch
	}
	return f.file.Read(p)
}

// stream is a standard stream that was opened by its name: who closes it does not close the process's.
type stream struct{ io.Writer }

func (stream) Read([]byte) (int, error) { return 0, io.EOF }
func (stream) Close() error             { return nil }
func (stream) isOurs()                  {}

func (m *machine) onReadDir(ctx context.Context, p string) ([]fs.DirEntry, error) {
	infos, err := m.mounts.List(ctx, absolute(interp.HandlerCtx(ctx).Dir, p))
	entries := make([]fs.DirEntry, len(infos))
	for i, each := range infos {
		entries[i] = fs.FileInfoToDirEntry(each)
	}
	return entries, err
}

func (m *machine) onAccess(ctx context.Context, p string, mode interp.AccessMode) error {
	info, err := m.mounts.Stat(ctx, p, true)
	if err != nil {
		return err
	}
	there, err := m.mounts.resolve(ctx, p, true)
	if err != nil {
		return err
	}
	if mode&interp.AccessWrite != 0 && there.readOnly {
		return fs.ErrPermission
	}
	if mode&interp.AccessExec != 0 && info.Mode()&0o111 == 0 {
		return fs.ErrPermission
	}
	return nil
}
