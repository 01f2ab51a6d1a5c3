package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/willscott/go-nfs-client/nfs"
	"github.com/willscott/go-nfs-client/nfs/xdr"
)

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
