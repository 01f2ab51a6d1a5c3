package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/willscott/go-nfs-client/nfs"
	"github.com/willscott/go-nfs-client/nfs/xdr"
)

func (s *share) Open(ctx context.Context, name string, flag int, perm fs.FileMode) (file, error) {
	found, err := s.at(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		if found, err = s.create(ctx, name, flag&os.O_EXCL != 0, perm); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case flag&(os.O_CREATE|os.O_EXCL) == os.O_CREATE|os.O_EXCL:
		return nil, syscall.EEXIST
	case found.info.IsDir() && flag&(os.O_WRONLY|os.O_RDWR) != 0:
		return nil, syscall.EISDIR
	}
	opened := &shareFile{share: s, ctx: ctx, handle: found.handle, name: path.Base(name), appends: flag&os.O_APPEND != 0}
	if flag&os.O_TRUNC != 0 && found.info.size > 0 {
		if err := opened.Truncate(0); err != nil {
			return nil, err
		}
	}
	return opened, nil
}

func (s *share) create(ctx context.Context, name string, exclusive bool, perm fs.FileMode) (entry, error) {
	how := uint32(0)
	if exclusive {
		how = 1
	}
	_, err := s.inFolder(ctx, nfs.NFSProc3Create, name, syscall.EEXIST, func(where nfs.Diropargs3) any {
		return struct {
			Where nfs.Diropargs3
			How   uint32
			Attrs nfs.Sattr3
		}{where, how, nfs.Sattr3{Mode: nfs.SetMode{SetIt: true, Mode: uint32(perm.Perm())}}}
	})
	if err != nil {
		return entry{}, err
	}
	return s.at(ctx, name)
}

// shareFile is an open file of a share. It lives as long as the process that opened it.
type shareFile struct {
	share    *share
	ctx      context.Context
	handle   []byte
	name     string
	position int64
	appends  bool
}

func (f *shareFile) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	body, _, err := f.share.call(f.ctx, nfs.NFSProc3Read, func([]byte) any {
		return struct {
			FH     []byte
			Offset uint64
			Count  uint32
		}{f.handle, uint64(f.position), uint32(min(len(p), pieceSize))}
	})
	if err != nil {
		return 0, err
	}
	var head struct {
		Attributes nfs.PostOpAttr
		Count, EOF uint32
	}
	if err := xdr.Read(body, &head); err != nil {
		return 0, err
	}
	data, err := opaque(body)
	if err != nil {
		return 0, err
	}
	n := copy(p, data)
	f.position += int64(n)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Write returns when the server has stored the bytes. To append it asks for the size first: NFS has no appending, and
// of two clients that append to one file, one may write over what the other wrote.
func (f *shareFile) Write(p []byte) (written int, err error) {
	if f.appends {
		f.share.appending.Lock()
		defer f.share.appending.Unlock()
		now, err := f.share.attributes(f.ctx, f.handle)
		if err != nil {
			return 0, err
		}
		f.position = now.info.size
	}
	for written < len(p) {
		piece := p[written:min(written+pieceSize, len(p))]
		body, _, err := f.share.call(f.ctx, nfs.NFSProc3Write, func([]byte) any {
			return struct {
				FH     []byte
				Offset uint64
				Count  uint32
				How    uint32
				Data   []byte
			}{f.handle, uint64(f.position), uint32(len(piece)), 2, piece}
		})
		if err != nil {
			return written, err
		}
		var result struct {
			Change nfs.WccData
			Count  uint32
		}
		if err := xdr.Read(body, &result); err != nil {
			return written, err
		}
		if result.Count == 0 || int(result.Count) > len(piece) {
			return written, syscall.EIO
		}
		written += int(result.Count)
		f.position += int64(result.Count)
	}
	return written, nil
}

func (f *shareFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.position
	case io.SeekEnd:
		now, err := f.share.attributes(f.ctx, f.handle)
		if err != nil {
			return 0, err
		}
		offset += now.info.size
	}
	if offset < 0 {
		return 0, syscall.EINVAL
	}
	f.position = offset
	return offset, nil
}

func (f *shareFile) Truncate(size int64) error {
	return f.share.setAttributes(f.ctx, f.handle, nfs.Sattr3{Size: nfs.SetSize{SetIt: true, Size: uint64(size)}})
}

func (f *shareFile) Stat() (fs.FileInfo, error) {
	found, err := f.share.attributes(f.ctx, f.handle)
	found.info.name = f.name
	return found.info, err
}

func (f *shareFile) Sync() error  { return nil } // each write was
func (f *shareFile) Close() error { return nil }
