package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
)

func echo(p *process) int {
	args := p.args
	end := "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, end = args[1:], ""
	}
	return p.print("%s%s", strings.Join(args, " "), end)
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

func printenv(p *process) int {
	if len(p.args) == 0 {
		return env(p)
	}
	value, found := p.env[p.args[0]]
	if !found {
		return 1
	}
	return p.print("%s\n", value)
}

func ignored(*process) int { return 0 }

func hostname(p *process) int { return p.print("%s\n", p.machine.hostname) }

func id(p *process) int {
	if len(p.args) > 0 && strings.Trim(p.args[0], "-ugn") == "" {
		return p.print("%s\n", map[bool]string{true: "root", false: "0"}[strings.Contains(p.args[0], "n")])
	}
	return p.print("uid=0(root) gid=0(root) groups=0(root)\n")
}

func uname(p *process) int {
	if len(p.args) > 0 && p.args[0] == "-a" {
		return p.print("Linux %s lab\n", p.machine.hostname)
	}
	if len(p.args) > 0 && p.args[0] == "-n" {
		return hostname(p)
	}
	return p.print("Linux\n")
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

func sleep(p *process) int {
	total := time.Duration(0)
	for _, arg := range p.args {
		unit := time.Second
		if n := len(arg); n > 0 {
			if found, is := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[arg[n-1]]; is {
				unit, arg = found, arg[:n-1]
			}
		}
		number, err := strconv.ParseFloat(arg, 64)
		if arg == "infinity" || arg == "inf" {
			number, err = 1e12, nil
		}
		if err != nil || number < 0 {
			return p.fail("%q is not a time", arg)
		}
		total += time.Duration(min(number*float64(unit), 1e18/4))
	}
	if len(p.args) == 0 {
		return p.fail("how long?")
	}
	timer := time.NewTimer(total)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 0
	case <-p.ctx.Done():
		return 143
	}
}

func timeout(p *process) int {
	args := p.args
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		args = args[1:]
	}
	if len(args) < 2 {
		return p.fail("a time and a command are needed")
	}
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(args[0], "s"), 64)
	if err != nil {
		return p.fail("%q is not a time", args[0])
	}
	limited, cancel := context.WithTimeout(p.ctx, time.Duration(seconds*float64(time.Second)))
	defer cancel()
	other := *p
	other.ctx = limited
	code := other.start(args[1:], p.env)
	if limited.Err() != nil && p.ctx.Err() == nil {
		return 124
	}
	return code
}

func date(p *process) int {
	now, layout := time.Now(), "+%a %b %e %H:%M:%S %Z %Y"
	for i := 0; i < len(p.args); i++ {
		switch arg := p.args[i]; {
		case arg == "-u":
			now = now.UTC()
		case arg == "-Iseconds" || arg == "-Is":
			layout = "+%FT%T%z"
		case arg == "-d" && i+1 < len(p.args):
			i++
			seconds, err := strconv.ParseInt(strings.TrimPrefix(p.args[i], "@"), 10, 64)
			if err != nil {
				return p.fail("%q is not a time; @SECONDS is", p.args[i])
			}
			now = time.Unix(seconds, 0)
		case strings.HasPrefix(arg, "+"):
			layout = arg
		default:
			return p.fail("%q is not played here", arg)
		}
	}
	return p.print("%s\n", formatted(now, layout[1:]))
}

func formatted(now time.Time, layout string) string {
	layouts := map[byte]string{
		'Y': "2006", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'Z': "MST",
		'z': "-0700", 'F': "2006-01-02", 'T': "15:04:05", 'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January",
		'y': "06", 'j': "002", 'D': "01/02/06", 'R': "15:04", 'c': "Mon Jan _2 15:04:05 2006",
	}
	var text strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			text.WriteByte(layout[i])
			continue
		}
		i++
		switch layout[i] {
		case 's':
			fmt.Fprint(&text, now.Unix())
		case 'N':
			fmt.Fprintf(&text, "%09d", now.Nanosecond())
		case 'n':
			text.WriteByte('\n')
		case '%':
			text.WriteByte('%')
		default:
			if known, found := layouts[layout[i]]; found {
				text.WriteString(now.Format(known))
			} else {
				text.WriteString("%" + layout[i:i+1])
			}
		}
	}
	return text.String()
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

func seq(p *process) int {
	numbers := []int{}
	for _, arg := range p.args {
		number, err := strconv.Atoi(arg)
		if err != nil {
			return p.fail("%q is not a whole number", arg)
		}
		numbers = append(numbers, number)
	}
	first, step, last := 1, 1, 0
	switch len(numbers) {
	case 1:
		last = numbers[0]
	case 2:
		first, last = numbers[0], numbers[1]
	case 3:
		first, step, last = numbers[0], numbers[1], numbers[2]
	default:
		return p.fail("from where to where?")
	}
	if step == 0 {
		return p.fail("a step of 0 never ends")
	}
	out := bufio.NewWriter(p.out)
	for i := first; (step > 0 && i <= last) || (step < 0 && i >= last); i += step {
		if fmt.Fprintln(out, i); p.ctx.Err() != nil || p.out.failed != nil {
			return 1
		}
	}
	if out.Flush() != nil {
		return 1
	}
	return 0
}

func basename(p *process) int {
	if len(p.args) == 0 {
		return p.fail("of what?")
	}
	name := path.Base(p.args[0])
	if len(p.args) > 1 && name != p.args[1] {
		name = strings.TrimSuffix(name, p.args[1])
	}
	return p.print("%s\n", name)
}

func dirname(p *process) int {
	if len(p.args) == 0 {
		return p.fail("of what?")
	}
	return p.print("%s\n", path.Dir(strings.TrimRight(p.args[0], "/")))
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
