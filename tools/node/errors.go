package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// plain says in a few words what a failed operation failed of, without the names of this machine's folders.
func plain(err error) string {
	var known syscall.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &known):
		text := known.Error()
		if words, ok := errnoWords[known]; ok {
			text = words
		}
		return text
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, fs.ErrExist):
		return "File exists"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err.Error()
	}
	return err.Error()
}

// The words of Linux, which are those of a container also where this program runs on macOS.
var errnoWords = map[syscall.Errno]string{
	syscall.ENOSPC:    "No space left on device",
	syscall.ENOENT:    "No such file or directory",
	syscall.EEXIST:    "File exists",
	syscall.ENOTDIR:   "Not a directory",
	syscall.EISDIR:    "Is a directory",
	syscall.ENOTEMPTY: "Directory not empty",
	syscall.EROFS:     "Read-only file system",
	syscall.EACCES:    "Permission denied",
	syscall.EPERM:     "Operation not permitted",
	syscall.EBUSY:     "Device or resource busy",
	syscall.EXDEV:     "Invalid cross-device link",
	syscall.ELOOP:     "Too many levels of symbolic links",
	syscall.EIO:       "Input/output error",
	syscall.ESTALE:    "Stale file handle",
	syscall.EINVAL:    "Invalid argument",

	syscall.ENAMETOOLONG: "File name too long",
}

func isMissing(err error) bool { return os.IsNotExist(err) }

// pathError is an error about a path of the container, which the shell prints and goes on.
func pathError(op, p string, err error) error {
	return &fs.PathError{Op: op, Path: p, Err: plainError(plain(err), err)}
}

type wordedError struct {
	words string
	cause error
}

func (e wordedError) Error() string { return e.words }
func (e wordedError) Unwrap() error { return e.cause }

func plainError(words string, cause error) error { return wordedError{words, cause} }
