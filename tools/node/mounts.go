package main

import (
	"context"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"
	"syscall"
)

const (
	// A path with more symbolic links is taken for a circle, as Linux does.
	maxLinks = 40
	// Each part of a path is looked up: without a bound, a script could make paths that take minutes.
	maxParts, maxPath = 64, 4096
)

// mount is a file system, or a part of one, at a path of a container.
type mount struct {
	at       string
	fs       fileSystem
	base     string // what of the file system is mounted, "" for all
	readOnly bool
	source   string // for `mount` and `df`
	kind     string
}

// mounts is the file system of a container, the longest paths first.
type mounts []mount

func newMounts(list ...mount) mounts {
	sort.SliceStable(list, func(i, j int) bool { return len(list[i].at) > len(list[j].at) })
	return list
}

// place is a path whose symbolic links are resolved, in the mount that it belongs to.
type place struct {
	mount
	path string // in the container
	name string // in the file system
}

func (m mounts) at(p string) place {
	for _, each := range m {
		if p == each.at || each.at == "/" || strings.HasPrefix(p, each.at+"/") {
			rest := strings.TrimPrefix(strings.TrimPrefix(p, each.at), "/")
			return place{each, p, strings.TrimPrefix(path.Join(each.base, rest), "/")}
		}
	}
	panic("a container has nothing mounted at /")
}

func (m mounts) isPoint(p string) bool {
	for _, each := range m {
		if each.at == p || strings.HasPrefix(each.at, p+"/") {
			return true
		}
	}
	return false
}

// resolve walks along an absolute path of the container. Symbolic links are followed by these paths, never by those of
// this machine; the last part is followed if `follow` says so, and need not exist.
func (m mounts) resolve(ctx context.Context, p string, follow bool) (place, error) {
	here, rest, links := "/", strings.Split(p, "/"), 0
	for len(rest) > 0 {
		if len(rest) > 2*maxParts || strings.Count(here, "/") > maxParts || len(here) > maxPath {
			return place{}, pathError("open", p, syscall.ENAMETOOLONG)
		}
		part := rest[0]
		rest = rest[1:]
		if part == "" || part == "." {
			continue
		}
		next := path.Join(here, part)
		if m.isPoint(next) {
			here = next
			continue
		}
		there := m.at(next)
		info, err := there.fs.Stat(ctx, there.name)
		last := lastPart(rest)
		switch {
		case err != nil && (!last || !isMissing(err)):
			return place{}, pathError("open", p, err)
		case err != nil:
			return there, nil
		case info.Mode()&fs.ModeSymlink != 0 && (follow || !last):
			if links++; links > maxLinks {
				return place{}, pathError("open", p, syscall.ELOOP)
			}
			target, err := there.fs.Readlink(ctx, there.name)
			if err != nil {
				return place{}, pathError("readlink", p, err)
			}
			if path.IsAbs(target) {
				here = "/"
			}
			rest = append(strings.Split(target, "/"), rest...)
			continue
		case !last && !info.IsDir():
			return place{}, pathError("open", p, syscall.ENOTDIR)
		}
		here = next
	}
	return m.at(here), nil
}

// lastPart tells whether nothing but slashes and dots is left of a path.
func lastPart(rest []string) bool {
	for _, part := range rest {
		if part != "" && part != "." {
			return false
		}
	}
	return true
}

// same tells whether two paths lead to one file, also through two mounts of one volume.
func (m mounts) same(ctx context.Context, a, b string) bool {
	one, errA := m.resolve(ctx, a, true)
	other, errB := m.resolve(ctx, b, true)
	if errA != nil || errB != nil || one.path == other.path {
		return errA == nil && errB == nil
	}
	first, errA := one.fs.Stat(ctx, one.name)
	second, errB := other.fs.Stat(ctx, other.name)
	if errA != nil || errB != nil {
		return false
	}
	here, isShare := one.fs.(*share)
	there, isToo := other.fs.(*share)
	if isShare && isToo {
		return here.server == there.server && first.(info).inode == second.(info).inode
	}
	return os.SameFile(first, second)
}

func (m mounts) Open(ctx context.Context, p string, flag int, perm fs.FileMode) (file, error) {
	there, err := m.resolve(ctx, p, flag&os.O_EXCL == 0)
	if err != nil {
		return nil, err
	}
	if there.readOnly && flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) != 0 {
		return nil, pathError("open", p, syscall.EROFS)
	}
	opened, err := there.fs.Open(ctx, there.name, flag, perm)
	if err != nil {
		return nil, pathError("open", p, err)
	}
	return opened, nil
}

func (m mounts) Stat(ctx context.Context, p string, follow bool) (fs.FileInfo, error) {
	there, err := m.resolve(ctx, p, follow)
	if err != nil {
		return nil, err
	}
	info, err := there.fs.Stat(ctx, there.name)
	if err != nil {
		return nil, pathError("stat", p, err)
	}
	return info, nil
}

func (m mounts) List(ctx context.Context, p string) ([]fs.FileInfo, error) {
	there, err := m.resolve(ctx, p, true)
	if err != nil {
		return nil, err
	}
	infos, err := there.fs.List(ctx, there.name)
	if err != nil {
		return nil, pathError("open", p, err)
	}
	return infos, nil
}

func (m mounts) Readlink(ctx context.Context, p string) (string, error) {
	there, err := m.resolve(ctx, p, false)
	if err != nil {
		return "", err
	}
	return there.fs.Readlink(ctx, there.name)
}

// change does something to a file that is not its content; a mount point is nobody's to change.
func (m mounts) change(ctx context.Context, op, p string, follow bool, do func(place) error) error {
	there, err := m.resolve(ctx, p, follow)
	switch {
	case err != nil:
		return err
	case m.isPoint(there.path) && op != "mkdir" && op != "chmod":
		return pathError(op, p, syscall.EBUSY)
	case there.readOnly:
		return pathError(op, p, syscall.EROFS)
	}
	if err := do(there); err != nil {
		return pathError(op, p, err)
	}
	return nil
}

func (m mounts) Mkdir(ctx context.Context, p string, perm fs.FileMode) error {
	return m.change(ctx, "mkdir", p, false, func(t place) error { return t.fs.Mkdir(ctx, t.name, perm) })
}

func (m mounts) Remove(ctx context.Context, p string) error {
	return m.change(ctx, "remove", p, false, func(t place) error { return t.fs.Remove(ctx, t.name) })
}

func (m mounts) Symlink(ctx context.Context, target, p string) error {
	return m.change(ctx, "symlink", p, false, func(t place) error { return t.fs.Symlink(ctx, target, t.name) })
}

func (m mounts) Change(ctx context.Context, p string, what changes) error {
	return m.change(ctx, "chmod", p, true, func(t place) error { return t.fs.Change(ctx, t.name, what) })
}

func (m mounts) Rename(ctx context.Context, from, to string) error {
	return m.change(ctx, "rename", from, false, func(old place) error {
		return m.change(ctx, "rename", to, false, func(next place) error {
			if old.fs != next.fs || old.at != next.at {
				return syscall.EXDEV
			}
			return old.fs.Rename(ctx, old.name, next.name)
		})
	})
}
