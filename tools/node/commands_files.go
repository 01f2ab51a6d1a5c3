package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"
	"syscall"
	"time"
)

func (p *process) stat(name string, follow bool) (fs.FileInfo, error) {
	return p.machine.mounts.Stat(p.ctx, p.path(name), follow)
}

func pwd(p *process) int {
	there, err := p.machine.mounts.resolve(p.ctx, p.dir, true)
	if err != nil {
		return p.failed(p.dir, err)
	}
	return p.print("%s\n", there.path)
}

func ls(p *process) int {
	options, names, ok := p.flags("laA1dhtin")
	if !ok {
		return 2
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	_, long := options['l']
	_, itself := options['d']
	code := 0
	for i, name := range names {
		info, err := p.stat(name, !long && !itself)
		if err != nil {
			code = p.failed(name, err)
			continue
		}
		if !info.IsDir() || itself {
			p.listed(name, info, long)
			continue
		}
		infos, err := p.machine.mounts.List(p.ctx, p.path(name))
		if err != nil {
			code = p.failed(name, err)
			continue
		}
		if _, byTime := options['t']; byTime {
			sort.SliceStable(infos, func(i, j int) bool { return infos[i].ModTime().After(infos[j].ModTime()) })
		}
		if len(names) > 1 {
			p.print("%s%s:\n", map[bool]string{true: "\n"}[i > 0], name)
		}
		_, all := options['a']
		_, almost := options['A']
		for _, each := range infos {
			if all || almost || !strings.HasPrefix(each.Name(), ".") {
				p.listed(each.Name(), each, long)
			}
		}
	}
	return code
}

func (p *process) listed(name string, info fs.FileInfo, long bool) {
	if !long {
		p.print("%s\n", name)
		return
	}
	mode := []byte(info.Mode().Perm().String())
	switch {
	case info.IsDir():
		mode[0] = 'd'
	case info.Mode()&fs.ModeSymlink != 0:
		mode[0] = 'l'
	case info.Mode()&fs.ModeCharDevice != 0:
		mode[0] = 'c'
	}
	p.print("%s    1 root     root     %9d %s %s\n", mode, info.Size(), info.ModTime().UTC().Format("Jan _2 15:04"), name)
}

func mkdir(p *process) int {
	options, names, ok := p.flags("pv")
	if !ok {
		return 1
	} else if len(names) == 0 {
		return p.fail("which folder?")
	}
	_, parents := options['p']
	for _, name := range names {
		if err := p.makeFolder(p.path(name), parents); err != nil {
			return p.fail("can't create directory '%s': %s", name, plain(err))
		}
	}
	return 0
}

func (p *process) makeFolder(full string, parents bool) error {
	err := p.machine.mounts.Mkdir(p.ctx, full, 0o755)
	if !parents {
		return err
	}
	if info, failed := p.machine.mounts.Stat(p.ctx, full, true); failed == nil && info.IsDir() {
		return nil
	}
	if dir := path.Dir(path.Clean(full)); errors.Is(err, fs.ErrNotExist) && dir != path.Clean(full) {
		if err = p.makeFolder(dir, true); err == nil {
			err = p.machine.mounts.Mkdir(p.ctx, full, 0o755)
		}
	}
	return err
}

func rmdir(p *process) int {
	for _, name := range p.args {
		info, err := p.stat(name, false)
		if err == nil && !info.IsDir() {
			err = syscall.ENOTDIR
		}
		if err == nil {
			err = p.machine.mounts.Remove(p.ctx, p.path(name))
		}
		if err != nil {
			return p.failed(name, err)
		}
	}
	return 0
}

func rm(p *process) int {
	options, names, ok := p.flags("rRfv")
	if !ok {
		return 1
	}
	_, recursive := options['r']
	if _, also := options['R']; also {
		recursive = true
	}
	_, force := options['f']
	code := 0
	for _, name := range names {
		if err := p.remove(p.path(name), recursive); err != nil && !(force && errors.Is(err, fs.ErrNotExist)) {
			code = p.failed("can't remove '"+name+"'", err)
		}
	}
	return code
}

func (p *process) remove(full string, recursive bool) error {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	info, err := p.machine.mounts.Stat(p.ctx, full, false)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if !recursive {
			return syscall.EISDIR
		}
		infos, err := p.machine.mounts.List(p.ctx, full)
		if err != nil {
			return err
		}
		for _, each := range infos {
			err = errors.Join(err, p.remove(full+"/"+each.Name(), true))
		}
		if err != nil {
			return err
		}
	}
	return p.machine.mounts.Remove(p.ctx, full)
}

func touch(p *process) int {
	_, names, ok := p.flags("")
	if !ok {
		return 1
	}
	for _, name := range names {
		opened, err := p.machine.mounts.Open(p.ctx, p.path(name), os.O_WRONLY|os.O_CREATE, 0o644)
		if err == nil {
			err = opened.Close()
			now := time.Now()
			err = errors.Join(err, p.machine.mounts.Change(p.ctx, p.path(name), changes{mtime: &now}))
		}
		if err != nil {
			return p.failed(name, err)
		}
	}
	return 0
}
