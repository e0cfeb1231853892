package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// probeTime is how long a server may take to answer at a socket that is there
// already. It is a matter of the local kernel alone.
const probeTime = 5 * time.Second

// A unix address is the path of a Unix domain socket.
type unix string

func parseUnix(path string) (transport, error) {
	if path == "" || strings.ContainsRune(path, 0) {
		return nil, ErrInvalid
	}
	return unix(path), nil
}

// addr returns the path such that package net takes it for one: a leading "@"
// would mean a socket without a file.
func (u unix) addr() *net.UnixAddr {
	path := string(u)
	if path[0] == '@' {
		path = "./" + path
	}
	return &net.UnixAddr{Name: path, Net: "unix"}
}

// listen makes the socket. A lock on its directory keeps two servers that start
// at the same time from each taking the other's new socket for a stale one.
func (u unix) listen(ctx context.Context) ([]net.Listener, error) {
	unlock, err := lockDir(ctx, filepath.Dir(string(u)))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := u.removeStale(ctx); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", u.addr())
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // socketFile does it, with more care
	info, err := os.Lstat(string(u))
	if err != nil {
		l.Close()
		return nil, err
	}
	return []net.Listener{&socketFile{l, string(u), info}}, nil
}

// removeStale removes a socket that nobody listens on any more. Anything else
// at the path is an error.
func (u unix) removeStale(ctx context.Context) error {
	info, err := os.Lstat(string(u))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("there is a file already, and it is not a socket")
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	c, err := u.dial(ctx)
	switch {
	case err == nil:
		c.Close()
		return errors.New("another server listens there already: address already in use")
	case !errors.Is(err, errRefused):
		return fmt.Errorf("there is a socket already: %w", err)
	}
	return os.Remove(string(u))
}

func (u unix) dial(ctx context.Context) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", u.addr().Name)
}

// A socketFile is a listener that removes its socket when it is closed, unless
// another one has taken its place.
type socketFile struct {
	net.Listener
	path string
	info fs.FileInfo
}

// Close removes the socket and closes the listener.
func (s *socketFile) Close() error {
	if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.info) {
		os.Remove(s.path)
	}
	return s.Listener.Close()
}
