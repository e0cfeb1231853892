package bridges

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datakit/datakit/tests/daemon"
)

// A stall is a proxy to a server that can stop to carry anything.
type stall struct {
	net.Listener
	to      string
	stalled atomic.Bool
	end     chan struct{} // closed when what has stalled may end
	work    sync.WaitGroup
}

// newStall returns a proxy to the Unix socket at addr.
func newStall(t *testing.T, addr string) *stall {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stall{Listener: l, to: addr, end: make(chan struct{})}
	s.work.Go(s.run)
	t.Cleanup(func() {
		close(s.end)
		l.Close()
		s.work.Wait()
	})
	return s
}

func (s *stall) run() {
	for {
		in, err := s.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("unix", s.to)
		if err != nil {
			in.Close()
			continue
		}
		s.work.Go(func() { s.carry(in, out) })
		s.work.Go(func() { s.carry(out, in) })
	}
}

// carry copies until an end closes; what comes while stalled is kept.
func (s *stall) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if s.stalled.Load() {
			<-s.end
			return
		}
		if _, writeErr := to.Write(buf[:n]); writeErr != nil || err != nil {
			return
		}
	}
}

// TestGH203_ServerHangs: a server that no longer answers does not keep the
// bridges from ending, whatever they wait for.
func TestGH203_ServerHangs(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]func(w *world, endpoint string) *daemon.Process{
		"github": func(w *world, endpoint string) *daemon.Process {
			return daemon.Command(w.t, w.env(), "bridge", "github", "-d", endpoint, "--api-url", w.url, "-r", "test/test", "--resync", "0.02")
		},
		"git": func(w *world, endpoint string) *daemon.Process {
			dir, _ := project(w.t)
			return daemon.Command(w.t, nil, "bridge", "git", "-d", endpoint, "test/test:"+dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.ref("heads/main", "foo")
			d := daemon.Start(t, w.dir)
			s := newStall(t, d.Addr)
			p := command(w, "tcp://"+s.Addr().String())
			p.Until("the branch is mirrored", func() bool { return w.file("test/test/ref/heads/main/head") != gone })
			s.stalled.Store(true)
			w.commit(map[string]string{"test/test/ref/heads/main/head": "bar\n"})
			time.Sleep(100 * time.Millisecond) // so that, most likely, something waits for the server
			p.Stop()
		})
	}
}
