package bridges

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/internal/endpoint"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestGH193_Endpoints(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"tcp://localhost:1234": "tcp://localhost:1234",
		"tcp://localhost":      "tcp://localhost:5640",
		"tcp://[::1]:5640":     "tcp://[::1]:5640",
		"tcp://[::1]":          "tcp://[::1]:5640",
		"tcp:localhost:1234":   "tcp://localhost:1234",
		"tcp:localhost":        "tcp://localhost:5640",
		"file:///a/b":          "file:///a/b",
		"unix:///a/b":          "unix:///a/b",
		"unix://a":             "unix://a",
		"git:///a/b":           "git:///a/b",
		"git://a":              "git://a",
	} {
		if got, err := ParseEndpoint(text); got != want || err != nil {
			t.Errorf("ParseEndpoint(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestGH193_WrongEndpoints(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                 "invalid endpoint",
		"localhost":        "invalid endpoint",
		"localhost:5640":   "invalid endpoint",
		"http://localhost": "invalid endpoint",
		"fd://3":           "invalid endpoint",
		"unix:/a":          "invalid endpoint",
		"git:/a":           "invalid endpoint",
		"tcp://a:b":        "tcp://host:port",
		"tcp://a:70000":    "tcp://host:port",
		"tcp://":           "tcp://host:port",
		"tcp:a:b":          "tcp://host:port",
		"git://":           "git://PATH",
	} {
		got, err := ParseEndpoint(text)
		if err == nil || !strings.Contains(err.Error(), want) || text != "" && !strings.Contains(err.Error(), text) {
			t.Errorf("ParseEndpoint(%q) = %q, %v, want an error with %q", text, got, err, want)
		}
	}
	if _, err := ParseEndpoint("x"); !errors.Is(err, endpoint.ErrInvalid) {
		t.Errorf("ParseEndpoint(x): error %v", err)
	}
}

// TestGH195_IdleConnection: without any work the server is asked whether it is
// there, and when it is not the bridge connects again.
func TestGH195_IdleConnection(t *testing.T) {
	t.Parallel()
	path, conns := serve(t)
	pinged := make(chan time.Duration, 1000)
	base := Database{Endpoint: "unix://" + path, Branch: "b", ping: time.Millisecond, onPing: func(d time.Duration) {
		select {
		case pinged <- d:
		default: // there are enough
		}
	}}
	db, err := base.open(t.Context(), true, discard)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	first := next(t, conns)
	for deadline := time.Now().Add(patience); first.reads.Load() < 100; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("an idle connection has brought %d messages in %v", first.reads.Load(), patience)
		}
	}
	if d := <-pinged; d <= 0 {
		t.Errorf("a ping took %v", d)
	}
	first.Close()
	next(t, conns)
}

// serve serves an empty database at a Unix socket until the test ends, and
// tells of the connections.
func serve(t *testing.T) (path string, conns <-chan *counted) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	made := make(chan *counted, 10)
	store := memdb.New(nil)
	fs := fsapi.New(store, nil)
	s := &p9.Server{NewSession: func() (vfs.Dir, func(), error) {
		session := fs.NewSession()
		return session.Root(), session.Close, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); s.Serve(ctx, &counting{l, made}) }()
	t.Cleanup(func() {
		cancel()
		<-served
		store.Close()
	})
	return path, made
}

const patience = 30 * time.Second

var discard = slog.New(slog.DiscardHandler)

// next returns the next connection.
func next(t *testing.T, conns <-chan *counted) *counted {
	t.Helper()
	select {
	case c := <-conns:
		return c
	case <-time.After(patience):
		t.Fatalf("there is no connection after %v", patience)
		return nil
	}
}

// A counting listener tells of its connections.
type counting struct {
	net.Listener
	conns chan<- *counted
}

func (l *counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	with := &counted{Conn: c}
	l.conns <- with
	return with, nil
}

// A counted connection counts what is read from it.
type counted struct {
	net.Conn
	reads atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.reads.Add(1)
	return n, err
}
