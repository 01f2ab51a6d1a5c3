package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/willscott/go-nfs-client/nfs"
	"github.com/willscott/go-nfs-client/nfs/rpc"
	"github.com/willscott/go-nfs-client/nfs/xdr"
)

const (
	procFSStat = 18
	// A server that has not answered for this long is asked anew, over another connection.
	answerTime = 20 * time.Second
	maxAnswer  = 4 << 20
	pieceSize  = 512 << 10
)

// share is a mounted share of an NFS server. It speaks version 3, whatever version the mount's options name.
//
// The transport is our own: that of go-nfs-client knows neither of a container's end nor of a mount that is down.
type share struct {
	network *network
	server  string
	path    string
	// How long calls are repeated after the server was last heard of; 0, for a hard mount, means for ever.
	patience time.Duration

	mu        sync.Mutex
	link      *link
	root      []byte
	downSince time.Time
	appending sync.Mutex
	gone      chan struct{}
}

func newShare(n *network, server, at string, options []string) *share {
	made := &share{network: n, server: server, path: at, gone: make(chan struct{})}
	soft, timeo, retrans := false, 600, 2
	for _, option := range options {
		soft = (soft || option == "soft") && option != "hard"
		_, _ = fmt.Sscanf(option, "timeo=%d", &timeo)
		_, _ = fmt.Sscanf(option, "retrans=%d", &retrans)
	}
	if soft {
		// Over TCP the wait grows by timeo, in tenths of a second, with each repetition.
		steps := 0
		for i := range min(retrans, 10) + 1 {
			steps += i + 1
		}
		made.patience = time.Duration(min(timeo, 6000)*steps) * 100 * time.Millisecond
	}
	return made
}

// Close unmounts: nothing waits for the server any longer.
func (s *share) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.gone:
	default:
		close(s.gone)
	}
	if s.link != nil {
		_ = s.link.conn.Close()
	}
	return nil
}

// connected returns the connection, and the handle of the top of the share; both are made if they are not there.
func (s *share) connected(ctx context.Context) (*link, []byte, error) {
	s.mu.Lock()
	current, root := s.link, s.root
	s.mu.Unlock()
	if current != nil {
		select {
		case <-current.dead:
		default:
			if root != nil {
				return current, root, nil
			}
		}
	}
	conn, err := s.network.Dial(ctx, s.server, nfsPort)
	if err != nil {
		return nil, nil, err
	}
	made := newLink(conn)
	answer, err := made.call(ctx, &struct {
		rpc.Header
		Path string
	}{header(nfs.MountProg, nfs.MountProc3MNT), s.path})
	if err == nil {
		var body *bytes.Reader
		if body, err = accepted(answer); err == nil {
			root, err = mountedHandle(body)
		}
	}
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.gone:
		_ = conn.Close()
		return nil, nil, syscall.EIO
	default:
	}
	if s.link != nil && s.link != current {
		_ = conn.Close() // another call was faster
		return s.link, s.root, nil
	}
	s.link, s.root = made, root
	return made, root, nil
}

// call repeats a call until the server has answered, the container ends, or a soft mount has been down for too long.
// Its answer says whether it was sent more than once, for then "not there" may mean "removed the first time".
func (s *share) call(ctx context.Context, procedure uint32, args func(root []byte) any) (body *bytes.Reader, repeated bool, err error) {
	for ; ; repeated = true {
		changed := s.network.Changed()
		var answer []byte
		current, root, err := s.connected(ctx)
		if err == nil {
			answer, err = current.call(ctx, &struct {
				rpc.Header
				Args any
			}{header(nfs.Nfs3Prog, procedure), args(root)})
		}
		var refused refusal
		switch {
		case err == nil:
			s.heard(true)
			if body, err = accepted(answer); err != nil {
				return nil, repeated, err
			}
			status, err := xdr.ReadUint32(body)
			if err == nil && status != nfs.NFS3Ok {
				err = statusError(status)
			}
			return body, repeated, err
		case ctx.Err() != nil:
			return nil, repeated, ctx.Err()
		case errors.As(err, &refused):
			return nil, repeated, refused.error
		}
		if down := s.heard(false); s.patience > 0 && down >= s.patience {
			return nil, repeated, syscall.EIO
		}
		select {
		case <-changed:
		case <-time.After(250 * time.Millisecond):
		case <-s.gone:
			return nil, repeated, syscall.EIO
		case <-ctx.Done():
			return nil, repeated, ctx.Err()
		}
	}
}

// heard notes whether the server answered and returns for how long it has not. One clock a mount, not a call.
func (s *share) heard(answered bool) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case answered:
		s.downSince = time.Time{}
		return 0
	case s.downSince.IsZero():
		s.downSince = time.Now()
	}
	return time.Since(s.downSince)
}

// Mount asks the server once whether it has the share.
func (s *share) Mount(ctx context.Context) error {
	_, _, err := s.connected(ctx)
	return err
}

type entry struct {
	handle []byte
	info   info
}

// at returns the file of that name, by looking up each part of it.
func (s *share) at(ctx context.Context, name string) (entry, error) {
	found, err := s.attributes(ctx, nil)
	if err != nil {
		return found, err
	}
	for _, part := range strings.Split(name, "/") {
		if part == "" {
			continue
		}
		parent := found.handle
		body, _, err := s.call(ctx, nfs.NFSProc3Lookup, func(root []byte) any {
			return nfs.Diropargs3{FH: orRoot(parent, root), Filename: part}
		})
		if err != nil {
			return entry{}, err
		}
		var attributes nfs.PostOpAttr
		if found.handle, err = opaque(body); err == nil {
			err = xdr.Read(body, &attributes)
		}
		if err != nil {
			return entry{}, err
		}
		if found.info = infoOf(part, attributes.Attr); !attributes.IsSet {
			if found, err = s.attributes(ctx, found.handle); err != nil {
				return entry{}, err
			}
		}
	}
	return found, nil
}

func orRoot(handle, root []byte) []byte {
	if handle == nil {
		return root
	}
	return handle
}

func (s *share) attributes(ctx context.Context, handle []byte) (entry, error) {
	var attributes nfs.Fattr
	body, _, err := s.call(ctx, nfs.NFSProc3GetAttr, func(root []byte) any {
		return struct{ FH []byte }{orRoot(handle, root)}
	})
	if err == nil {
		err = xdr.Read(body, &attributes)
	}
	return entry{handle, infoOf("", attributes)}, err
}

func infoOf(name string, from nfs.Fattr) info {
	mode := fs.FileMode(from.FileMode) & fs.ModePerm
	switch from.Type {
	case nfs.NF3Dir:
		mode |= fs.ModeDir
	case nfs.NF3Lnk:
		mode |= fs.ModeSymlink
	}
	return info{name, mode, int64(from.Filesize), from.ModTime(), from.Fileid}
}

// parent returns the handle of the folder that a name is in, and the last part of the name.
func (s *share) parent(ctx context.Context, name string) ([]byte, string, error) {
	dir, last := path.Split(name)
	found, err := s.at(ctx, strings.Trim(dir, "/"))
	return found.handle, last, err
}

// inFolder makes a call about a name in a folder. Where it was repeated, `done` is what the first one may have left.
func (s *share) inFolder(ctx context.Context, procedure uint32, name string, done error, args func(nfs.Diropargs3) any) (*bytes.Reader, error) {
	folder, last, err := s.parent(ctx, name)
	if err != nil {
		return nil, err
	}
	body, repeated, err := s.call(ctx, procedure, func(root []byte) any {
		return args(nfs.Diropargs3{FH: orRoot(folder, root), Filename: last})
	})
	if repeated && done != nil && errors.Is(err, done) {
		err = nil
	}
	return body, err
}

func (s *share) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	found, err := s.at(ctx, name)
	if err != nil {
		return nil, err
	}
	return found.info, nil
}

func (s *share) List(ctx context.Context, name string) (infos []fs.FileInfo, err error) {
	top, err := s.at(ctx, name)
	if err != nil {
		return nil, err
	}
	type arguments struct {
		FH                 []byte
		Cookie, Verifier   uint64
		DirCount, MaxCount uint32
	}
	asked := arguments{DirCount: 64 << 10, MaxCount: 512 << 10}
	for {
		body, _, err := s.call(ctx, nfs.NFSProc3ReadDirPlus, func(root []byte) any {
			asked.FH = orRoot(top.handle, root)
			return asked
		})
		if err != nil {
			return nil, err
		}
		var head struct {
			Attributes nfs.PostOpAttr
			Verifier   uint64
		}
		if err := xdr.Read(body, &head); err != nil {
			return nil, err
		}
		before := len(infos)
		for {
			var next struct {
				IsSet bool          `xdr:"union"`
				Entry nfs.EntryPlus `xdr:"unioncase=1"`
			}
			if err := xdr.Read(body, &next); err != nil {
				return nil, err
			}
			if !next.IsSet {
				break
			}
			asked.Cookie = next.Entry.Cookie
			if each := next.Entry.FileName; each != "." && each != ".." {
				infos = append(infos, infoOf(each, next.Entry.Attr.Attr))
			}
		}
		var end bool
		if err := xdr.Read(body, &end); err != nil || end || len(infos) == before {
			return infos, err
		}
		asked.Verifier = head.Verifier
	}
}

func (s *share) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	_, err := s.inFolder(ctx, nfs.NFSProc3Mkdir, name, syscall.EEXIST, func(where nfs.Diropargs3) any {
		return struct {
			Where nfs.Diropargs3
			Attrs nfs.Sattr3
		}{where, nfs.Sattr3{Mode: nfs.SetMode{SetIt: true, Mode: uint32(perm.Perm())}}}
	})
	return err
}

func (s *share) Remove(ctx context.Context, name string) error {
	_, err := s.inFolder(ctx, nfs.NFSProc3Remove, name, syscall.ENOENT, func(where nfs.Diropargs3) any { return where })
	if errors.Is(err, syscall.EIO) {
		// go-nfs has one error for all that a folder can refuse.
		if inside, failed := s.List(ctx, name); failed == nil && len(inside) > 0 {
			return syscall.ENOTEMPTY
		}
	}
	return err
}

func (s *share) Rename(ctx context.Context, from, to string) error {
	folder, last, err := s.parent(ctx, to)
	if err != nil {
		return err
	}
	_, err = s.inFolder(ctx, nfs.NFSProc3Rename, from, syscall.ENOENT, func(source nfs.Diropargs3) any {
		return struct{ From, To nfs.Diropargs3 }{source, nfs.Diropargs3{FH: folder, Filename: last}}
	})
	return err
}

func (s *share) Symlink(ctx context.Context, target, name string) error {
	_, err := s.inFolder(ctx, nfs.NFSProc3Symlink, name, syscall.EEXIST, func(where nfs.Diropargs3) any {
		return struct {
			Where  nfs.Diropargs3
			Attrs  nfs.Sattr3
			Target string
		}{where, nfs.Sattr3{}, target}
	})
	return err
}

func (s *share) Readlink(ctx context.Context, name string) (string, error) {
	found, err := s.at(ctx, name)
	if err != nil {
		return "", err
	}
	body, _, err := s.call(ctx, nfs.NFSProc3Readlink, func([]byte) any { return struct{ FH []byte }{found.handle} })
	if err != nil {
		return "", err
	}
	var attributes nfs.PostOpAttr
	if err := xdr.Read(body, &attributes); err != nil {
		return "", err
	}
	target, err := opaque(body)
	return string(target), err
}

func (s *share) Change(ctx context.Context, name string, what changes) error {
	found, err := s.at(ctx, name)
	if err != nil {
		return err
	}
	var wanted nfs.Sattr3
	if what.mode != nil {
		wanted.Mode = nfs.SetMode{SetIt: true, Mode: uint32(what.mode.Perm())}
	}
	if what.mtime != nil {
		wanted.Mtime = nfs.SetTime{SetIt: nfs.SetToClientTime, Time: nfs.NFS3Time{
			Seconds: uint32(what.mtime.Unix()), Nseconds: uint32(what.mtime.Nanosecond()),
		}}
	}
	return s.setAttributes(ctx, found.handle, wanted)
}

func (s *share) setAttributes(ctx context.Context, handle []byte, wanted nfs.Sattr3) error {
	_, _, err := s.call(ctx, nfs.NFSProc3SetAttr, func(root []byte) any {
		return struct {
			FH      []byte
			Attrs   nfs.Sattr3
			Guarded bool
		}{orRoot(handle, root), wanted, false}
	})
	return err
}

func (s *share) Space(ctx context.Context) (size, used int64, err error) {
	body, _, err := s.call(ctx, procFSStat, func(root []byte) any { return struct{ FH []byte }{root} })
	if err != nil {
		return 0, 0, err
	}
	var stat struct {
		Attributes  nfs.PostOpAttr
		Total, Free uint64
	}
	err = xdr.Read(body, &stat)
	return int64(stat.Total), int64(stat.Total - stat.Free), err
}
