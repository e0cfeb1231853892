package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/datakit/datakit/bench/wire"
)

// A server is a process that serves 9P on a Unix socket.
type server struct {
	name   string
	socket string
	aname  string   // what to attach to
	prefix []string // the walk from there to the files to read
	cmd    *exec.Cmd
	log    *bytes.Buffer
	done   chan error
}

// serve starts a server and waits until it accepts connections.
func (e *env) serve(name, socket, path string, args ...string) (*server, error) {
	s := &server{name: name, socket: socket, log: new(bytes.Buffer), done: make(chan error, 1)}
	s.cmd = exec.Command(path, args...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = childAttr()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.done <- s.cmd.Wait() }() // ends when the process does: see stop
	if err := s.await(e.ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s: %w: %s", name, err, s.log)
	}
	return s, nil
}

// await polls until the server accepts, ends, or a minute has passed.
func (s *server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if nc, err := net.Dial("unix", s.socket); err == nil {
			return nc.Close()
		}
		select {
		case err := <-s.done:
			s.done <- err
			return errors.New("ended before it accepted connections")
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// stop asks the server to end, and makes it end after ten seconds.
func (s *server) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-s.done
	}
}

// dial connects to the server, as one of possibly many.
func (s *server) dial(msize uint32) (*wire.Conn, error) {
	return wire.Dial(s.socket, msize, s.aname)
}

// serveDatakit starts our own command over the repository at path.
func (e *env) serveDatakit(path string) (*server, error) {
	bin, err := e.datakit()
	if err != nil {
		return nil, err
	}
	socket, err := e.socket("datakit")
	if err != nil {
		return nil, err
	}
	return e.serve("datakit", socket, bin, "serve", "--git", path, "--url", "file://"+socket)
}

// socket returns a new path for a socket, short enough for one.
func (e *env) socket(name string) (string, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return "", err
	}
	e.cleanup = append(e.cleanup, func() { os.RemoveAll(dir) })
	return filepath.Join(dir, name), nil
}
