package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// network is what Pods speak over. It is in memory: no port of this machine is opened for a Pod, and none can be
// reached by one. From outside the way in is `kubectl port-forward`, which asks for the cluster's credential.
type network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	changed   chan struct{} // closed, and another one made, at each change
	// behind returns the Pods' addresses that are ready behind the address of a Service.
	behind func(ip string, port int) []string
}

func newNetwork() *network {
	return &network{
		listeners: map[string]*listener{},
		changed:   make(chan struct{}),
		behind:    func(string, int) []string { return nil },
	}
}

// wake tells all who wait for a server to look again.
func (n *network) wake() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}

// Changed is closed at the next change.
func (n *network) Changed() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

func address(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }

func (n *network) Listen(ip string, port int) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := address(ip, port)
	if n.listeners[at] != nil {
		return nil, fmt.Errorf("%s: %w", at, syscall.EADDRINUSE)
	}
	made := &listener{network: n, at: at, arrivals: make(chan net.Conn), closed: make(chan struct{}), open: map[*connection]bool{}}
	n.listeners[at] = made
	close(n.changed)
	n.changed = make(chan struct{})
	return made, nil
}

// Dial connects to a Pod, or to one that is ready behind a Service.
func (n *network) Dial(ctx context.Context, ip string, port int) (net.Conn, error) {
	n.mu.Lock()
	found := n.listeners[address(ip, port)]
	n.mu.Unlock()
	if found == nil {
		for _, at := range n.behind(ip, port) {
			n.mu.Lock()
			found = n.listeners[at]
			n.mu.Unlock()
			if found != nil {
				break
			}
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%s: %w", address(ip, port), syscall.ECONNREFUSED)
	}
	ours, theirs := net.Pipe()
	select {
	case found.arrivals <- theirs:
		return ours, nil
	case <-found.closed:
		return nil, fmt.Errorf("%s: %w", address(ip, port), syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type listener struct {
	network  *network
	at       string
	arrivals chan net.Conn
	closed   chan struct{}
	mu       sync.Mutex
	open     map[*connection]bool
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case arrived := <-l.arrivals:
		l.mu.Lock()
		defer l.mu.Unlock()
		made := &connection{Conn: arrived, listener: l}
		select {
		case <-l.closed:
			_ = arrived.Close()
			return nil, net.ErrClosed
		default:
			l.open[made] = true
			return made, nil
		}
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the connections too: a server that is gone answers nobody.
func (l *listener) Close() error {
	l.network.mu.Lock()
	if l.network.listeners[l.at] == l {
		delete(l.network.listeners, l.at)
	}
	l.network.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		return nil
	default:
		close(l.closed)
	}
	for each := range l.open {
		_ = each.Conn.Close()
	}
	return nil
}

func (l *listener) Addr() net.Addr { return podAddress(l.at) }

type podAddress string

func (podAddress) Network() string  { return "tcp" }
func (a podAddress) String() string { return string(a) }

type connection struct {
	net.Conn
	listener *listener
}

func (c *connection) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
