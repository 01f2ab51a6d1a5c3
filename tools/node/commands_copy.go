package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// target is where a file goes that is copied or moved to `to`: into it, where it is a folder.
func (p *process) target(from, to string) string {
	if info, err := p.stat(to, true); err == nil && info.IsDir() {
		return p.path(to) + "/" + path.Base(from)
	}
	return p.path(to)
}

func cp(p *process) int {
	options, names, ok := p.flags("rRafpvd")
	if !ok {
		return 1
	} else if len(names) < 2 {
		return p.fail("from where to where?")
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
	}
	for at := path.Clean(to); at != "/"; at = path.Dir(at) {
		if p.machine.mounts.same(p.ctx, from, at) {
			return errors.New("cannot be copied into itself")
		}
	}
	return p.copyFolder(from, to)
}

func (p *process) copyFolder(from, to string) error {
	infos, err := p.machine.mounts.List(p.ctx, from)
	if err == nil {
		err = p.makeFolder(to, true)
	}
	for _, each := range infos {
		switch from, to := from+"/"+each.Name(), to+"/"+each.Name(); {
		case err != nil:
			return err
		case each.IsDir():
			err = p.copyFolder(from, to)
		default:
			err = p.copy(from, to, true)
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
	if p.machine.mounts.same(p.ctx, from, to) {
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
	_, names, ok := p.flags("fv")
	if !ok {
		return 1
	} else if len(names) < 2 {
		return p.fail("from where to where?")
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
	if !ok {
		return 1
	} else if len(names) != 2 {
		return p.fail("to what, and where?")
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
