package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/willscott/go-nfs-client/nfs"
	"github.com/willscott/go-nfs-client/nfs/rpc"
	"github.com/willscott/go-nfs-client/nfs/xdr"
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
