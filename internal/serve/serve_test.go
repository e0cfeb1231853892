package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit/internal/endpoint"
	"github.com/datakit/datakit/internal/logs"
	"github.com/datakit/datakit/internal/metrics"
	"github.com/datakit/datakit/p9"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newServer returns a server on a Unix socket that logs nothing and tells out
// where it listens.
func newServer(t *testing.T, out io.Writer) (s *Server, socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "dk") // t.TempDir can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	a, err := endpoint.Parse("file://"+socket, endpoint.DefaultPort)
	if err != nil {
		t.Fatal(err)
	}
	l, err := logs.New(logs.Options{Level: logs.Quiet, Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return &Server{
		Addresses: []endpoint.Address{a},
		Grace:     time.Second,
		Metrics:   metrics.New(),
		Logs:      l,
		Out:       out,
	}, socket
}

// start runs s until stop, which returns what Run does.
func start(t *testing.T, s *Server) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

// connect connects to a server that is starting.
func connect(t *testing.T, socket string) *p9.Client {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		c, err := p9.Dial(t.Context(), "unix", socket, nil)
		if err == nil {
			return c
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestFS202_NothingIsLeft stops servers of both kinds of database while a client
// has a transaction and a stream open, and a read waits.
func TestFS202_NothingIsLeft(t *testing.T) {
	for _, repository := range []string{"", filepath.Join(t.TempDir(), "repo")} {
		s, socket := newServer(t, io.Discard)
		s.Repository = repository
		s.MetricsAddr = "127.0.0.1:0"
		s.AutoPush = t.TempDir()
		stop := start(t, s)
		c := connect(t, socket)
		for _, dir := range []string{"branch/b", "branch/b/transactions/t"} {
			if err := c.Mkdir(t.Context(), dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		stream, err := c.OpenStream(t.Context(), "branch/b/head.live")
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error)
		go func() {
			for {
				if _, err := stream.Next(t.Context()); err != nil {
					read <- err
					return
				}
			}
		}()
		if err := stop(); err != nil {
			t.Errorf("Run = %v", err)
		}
		if err := <-read; !errors.Is(err, p9.ErrConnection) {
			t.Errorf("the read ended with %v, want %v", err, p9.ErrConnection)
		}
		stream.Close()
		c.Close()
		if _, err := os.Lstat(socket); err == nil {
			t.Error("the socket is left")
		}
	}
}

func TestFS181_FailuresLeaveNothing(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(s *Server){
		"repository": func(s *Server) { s.Repository = filepath.Join(file, "x") },
		"metrics":    func(s *Server) { s.MetricsAddr = busy.Addr().String() },
		"address": func(s *Server) {
			a, err := endpoint.Parse("tcp://"+busy.Addr().String(), endpoint.DefaultPort)
			if err != nil {
				t.Fatal(err)
			}
			s.Addresses = append(s.Addresses, a)
		},
	} {
		s, socket := newServer(t, io.Discard)
		spoil(s)
		if err := s.Run(t.Context()); err == nil {
			t.Errorf("%s: Run succeeded", name)
		}
		if _, err := os.Lstat(socket); err == nil {
			t.Errorf("%s: the socket is left", name)
		}
	}
}

func TestGreeting(t *testing.T) {
	for _, tt := range []struct {
		a           net.Addr
		where, hint string
	}{
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5640}, "tcp://127.0.0.1:5640", "datakit mount --addr tcp://127.0.0.1:5640 DIR"},
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 1}, "tcp://[::]:1", "datakit mount --addr tcp://HOST:1 DIR"},
		{&net.UnixAddr{Name: "/s", Net: "unix"}, "file:///s", "datakit mount --addr file:///s DIR"},
		{&net.IPAddr{IP: net.IPv4(1, 2, 3, 4)}, "1.2.3.4", ""},
	} {
		if got := where(tt.a); got != tt.where {
			t.Errorf("where(%s) = %s, want %s", tt.a, got, tt.where)
		}
		if got := mountHint(tt.a); got != tt.hint {
			t.Errorf("mountHint(%s) = %q, want %q", tt.a, got, tt.hint)
		}
	}
	var out strings.Builder
	s, socket := newServer(t, &out)
	stop := start(t, s)
	connect(t, socket).Close()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "Serving a database in memory") || !strings.Contains(got, "Listening on file://"+socket+".\n") {
		t.Errorf("greeted with\n%s", got)
	}
}
