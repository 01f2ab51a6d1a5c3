package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
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

// link is one connection with the calls that wait for an answer.
type link struct {
	conn    net.Conn
	sending sync.Mutex
	mu      sync.Mutex
	waiting map[uint32]chan []byte
	dead    chan struct{}
}

func newLink(conn net.Conn) *link {
	made := &link{conn: conn, waiting: map[uint32]chan []byte{}, dead: make(chan struct{})}
	go made.receive()
	return made
}

func (l *link) receive() {
	defer close(l.dead)
	defer l.conn.Close()
	for {
		var mark [4]byte
		if _, err := io.ReadFull(l.conn, mark[:]); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(mark[:]) & 0x7fffffff
		if size < 4 || size > maxAnswer {
			return
		}
		answer := make([]byte, size)
		if _, err := io.ReadFull(l.conn, answer); err != nil {
			return
		}
		id := binary.BigEndian.Uint32(answer)
		l.mu.Lock()
		if waiting := l.waiting[id]; waiting != nil {
			waiting <- answer[4:]
			delete(l.waiting, id)
		}
		l.mu.Unlock()
	}
}

var calls atomic.Uint32

// call sends one call and waits for its answer. An error means that nobody knows whether the server did it.
func (l *link) call(ctx context.Context, body any) ([]byte, error) {
	id, answer := calls.Add(1), make(chan []byte, 1)
	var message bytes.Buffer
	message.Write(make([]byte, 4))
	err := xdr.Write(&message, struct {
		ID, Kind uint32
		Body     any
	}{ID: id, Body: body})
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(message.Bytes(), uint32(message.Len()-4)|1<<31)
	l.mu.Lock()
	l.waiting[id] = answer
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, id)
		l.mu.Unlock()
	}()
	sent := make(chan error, 1)
	go func() {
		l.sending.Lock()
		defer l.sending.Unlock()
		_ = l.conn.SetWriteDeadline(time.Now().Add(answerTime))
		_, err := l.conn.Write(message.Bytes())
		sent <- err
	}()
	late := time.NewTimer(answerTime)
	defer late.Stop()
	for {
		select {
		case got := <-answer:
			return got, nil
		case err := <-sent:
			if err != nil {
				_ = l.conn.Close()
				return nil, err
			}
			sent = nil
		case <-l.dead:
			return nil, io.ErrUnexpectedEOF
		case <-late.C:
			_ = l.conn.Close()
			return nil, os.ErrDeadlineExceeded
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// refusal is an answer of the server that a repetition would not change.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func mountedHandle(body *bytes.Reader) ([]byte, error) {
	status, err := xdr.ReadUint32(body)
	if err != nil {
		return nil, err
	}
	if status != nfs.MNT3Ok {
		return nil, refusal{statusError(status)}
	}
	return opaque(body)
}

// opaque reads bytes whose length the other side says, if that many are there.
func opaque(body *bytes.Reader) ([]byte, error) {
	size, err := xdr.ReadUint32(body)
	if err != nil || int64(size) > int64(body.Len()) {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	found := make([]byte, size)
	_, err = io.ReadFull(body, found)
	_, _ = io.CopyN(io.Discard, body, int64(-size&3))
	return found, err
}

func header(program, procedure uint32) rpc.Header {
	return rpc.Header{Rpcvers: 2, Prog: program, Vers: 3, Proc: procedure, Cred: rpc.AuthNull, Verf: rpc.AuthNull}
}

// accepted is what follows the head of an answer.
func accepted(answer []byte) (*bytes.Reader, error) {
	body := bytes.NewReader(answer)
	var head struct{ Kind, Denied, Flavor uint32 }
	if err := xdr.Read(body, &head); err != nil {
		return nil, err
	}
	if _, err := opaque(body); err != nil || head.Kind != 1 || head.Denied != 0 {
		return nil, refusal{syscall.EIO}
	}
	if status, err := xdr.ReadUint32(body); err != nil || status != 0 {
		return nil, refusal{syscall.EIO}
	}
	return body, nil
}

var errnos = map[uint32]error{
	nfs.NFS3ErrPerm: syscall.EPERM, nfs.NFS3ErrNoEnt: syscall.ENOENT, nfs.NFS3ErrIO: syscall.EIO,
	nfs.NFS3ErrAcces: syscall.EACCES, nfs.NFS3ErrExist: syscall.EEXIST, nfs.NFS3ErrNotDir: syscall.ENOTDIR,
	nfs.NFS3ErrIsDir: syscall.EISDIR, nfs.NFS3ErrInval: syscall.EINVAL, nfs.NFS3ErrFBig: syscall.EFBIG,
	nfs.NFS3ErrNoSpc: syscall.ENOSPC, nfs.NFS3ErrROFS: syscall.EROFS, nfs.NFS3ErrNameTooLong: syscall.ENAMETOOLONG,
	nfs.NFS3ErrNotEmpty: syscall.ENOTEMPTY, nfs.NFS3ErrStale: syscall.ESTALE, nfs.NFS3ErrBadHandle: syscall.ESTALE,
	nfs.NFS3ErrNotSupp: syscall.ENOTSUP,
}

func statusError(status uint32) error {
	if known := errnos[status]; known != nil {
		return known
	}
	return syscall.EIO
}
