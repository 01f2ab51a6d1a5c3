package main

import (
	"context"
	"io"
	"io/fs"
	"os"
	"sort"
	"sync"
	"syscall"
)

// space is how much a volume may hold and does hold, in bytes. All who have the volume mounted share one.
type space struct {
	mu          sync.Mutex
	limit, used int64
}

func (s *space) resize(limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = limit
}

// folder is a folder of this machine, which os.Root keeps everybody inside of.
type folder struct {
	root *os.Root
	room *space
}

// newFolder opens a folder inside of base, which it creates if it is not there. room is shared with whoever else has
// the folder open; without one its content is counted.
func newFolder(base *os.Root, name string, limit int64, room *space) (*folder, error) {
	if err := base.MkdirAll(name, 0o755); err != nil {
		return nil, err
	}
	root, err := base.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if room == nil {
		room = &space{limit: limit, used: sizeOf(root)}
	}
	return &folder{root: root, room: room}, nil
}

// sub opens a folder inside of this one, with the same room.
func (f *folder) sub(name string) (*folder, error) {
	if err := f.root.MkdirAll(name, 0o755); err != nil {
		return nil, err
	}
	root, err := f.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &folder{root: root, room: f.room}, nil
}

func sizeOf(root *os.Root) (total int64) {
	_ = fs.WalkDir(root.FS(), ".", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}

// A container is root in its files, whatever their mode says. On this machine their owner is a user, who must be able
// to read them, and to remove them with their cloud.
const ownFile, ownFolder fs.FileMode = 0o600, 0o700

func named(name string) string {
	if name == "" {
		return "."
	}
	return name
}

func (f *folder) Open(_ context.Context, name string, flag int, perm fs.FileMode) (file, error) {
	opened, err := f.root.OpenFile(named(name), flag&^os.O_TRUNC, perm|ownFile)
	if err != nil {
		return nil, err
	}
	result := &folderFile{opened: opened, room: f.room, appends: flag&os.O_APPEND != 0}
	if flag&os.O_TRUNC != 0 {
		if err := result.Truncate(0); err != nil {
			_ = opened.Close()
			return nil, err
		}
	}
	return result, nil
}

func (f *folder) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	return f.root.Lstat(named(name))
}

func (f *folder) List(_ context.Context, name string) ([]fs.FileInfo, error) {
	opened, err := f.root.Open(named(name))
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	infos, err := opened.Readdir(-1)
	sort.Slice(infos, func(i, j int) bool { return infos[i].Name() < infos[j].Name() })
	return infos, err
}

func (f *folder) Mkdir(_ context.Context, name string, perm fs.FileMode) error {
	return f.root.Mkdir(named(name), perm|ownFolder)
}

func (f *folder) Remove(_ context.Context, name string) error {
	f.room.mu.Lock()
	defer f.room.mu.Unlock()
	freed := f.regularSize(name)
	if err := f.root.Remove(named(name)); err != nil {
		return err
	}
	f.room.used -= freed
	return nil
}

func (f *folder) Rename(_ context.Context, from, to string) error {
	f.room.mu.Lock()
	defer f.room.mu.Unlock()
	if from == to {
		return nil
	}
	freed := f.regularSize(to)
	if err := f.root.Rename(named(from), named(to)); err != nil {
		return err
	}
	f.room.used -= freed
	return nil
}

func (f *folder) regularSize(name string) int64 {
	if info, err := f.root.Lstat(named(name)); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}

func (f *folder) Symlink(_ context.Context, target, name string) error {
	return f.root.Symlink(target, named(name))
}

func (f *folder) Readlink(_ context.Context, name string) (string, error) {
	return f.root.Readlink(named(name))
}

func (f *folder) Change(_ context.Context, name string, what changes) error {
	if what.mode != nil {
		mode := *what.mode | ownFile
		if info, err := f.root.Stat(named(name)); err == nil && info.IsDir() {
			mode |= ownFolder
		}
		if err := f.root.Chmod(named(name), mode); err != nil {
			return err
		}
	}
	if what.mtime != nil {
		return f.root.Chtimes(named(name), *what.mtime, *what.mtime)
	}
	return nil
}

func (f *folder) Space(context.Context) (int64, int64, error) {
	f.room.mu.Lock()
	defer f.room.mu.Unlock()
	return f.room.limit, f.room.used, nil
}

func (f *folder) Close() error { return f.root.Close() }

// folderFile holds each write against the room of its folder. It does not embed *os.File, whose ReadFrom and WriteAt
// would go past that.
type folderFile struct {
	opened  *os.File
	room    *space
	appends bool
	wrote   bool
	grown   int64 // what was written after the file was removed
}

func (f *folderFile) Read(p []byte) (int, error) { return f.opened.Read(p) }
func (f *folderFile) Seek(offset int64, whence int) (int64, error) {
	return f.opened.Seek(offset, whence)
}
func (f *folderFile) Stat() (fs.FileInfo, error) { return f.opened.Stat() }
func (f *folderFile) Sync() error                { return f.opened.Sync() }

// Close gives back what was written after the file was removed.
func (f *folderFile) Close() error {
	f.room.mu.Lock()
	f.room.used, f.grown = f.room.used-f.grown, 0
	f.room.mu.Unlock()
	return f.opened.Close()
}

// hold counts what a file has grown by.
func (f *folderFile) hold(info fs.FileInfo, growth int64) {
	f.room.used += growth
	if known, is := info.Sys().(*syscall.Stat_t); is && known.Nlink == 0 {
		f.grown += growth
	}
}

func (f *folderFile) Write(p []byte) (int, error) {
	f.room.mu.Lock()
	defer f.room.mu.Unlock()
	info, err := f.opened.Stat()
	if err != nil {
		return 0, err
	}
	at := info.Size()
	if !f.appends {
		if at, err = f.opened.Seek(0, io.SeekCurrent); err != nil {
			return 0, err
		}
	}
	fits, growth := len(p), max(0, at+int64(len(p))-info.Size())
	if missing := growth - max(0, f.room.limit-f.room.used); missing > 0 {
		fits, growth = max(0, fits-int(min(missing, int64(fits)))), growth-missing
	}
	if fits == 0 && len(p) > 0 {
		return 0, &fs.PathError{Op: "write", Path: f.opened.Name(), Err: syscall.ENOSPC}
	}
	n, err := f.opened.Write(p[:fits])
	f.wrote = f.wrote || n > 0
	f.hold(info, max(0, growth-int64(fits-n)))
	if err == nil && n < len(p) {
		err = &fs.PathError{Op: "write", Path: f.opened.Name(), Err: syscall.ENOSPC}
	}
	return n, err
}

func (f *folderFile) Truncate(size int64) error {
	f.room.mu.Lock()
	defer f.room.mu.Unlock()
	info, err := f.opened.Stat()
	if err != nil {
		return err
	}
	growth := size - info.Size()
	if growth > 0 && growth > f.room.limit-f.room.used {
		return &fs.PathError{Op: "truncate", Path: f.opened.Name(), Err: syscall.ENOSPC}
	}
	if err := f.opened.Truncate(size); err != nil {
		return err
	}
	f.hold(info, growth)
	return nil
}
