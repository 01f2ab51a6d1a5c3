package main

import (
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// devices is /dev: the few files there that scripts use.
type devices struct{}

var deviceNames = []string{"full", "null", "urandom", "zero"}

func (devices) Open(_ context.Context, name string, flag int, _ fs.FileMode) (file, error) {
	if _, err := (devices{}).Stat(nil, name); err != nil {
		if flag&os.O_CREATE != 0 {
			return nil, syscall.EPERM
		}
		return nil, err
	}
	return device(name), nil
}

func (devices) Stat(_ context.Context, name string) (fs.FileInfo, error) {
	if name == "" {
		return info{name: "dev", mode: fs.ModeDir | 0o755}, nil
	}
	for _, each := range deviceNames {
		if name == each {
			return info{name: name, mode: fs.ModeDevice | fs.ModeCharDevice | 0o666}, nil
		}
	}
	return nil, fs.ErrNotExist
}

func (d devices) List(ctx context.Context, name string) (infos []fs.FileInfo, err error) {
	if name != "" {
		return nil, syscall.ENOTDIR
	}
	for _, each := range deviceNames {
		one, _ := d.Stat(ctx, each)
		infos = append(infos, one)
	}
	return infos, nil
}

func (devices) Mkdir(context.Context, string, fs.FileMode) error    { return syscall.EPERM }
func (devices) Remove(context.Context, string) error                { return syscall.EPERM }
func (devices) Rename(context.Context, string, string) error        { return syscall.EPERM }
func (devices) Symlink(context.Context, string, string) error       { return syscall.EPERM }
func (devices) Readlink(context.Context, string) (string, error)    { return "", syscall.EINVAL }
func (devices) Change(context.Context, string, changes) error       { return syscall.EPERM }
func (devices) Space(context.Context) (size, used int64, err error) { return 0, 0, nil }
func (devices) Close() error                                        { return nil }

type device string

func (d device) Read(p []byte) (int, error) {
	switch d {
	case "null":
		return 0, io.EOF
	case "urandom":
		return rand.Read(p)
	}
	clear(p)
	return len(p), nil
}

func (d device) Write(p []byte) (int, error) {
	if d == "full" {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func (device) Seek(int64, int) (int64, error) { return 0, nil }
func (device) Close() error                   { return nil }
func (device) Sync() error                    { return nil }
func (device) Truncate(int64) error           { return nil }
func (d device) Stat() (fs.FileInfo, error)   { return devices{}.Stat(context.Background(), string(d)) }

// info describes a file that is not one of this machine. Its Sys is what the shell's tests expect to find.
type info struct {
	name  string
	mode  fs.FileMode
	size  int64
	mtime time.Time
	inode uint64
}

func (i info) Name() string       { return i.name }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return i.mtime }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return &syscall.Stat_t{Ino: i.inode, Uid: uint32(os.Getuid()), Nlink: 1} }
