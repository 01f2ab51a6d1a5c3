package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// echo and printf take the place of the interpreter's. Those write word by word, so that a kill leaves half a line, and
// succeed where nothing could be written.
func echo(p *process) int {
	args, end, escapes := p.args, "\n", false
	for ; len(args) > 0 && len(args[0]) > 1 && strings.Trim(args[0], "neE") == "-"; args = args[1:] {
		if strings.Contains(args[0], "n") {
			end = ""
		}
		escapes = strings.LastIndex(args[0], "e") > strings.LastIndex(args[0], "E")
	}
	text := strings.Join(args, " ")
	if escapes {
		text, _, _ = expand.Format(&expand.Config{}, text, nil)
	}
	return p.write(text + end)
}

func printf(p *process) int {
	if len(p.args) == 0 {
		return p.fail("a format is needed")
	}
	var text strings.Builder
	for args, used := p.args[1:], 1; used > 0; args = args[used:] {
		some, n, err := expand.Format(&expand.Config{}, p.args[0], args)
		if err != nil {
			return p.fail("%v", err)
		}
		if text.WriteString(some); text.Len() > maxSubstitution {
			return p.fail("the text is too long")
		}
		if used = n; n == len(args) {
			break
		}
	}
	return p.write(text.String())
}

// write puts text out at once.
func (p *process) write(text string) int {
	if _, err := io.WriteString(p.out, text); err != nil {
		return p.failed("write error", err)
	}
	return 0
}

func env(p *process) int {
	vars := map[string]string{}
	for name, value := range p.env {
		vars[name] = value
	}
	args := p.args
	for ; len(args) > 0 && strings.Contains(args[0], "="); args = args[1:] {
		name, value, _ := strings.Cut(args[0], "=")
		vars[name] = value
	}
	if len(args) == 0 {
		lines := []string{}
		for name, value := range vars {
			lines = append(lines, name+"="+value+"\n")
		}
		sort.Strings(lines)
		return p.print("%s", strings.Join(lines, ""))
	}
	return p.start(args, vars)
}

func ignored(*process) int { return 0 }

func hostname(p *process) int { return p.print("%s\n", p.machine.hostname) }

func id(p *process) int {
	if len(p.args) > 0 && strings.Trim(p.args[0], "-ugn") == "" {
		return p.print("%s\n", map[bool]string{true: "root", false: "0"}[strings.Contains(p.args[0], "n")])
	}
	return p.print("uid=0(root) gid=0(root) groups=0(root)\n")
}

var signals = map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15}

// kill ends the container, whose only process that can be named is 1.
func kill(p *process) int {
	signal := 15
	args := p.args
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		word := strings.TrimPrefix(args[0], "-")
		args = args[1:]
		if word == "s" && len(args) > 0 {
			word, args = args[0], args[1:]
		}
		number, err := strconv.Atoi(word)
		if named, found := signals[strings.TrimPrefix(word, "SIG")]; found {
			number, err = named, nil
		}
		if err != nil || number < 0 || number > 64 {
			return p.fail("%s is not a signal", word)
		}
		signal = number
	}
	if len(args) != 1 || args[0] != "1" {
		return p.fail("only process 1, the container's own, can be named here")
	}
	if signal != 0 {
		p.machine.killed(signal)
	}
	return 0
}

func which(p *process) int {
	code := 0
	for _, name := range p.args {
		switch base := path.Base(name); {
		case interp.IsBuiltin(name):
			p.print("%s\n", name)
		case commands[base] != nil && canPlay(name):
			p.print("/bin/%s\n", base)
		default:
			code = 1
			if p.name == "type" {
				fmt.Fprintf(p.err, "%s: not found\n", name)
			}
		}
	}
	return code
}

// test is the shell's own, for who calls it by its path.
func test(p *process) int {
	return p.machine.Run(p.ctx, append([]string{p.name}, p.args...), streams{nil, ours(p.out), ours(p.err)})
}

func mountTable(p *process) int {
	if len(p.args) > 0 {
		return p.fail("a container mounts nothing by itself: its Pod says what is mounted")
	}
	for i := len(p.machine.mounts) - 1; i >= 0; i-- {
		each := p.machine.mounts[i]
		p.print("%s on %s type %s (%s)\n", each.source, each.at, each.kind, map[bool]string{true: "ro", false: "rw"}[each.readOnly])
	}
	return 0
}

func df(p *process) int {
	options, names, ok := p.flags("hkmTP")
	if !ok {
		return 1
	}
	list := append(mounts{}, p.machine.mounts...)
	if len(names) > 0 {
		list = nil
		for _, name := range names {
			there, err := p.machine.mounts.resolve(p.ctx, p.path(name), true)
			if err != nil {
				return p.failed(name, err)
			}
			list = append(mounts{there.mount}, list...)
		}
	}
	unit := "1K-blocks"
	if options['h'] != "" {
		unit = "Size"
	}
	p.print("%-24s %10s %10s %10s %4s %s\n", "Filesystem", unit, "Used", "Available", "Use%", "Mounted on")
	code := 0
	for i := len(list) - 1; i >= 0; i-- {
		size, used, err := list[i].fs.Space(p.ctx)
		if err != nil {
			code = p.failed(list[i].at, err)
			continue
		}
		free, share := max(0, size-used), int64(0)
		if size > 0 {
			share = (used*100 + size - 1) / size
		}
		p.print("%-24s %10s %10s %10s %3d%% %s\n", list[i].source, sized(size, options), sized(used, options), sized(free, options), share, list[i].at)
	}
	return code
}

// sized is a number of bytes in KiB, in MiB with -m, in whichever fits with -h.
func sized(bytes int64, options map[byte]string) string {
	switch {
	case options['m'] != "":
		return strconv.FormatInt((bytes+1<<20-1)>>20, 10)
	case options['h'] == "":
		return strconv.FormatInt((bytes+1<<10-1)>>10, 10)
	}
	value := float64(bytes)
	for _, unit := range []string{"", "K", "M", "G"} {
		if value < 1024 {
			return strconv.FormatFloat(value, 'f', map[bool]int{true: 0, false: 1}[unit == ""], 64) + unit
		}
		value /= 1024
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + "T"
}

// syncAll stores the named files on the disk. Without a name there is nothing to do: what a container wrote is with
// this machine's system already, and stays when any program here is killed.
func syncAll(p *process) int {
	for _, name := range p.args {
		opened, err := p.machine.mounts.Open(p.ctx, p.path(name), os.O_RDONLY, 0)
		if err == nil {
			err = errors.Join(opened.Sync(), opened.Close())
		}
		if err != nil {
			return p.failed(name, err)
		}
	}
	return 0
}
