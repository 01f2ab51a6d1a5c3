package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
)

// process is one run of a command of ours.
type process struct {
	machine *machine
	ctx     context.Context
	name    string
	args    []string
	dir     string
	env     map[string]string
	in      io.Reader
	out     *output
	err     io.Writer
}

// output remembers that a write failed, so that a command can end for it.
type output struct {
	to     io.Writer
	failed error
}

func (o *output) Write(p []byte) (int, error) {
	if o.failed != nil {
		return 0, o.failed
	}
	n, err := o.to.Write(p)
	o.failed = err
	return n, err
}

// commands is all that a container has: nothing of this machine is ever run. Filled by init, because `sh` needs it.
var commands map[string]func(*process) int

func init() {
	commands = map[string]func(*process) int{
		"ash": runShell, "bash": runShell, "cat": cat, "chmod": chmod, "chown": ignored, "cp": cp,
		"date": date, "dd": dd, "df": df, "echo": echo, "env": env, "false": func(*process) int { return 1 },
		"grep": grep, "head": head, "hostname": hostname, "id": id, "kill": kill, "ln": ln, "ls": ls, "mkdir": mkdir,
		"mount": mountTable, "mv": mv,
		"printf": printf, "pwd": pwd, "readlink": readlink, "rm": rm, "rmdir": rmdir, "seq": seq, "sh": runShell,
		"sha256sum": checksum, "sleep": sleep, "sync": syncAll, "tail": tail, "tee": tee,
		"test": test, "[": test, "touch": touch, "true": ignored,
		"type": which, "wc": wc, "which": which, "whoami": func(p *process) int { return p.print("root\n") },
	}
}

func (p *process) print(format string, values ...any) int {
	if _, err := fmt.Fprintf(p.out, format, values...); err != nil {
		return 1
	}
	return 0
}

// fail prints why a command failed and returns its exit code.
func (p *process) fail(format string, values ...any) int {
	fmt.Fprintf(p.err, "%s: %s\n", p.name, fmt.Sprintf(format, values...))
	return 1
}

// failed prints that something could not be done with a file.
func (p *process) failed(what string, err error) int {
	if p.ctx.Err() != nil {
		return 143
	}
	return p.fail("%s: %s", what, plain(err))
}

func (p *process) path(name string) string { return absolute(p.dir, name) }

// flags splits options from operands. `known` names the letters, with a colon behind those that take a value.
func (p *process) flags(known string) (options map[byte]string, operands []string, ok bool) {
	options = map[byte]string{}
	for i := 0; i < len(p.args); i++ {
		arg := p.args[i]
		if arg == "--" {
			return options, append(operands, p.args[i+1:]...), true
		}
		if len(arg) < 2 || arg[0] != '-' {
			operands = append(operands, arg)
			continue
		}
		for j := 1; j < len(arg); j++ {
			at := strings.IndexByte(known, arg[j])
			switch {
			case arg[j] == ':' || at < 0:
				p.fail("the option -%s is not played here", arg[1:])
				return nil, nil, false
			case at+1 < len(known) && known[at+1] == ':':
				value := arg[j+1:]
				if value == "" {
					if i++; i >= len(p.args) {
						p.fail("the option -%c needs a value", arg[j])
						return nil, nil, false
					}
					value = p.args[i]
				}
				options[arg[j]] = value
				j = len(arg)
			default:
				options[arg[j]] = "yes"
			}
		}
	}
	return options, operands, true
}

// inputs calls `each` with every file that is named, or with the standard input if none is.
func (p *process) inputs(names []string, each func(name string, in io.Reader) error) int {
	code := 0
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		in, done := p.in, func() {}
		if name != "-" && name != "/dev/stdin" {
			opened, err := p.machine.mounts.Open(p.ctx, p.path(name), os.O_RDONLY, 0)
			if err == nil {
				if info, failed := opened.Stat(); failed == nil && info.IsDir() {
					_ = opened.Close()
					err = errors.New("Is a directory")
				}
			}
			if err != nil {
				code = p.failed(name, err)
				continue
			}
			in, done = opened, func() { _ = opened.Close() }
		}
		err := each(name, cancellable{p.ctx, in})
		done()
		if err != nil {
			if p.out.failed != nil {
				return 1
			}
			code = p.failed(name, err)
		}
	}
	return code
}

// cancellable ends a read of many pieces when the container ends.
type cancellable struct {
	ctx context.Context
	in  io.Reader
}

// A read of the standard input blocks on a pipe, which has a deadline for that.
func (c cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	if piped, is := c.in.(*os.File); is {
		stop := context.AfterFunc(c.ctx, func() { _ = piped.SetReadDeadline(time.Now()) })
		defer stop()
	}
	return c.in.Read(p)
}

// runShell is sh: a script in its arguments, in a file, or on the standard input.
func runShell(p *process) int {
	args, text, name, fromArgument, fromInput := p.args, "", "sh", false, false
	options := []string{}
	for len(args) > 0 && len(args[0]) > 1 && (args[0][0] == '-' || args[0][0] == '+') {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		if strings.HasPrefix(arg, "-") && strings.Contains(arg, "c") {
			fromArgument = true
		}
		if strings.HasPrefix(arg, "-") && strings.Contains(arg, "s") {
			fromInput = true
		}
		if rest := strings.Trim(arg, "-+cils"); rest != "" {
			options = append(options, arg[:1]+rest)
		}
		if strings.HasSuffix(arg, "o") && len(args) > 0 {
			options = append(options, args[0])
			args = args[1:]
		}
	}
	var err error
	switch {
	case fromArgument && len(args) == 0:
		return p.fail("-c needs a script")
	case fromArgument:
		text, args = args[0], args[1:]
		if len(args) > 0 {
			name, args = args[0], args[1:]
		}
	case len(args) > 0 && !fromInput:
		name = args[0]
		if text, err = p.machine.readFile(p.ctx, p.path(name), maxScript+1); err != nil {
			p.failed(name, err)
			return notFound
		}
		args = args[1:]
	default:
		read, err := io.ReadAll(io.LimitReader(cancellable{p.ctx, p.in}, maxScript+1))
		if err != nil {
			return p.failed("standard input", err)
		}
		text, p.in = string(read), strings.NewReader("")
	}
	script, err := parse(text, name)
	if err != nil {
		fmt.Fprintf(p.err, "%s: %v\n", name, err)
		return 2
	}
	params := append(append(options, "--"), args...)
	in := p.in
	if reader, empty := in.(*strings.Reader); empty && reader.Len() == 0 {
		in = nil
	}
	runner, err := p.machine.newRunner(p.env, p.dir, nil, streams{in, ours(p.out), ours(p.err)})
	if err == nil {
		err = interp.Params(params...)(runner)
	}
	if err != nil {
		return p.fail("%v", err)
	}
	return p.machine.exitCode(runner.Run(p.ctx, script), p.err)
}

// ours marks a writer as one that is bounded already, or needs no bound.
func ours(to io.Writer) io.Writer { return stream{to} }

// start runs another command in the place of this one.
func (p *process) start(args []string, vars map[string]string) int {
	other := *p
	other.name, other.args, other.env = path.Base(args[0]), args[1:], vars
	return p.machine.execute(&other, args[0])
}
