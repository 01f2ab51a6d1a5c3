package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

func chmod(p *process) int {
	args := p.args
	recursive := len(args) > 0 && args[0] == "-R"
	if recursive {
		args = args[1:]
	}
	if len(args) < 2 {
		return p.fail("a mode and a file are needed")
	}
	for _, name := range args[1:] {
		if err := p.chmod(args[0], p.path(name), recursive); err != nil {
			return p.failed(name, err)
		}
	}
	return 0
}

func (p *process) chmod(word, full string, recursive bool) error {
	info, err := p.machine.mounts.Stat(p.ctx, full, true)
	if err != nil {
		return err
	}
	mode, err := modeOf(word, info.Mode().Perm())
	if err != nil {
		return err
	}
	if err := p.machine.mounts.Change(p.ctx, full, changes{mode: &mode}); err != nil || !recursive || !info.IsDir() {
		return err
	}
	infos, err := p.machine.mounts.List(p.ctx, full)
	for _, each := range infos {
		if err == nil && each.Mode()&fs.ModeSymlink == 0 {
			err = p.chmod(word, full+"/"+each.Name(), true)
		}
	}
	return err
}

// modeOf reads 0755 and u+x. The owner's own access stays, because the folder could not be removed without it.
func modeOf(word string, was fs.FileMode) (fs.FileMode, error) {
	if number, err := strconv.ParseUint(word, 8, 12); err == nil {
		return fs.FileMode(number)&0o777 | 0o600, nil
	}
	at := strings.IndexAny(word, "+-=")
	if at < 0 {
		return 0, fmt.Errorf("%q is not a mode", word)
	}
	who, bits := uint32(0), uint32(0)
	for _, letter := range word[:at] {
		who |= map[rune]uint32{'u': 0o700, 'g': 0o070, 'o': 0o007, 'a': 0o777}[letter]
	}
	if at == 0 {
		who = 0o777
	}
	for _, letter := range word[at+1:] {
		bits |= map[rune]uint32{'r': 0o444, 'w': 0o222, 'x': 0o111, 'X': 0o111}[letter]
	}
	switch set := fs.FileMode(who & bits); word[at] {
	case '+':
		return was | set, nil
	case '-':
		return was&^set | 0o600, nil
	default:
		return was&^fs.FileMode(who) | set | 0o600, nil
	}
}

func dd(p *process) int {
	settings := map[string]string{"bs": "512", "count": "-1", "skip": "0", "seek": "0"}
	for _, arg := range p.args {
		name, value, found := strings.Cut(arg, "=")
		if !found || !strings.Contains(" if of bs count skip seek conv status oflag ", " "+name+" ") {
			return p.fail("%q is not played here", arg)
		}
		settings[name] = value
	}
	size, err1 := bytesOf(settings["bs"])
	skip, err2 := bytesOf(settings["skip"])
	seek, err3 := bytesOf(settings["seek"])
	count, err4 := strconv.ParseInt(settings["count"], 10, 64)
	if err := errors.Join(err1, err2, err3, err4); err != nil || size < 1 || size > 64<<20 {
		return p.fail("bs, count, skip and seek are numbers, bs is 64M at most")
	}
	in, out, closed := p.in, io.Writer(p.out), func() error { return nil }
	if name := settings["if"]; name != "" {
		opened, err := p.machine.mounts.Open(p.ctx, p.path(name), os.O_RDONLY, 0)
		if err != nil {
			return p.failed(name, err)
		}
		defer opened.Close()
		if _, err := opened.Seek(skip*size, io.SeekStart); err != nil {
			return p.failed(name, err)
		}
		in = opened
	}
	if name := settings["of"]; name != "" {
		flag := os.O_WRONLY | os.O_CREATE
		if !strings.Contains(settings["conv"], "notrunc") && seek == 0 {
			flag |= os.O_TRUNC
		}
		opened, err := p.machine.mounts.Open(p.ctx, p.path(name), flag, 0o644)
		if err != nil {
			return p.failed(name, err)
		}
		if _, err := opened.Seek(seek*size, io.SeekStart); err != nil {
			return p.failed(name, errors.Join(err, opened.Close()))
		}
		out = opened
		closed = func() error {
			var err error
			if strings.Contains(settings["conv"], "sync") {
				err = opened.Sync()
			}
			return errors.Join(err, opened.Close())
		}
	}
	source := io.Reader(cancellable{p.ctx, in})
	if count >= 0 {
		source = io.LimitReader(source, count*size)
	}
	copied, err := io.CopyBuffer(struct{ io.Writer }{out}, source, make([]byte, size))
	err = errors.Join(err, closed())
	fmt.Fprintf(p.err, "%d+%d records in\n%d+%d records out\n%d bytes copied\n", copied/size, min(copied%size, 1), copied/size, min(copied%size, 1), copied)
	if err != nil {
		return p.failed("error writing '"+settings["of"]+"'", err)
	}
	return 0
}

// bytesOf reads a size such as 10, 4k, 1M.
func bytesOf(word string) (int64, error) {
	unit := int64(1)
	for suffix, factor := range map[string]int64{"k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "c": 1} {
		if number, found := strings.CutSuffix(strings.TrimSuffix(word, "B"), suffix); found {
			word, unit = number, factor
			break
		}
	}
	number, err := strconv.ParseInt(word, 10, 64)
	if err == nil && (number < 0 || number > 1<<50/unit) {
		err = strconv.ErrRange
	}
	return number * unit, err
}
