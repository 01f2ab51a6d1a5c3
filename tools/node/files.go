package main

import (
	"context"
	"io"
	"io/fs"
	"time"
)

// file is an open file of a container. Its Close reports what went wrong while its data were stored.
type file interface {
	io.ReadWriteSeeker
	io.Closer
	Sync() error
	Truncate(size int64) error
	Stat() (fs.FileInfo, error)
}

// changes are the attributes of a file that a command sets; nil means "as it is".
type changes struct {
	mode  *fs.FileMode
	mtime *time.Time
}

// fileSystem is what can be mounted: a folder of this machine, a share of an NFS server, /dev. Names are relative, with
// "" for its top, and no method follows a symbolic link in the last part of a name.
type fileSystem interface {
	Open(ctx context.Context, name string, flag int, perm fs.FileMode) (file, error)
	Stat(ctx context.Context, name string) (fs.FileInfo, error)
	List(ctx context.Context, name string) ([]fs.FileInfo, error)
	Mkdir(ctx context.Context, name string, perm fs.FileMode) error
	Remove(ctx context.Context, name string) error
	Rename(ctx context.Context, from, to string) error
	Symlink(ctx context.Context, target, name string) error
	Readlink(ctx context.Context, name string) (string, error)
	Change(ctx context.Context, name string, what changes) error
	// Space returns the size of the file system and what of it is used, in bytes.
	Space(ctx context.Context) (size, used int64, err error)
	Close() error
}
