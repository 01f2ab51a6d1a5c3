package main

import (
	"errors"
	"io"
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
	options, names, ok := p.flags("laA1dhRrtin")
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
	options, names, ok := p.flags("pm:v")
	if !ok || len(names) == 0 {
		return max(1, p.fail("which folder?"))
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
	options, names, ok := p.flags("rRfiv")
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

// target is where a file goes that is copied or moved to `to`: into it, where it is a folder.
func (p *process) target(from, to string) string {
	if info, err := p.stat(to, true); err == nil && info.IsDir() {
		return p.path(to) + "/" + path.Base(from)
	}
	return p.path(to)
}

func cp(p *process) int {
	options, names, ok := p.flags("rRafpvd")
	if !ok || len(names) < 2 {
		return max(1, p.fail("from where to where?"))
	}
	recursive := len(options) > 0 && (options['r'] != "" || options['R'] != "" || options['a'] != "")
	to := names[len(names)-1]
	code := 0
	for _, from := range names[:len(names)-1] {
		if err := p.copy(p.path(from), p.target(from, to), recursive); err != nil {
			code = p.failed(from, err)
		}
	}
	return code
}

func (p *process) copy(from, to string, recursive bool) error {
	info, err := p.machine.mounts.Stat(p.ctx, from, !recursive)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := p.machine.mounts.Readlink(p.ctx, from)
		if err != nil {
			return err
		}
		return p.machine.mounts.Symlink(p.ctx, target, to)
	case !info.IsDir():
		return p.copyFile(from, to, info.Mode().Perm())
	case !recursive:
		return errors.New("is a directory (cp -r copies one)")
	case strings.HasPrefix(path.Clean(to)+"/", path.Clean(from)+"/"):
		return errors.New("cannot be copied into itself")
	}
	infos, err := p.machine.mounts.List(p.ctx, from)
	if err == nil {
		err = p.makeFolder(to, true)
	}
	for _, each := range infos {
		if err == nil {
			err = p.copy(from+"/"+each.Name(), to+"/"+each.Name(), true)
		}
	}
	return err
}

func (p *process) copyFile(from, to string, perm fs.FileMode) error {
	source, err := p.machine.mounts.Open(p.ctx, from, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer source.Close()
	a, _ := p.machine.mounts.resolve(p.ctx, from, true)
	if b, err := p.machine.mounts.resolve(p.ctx, to, true); err == nil && a.path == b.path {
		return errors.New("is the same file")
	}
	target, err := p.machine.mounts.Open(p.ctx, to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, cancellable{p.ctx, source})
	return errors.Join(err, target.Close())
}

func mv(p *process) int {
	_, names, ok := p.flags("fnv")
	if !ok || len(names) < 2 {
		return max(1, p.fail("from where to where?"))
	}
	to := names[len(names)-1]
	code := 0
	for _, from := range names[:len(names)-1] {
		source, target := p.path(from), p.target(from, to)
		err := p.machine.mounts.Rename(p.ctx, source, target)
		if errors.Is(err, syscall.EXDEV) {
			if err = p.copy(source, target, true); err == nil {
				err = p.remove(source, true)
			}
		}
		if err != nil {
			code = p.failed(from, err)
		}
	}
	return code
}

func ln(p *process) int {
	options, names, ok := p.flags("sfn")
	if !ok || len(names) != 2 {
		return max(1, p.fail("to what, and where?"))
	}
	if options['s'] == "" {
		return p.fail("only symbolic links (-s) are played here")
	}
	to := p.target(names[0], names[1])
	if options['f'] != "" {
		_ = p.machine.mounts.Remove(p.ctx, to)
	}
	if err := p.machine.mounts.Symlink(p.ctx, names[0], to); err != nil {
		return p.failed(names[1], err)
	}
	return 0
}

func readlink(p *process) int {
	options, names, ok := p.flags("f")
	if !ok || len(names) != 1 {
		return 1
	}
	if options['f'] != "" {
		there, err := p.machine.mounts.resolve(p.ctx, p.path(names[0]), true)
		if err != nil {
			return 1
		}
		return p.print("%s\n", there.path)
	}
	target, err := p.machine.mounts.Readlink(p.ctx, p.path(names[0]))
	if err != nil {
		return 1
	}
	return p.print("%s\n", target)
}

func touch(p *process) int {
	_, names, ok := p.flags("camd:")
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
