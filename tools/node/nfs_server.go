package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-git/go-billy/v5"
	"github.com/willscott/go-nfs"
)

const (
	nfsPort = 2049
	exports = "/exports"
	// Kept in memory for one server; what is forgotten is found again by a walk.
	maxHandles, maxListings = 1 << 16, 64
)

func init() { nfs.Log.SetLevel(nfs.PanicLevel) }

// serveNFS serves a folder as NFS version 3 until the listener is closed.
func serveNFS(ctx context.Context, at net.Listener, shared *folder) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = at.Close() })
	defer stop()
	handler := &shareHandler{
		whole: &export{shared: shared}, paths: map[[32]byte]string{}, listings: map[uint64][]fs.FileInfo{},
	}
	if top, err := shared.root.Stat("."); err == nil {
		if known, is := top.Sys().(*syscall.Stat_t); is {
			handler.volume = known.Ino
		}
	}
	return (&nfs.Server{Handler: handler, Context: ctx}).Serve(at)
}

// shareHandler answers go-nfs. A handle is made from the volume and the path, so clients go on after a restart of the
// server with the handles that they have.
type shareHandler struct {
	whole    *export
	volume   uint64
	mu       sync.Mutex
	paths    map[[32]byte]string
	listings map[uint64][]fs.FileInfo
}

// Mount accepts /exports, which is the top of the share in version 3, and / as in version 4.
func (h *shareHandler) Mount(_ context.Context, _ net.Conn, request nfs.MountRequest) (nfs.MountStatus, billy.Filesystem, []nfs.AuthFlavor) {
	flavors := []nfs.AuthFlavor{nfs.AuthFlavorNull, nfs.AuthFlavorUnix}
	wanted := path.Clean("/" + string(request.Dirpath))
	if inside, found := strings.CutPrefix(wanted+"/", exports+"/"); found {
		wanted = "/" + inside
	}
	name := strings.Trim(wanted, "/")
	if info, err := h.whole.shared.Stat(context.Background(), name); err != nil || !info.IsDir() {
		return nfs.MountStatusErrNoEnt, h.whole, flavors
	}
	return nfs.MountStatusOk, &export{shared: h.whole.shared, base: name}, flavors
}

func (h *shareHandler) Change(billy.Filesystem) billy.Change { return h.whole }

func (h *shareHandler) FSStat(ctx context.Context, _ billy.Filesystem, stat *nfs.FSStat) error {
	size, used, err := h.whole.shared.Space(ctx)
	stat.TotalSize, stat.FreeSize = uint64(size), uint64(max(0, size-used))
	stat.AvailableSize = stat.FreeSize
	return err
}

func (h *shareHandler) handle(full string) (key [32]byte) {
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, h.volume), full...))
}

func (h *shareHandler) ToHandle(of billy.Filesystem, parts []string) []byte {
	full := path.Join(append([]string{of.(*export).base}, parts...)...)
	key := h.handle(full)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.paths) >= maxHandles {
		clear(h.paths)
	}
	h.paths[key] = full
	return key[:]
}

func (h *shareHandler) FromHandle(handle []byte) (billy.Filesystem, []string, error) {
	if len(handle) != 32 {
		return nil, nil, &nfs.NFSStatusError{NFSStatus: nfs.NFSStatusBadHandle}
	}
	h.mu.Lock()
	full, found := h.paths[[32]byte(handle)]
	h.mu.Unlock()
	if !found {
		if full, found = h.search([32]byte(handle)); !found {
			return nil, nil, &nfs.NFSStatusError{NFSStatus: nfs.NFSStatusStale}
		}
	}
	if full == "" {
		return h.whole, []string{}, nil
	}
	return h.whole, strings.Split(full, "/"), nil
}

// search finds the path that a handle of an earlier server was made from.
func (h *shareHandler) search(wanted [32]byte) (full string, found bool) {
	_ = fs.WalkDir(h.whole.shared.root.FS(), ".", func(each string, _ fs.DirEntry, err error) error {
		if each == "." {
			each = ""
		}
		if err == nil && h.handle(each) == wanted {
			full, found = each, true
			h.ToHandle(h.whole, []string{each})
			return fs.SkipAll
		}
		return nil
	})
	return full, found
}

func (h *shareHandler) InvalidateHandle(_ billy.Filesystem, handle []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(handle) == 32 {
		delete(h.paths, [32]byte(handle))
	}
	return nil
}

func (h *shareHandler) HandleLimit() int { return maxHandles }

// VerifierFor and DataForVerifier let a listing of several answers be of one moment.
func (h *shareHandler) VerifierFor(of string, contents []fs.FileInfo) uint64 {
	sum := sha256.New()
	sum.Write([]byte(of))
	for _, each := range contents {
		sum.Write([]byte("/" + each.Name()))
	}
	verifier := binary.BigEndian.Uint64(sum.Sum(nil))
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listings) >= maxListings {
		clear(h.listings)
	}
	h.listings[verifier] = contents
	return verifier
}

func (h *shareHandler) DataForVerifier(_ string, verifier uint64) []fs.FileInfo {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.listings[verifier]
}

// export is a folder as go-nfs wants to see it; base is what of it a client has mounted.
type export struct {
	shared *folder
	base   string
}

var nobody = context.Background()

func (e *export) Create(name string) (billy.File, error) {
	// It does not truncate: a client that creates a file which another has just created must not empty it.
	return e.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
}

func (e *export) Open(name string) (billy.File, error) { return e.OpenFile(name, os.O_RDONLY, 0) }

func (e *export) OpenFile(name string, flag int, perm os.FileMode) (billy.File, error) {
	opened, err := e.shared.Open(nobody, e.Join(name), flag&^os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	return &exportFile{opened.(*folderFile), e.Join(name)}, nil
}

func (e *export) Stat(name string) (os.FileInfo, error)  { return e.shared.Stat(nobody, e.Join(name)) }
func (e *export) Lstat(name string) (os.FileInfo, error) { return e.shared.Stat(nobody, e.Join(name)) }
func (e *export) Rename(from, to string) error {
	return e.shared.Rename(nobody, e.Join(from), e.Join(to))
}
func (e *export) Remove(name string) error    { return e.shared.Remove(nobody, e.Join(name)) }
func (e *export) Join(parts ...string) string { return strings.TrimPrefix(path.Join(parts...), "/") }
func (e *export) Symlink(target, name string) error {
	return e.shared.Symlink(nobody, target, e.Join(name))
}
func (e *export) Readlink(name string) (string, error) {
	return e.shared.Readlink(nobody, e.Join(name))
}
func (e *export) Root() string { return "/" }

func (e *export) ReadDir(name string) ([]os.FileInfo, error) {
	return e.shared.List(nobody, e.Join(name))
}

func (e *export) MkdirAll(name string, perm os.FileMode) error {
	return e.shared.Mkdir(nobody, e.Join(name), perm)
}

func (e *export) TempFile(string, string) (billy.File, error) { return nil, billy.ErrNotSupported }
func (e *export) Chroot(string) (billy.Filesystem, error)     { return nil, billy.ErrNotSupported }
func (e *export) Lchown(string, int, int) error               { return nil }
func (e *export) Chown(string, int, int) error                { return nil }

func (e *export) Chmod(name string, mode os.FileMode) error {
	mode |= 0o600 // the server is not root here, and has to read it
	return e.shared.Change(nobody, e.Join(name), changes{mode: &mode})
}

func (e *export) Chtimes(name string, _, mtime time.Time) error {
	return e.shared.Change(nobody, e.Join(name), changes{mtime: &mtime})
}

// exportFile stores what was written on the disk before go-nfs answers, which says that it is stored.
type exportFile struct {
	*folderFile
	name string
}

func (f *exportFile) Name() string  { return f.name }
func (f *exportFile) Lock() error   { return nil }
func (f *exportFile) Unlock() error { return nil }

func (f *exportFile) ReadAt(p []byte, at int64) (int, error) { return f.opened.ReadAt(p, at) }

func (f *exportFile) Write(p []byte) (int, error) {
	n, err := f.folderFile.Write(p)
	if err != nil {
		_ = f.opened.Close() // go-nfs does not
	}
	return n, err
}

func (f *exportFile) Close() error {
	if !f.wrote {
		return f.opened.Close()
	}
	return errors.Join(f.opened.Sync(), f.opened.Close())
}
