package p9db_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/dbtest"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/vfs"
)

// A server can be stopped and started again, with the same database.
type server struct {
	tb    testing.TB
	db    *datakit.DB
	path  string
	grace time.Duration

	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newServer(tb testing.TB) *server {
	s := &server{tb: tb, db: memdb.New(nil), path: filepath.Join(tb.TempDir(), "s")}
	s.start()
	tb.Cleanup(func() {
		s.stop()
		s.db.Close()
	})
	return s
}

func (s *server) start() {
	s.tb.Helper()
	l, err := net.Listen("unix", s.path)
	if err != nil {
		s.tb.Fatal(err)
	}
	fs := fsapi.New(s.db, nil)
	p := &p9.Server{Grace: s.grace, NewSession: func() (vfs.Dir, func(), error) {
		session := fs.NewSession()
		return session.Root(), session.Close, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.done.Go(func() { p.Serve(ctx, l) })
}

func (s *server) stop() {
	s.cancel()
	s.done.Wait()
}

func (s *server) dial(ctx context.Context) (io.ReadWriteCloser, error) {
	return new(net.Dialer).DialContext(ctx, "unix", s.path)
}

// connect returns the database at s, and what it tells about its connections.
func (s *server) connect() (*datakit.DB, chan error) {
	states := make(chan error, 1000)
	db := p9db.Reconnecting(s.dial, &p9db.ReconnectOptions{
		MinDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond,
		OnConnect: func(err error) { states <- err },
	})
	s.tb.Cleanup(func() { db.Close() })
	return db, states
}

// restart stops s, lets the database notice, and starts s.
func (s *server) restart(states chan error) {
	s.tb.Helper()
	s.stop()
	for err := range states {
		if err != nil {
			break
		}
	}
	s.start()
}

func must[T any](tb testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func write(tb testing.TB, db *datakit.DB, path datakit.Path, text string) datakit.Hash {
	tb.Helper()
	b := db.Branch("master")
	err := b.Update(tb.Context(), "write "+string(path), func(tx *datakit.Tx) error {
		return tx.WriteFile(tb.Context(), path, []byte(text))
	})
	if err != nil {
		tb.Fatal(err)
	}
	return must[datakit.Hash](tb)(b.Head(tb.Context()))
}

// TestCL2_Reconnecting runs the conformance suite over a connection that is not
// lost.
func TestCL2_Reconnecting(t *testing.T) {
	dbtest.Config{Light: light, Some: some(3), Open: func(tb testing.TB) *datakit.DB {
		network, addr := serve(tb, memdb.New(nil))
		dial := func(ctx context.Context) (io.ReadWriteCloser, error) { return p9.DialConn(ctx, network, addr) }
		db := p9db.Reconnecting(dial, nil)
		tb.Cleanup(func() { db.Close() })
		return db
	}}.Run(t)
}

func TestReconnecting_ReadsGoOn(t *testing.T) {
	s := newServer(t)
	db, states := s.connect()
	head := write(t, s.db, "f", "text")
	tree := must[*datakit.Tree](t)(db.Branch("master").Tree(t.Context()))
	blob := must[datakit.Blob](t)(tree.Open(t.Context(), "f"))
	defer blob.Close()
	for range 3 {
		s.restart(states)
		if got := must[datakit.Hash](t)(db.Branch("master").Head(t.Context())); got != head {
			t.Errorf("head %s, want %s", got, head)
		}
		if got := must[[]datakit.Entry](t)(tree.ReadDir(t.Context(), datakit.Root)); len(got) != 1 {
			t.Errorf("entries %v, want one", got)
		}
		p := make([]byte, 4)
		if n, err := blob.ReadAt(t.Context(), p, 0); string(p[:n]) != "text" || err != nil && err != io.EOF {
			t.Errorf("the blob is %q, error %v", p[:n], err)
		}
	}
}

func TestReconnecting_WatchesGoOn(t *testing.T) {
	s := newServer(t)
	db, states := s.connect()
	first := write(t, s.db, "f", "1")
	b := db.Branch("master")
	heads := must[datakit.Watch[datakit.Hash]](t)(b.Watch(t.Context()))
	defer heads.Close()
	if got := must[datakit.Hash](t)(heads.Next(t.Context())); got != first {
		t.Fatalf("head %s, want %s", got, first)
	}
	files := must[datakit.Watch[datakit.Entry]](t)(b.WatchPath(t.Context(), "f"))
	defer files.Close()
	before := must[datakit.Entry](t)(files.Next(t.Context()))
	log := must[datakit.Watch[datakit.Hash]](t)(b.Reflog(t.Context()))
	defer log.Close()

	next := make(chan datakit.Hash, 1)
	go func() {
		h, _ := heads.Next(t.Context()) // waits while the connection is lost
		next <- h
	}()
	s.restart(states)
	if _, err := log.Next(t.Context()); !errors.Is(err, datakit.Overflow) {
		t.Errorf("reflog: error %v, want one of kind %v", err, datakit.Overflow)
	}
	second := write(t, s.db, "f", "2")
	if got := <-next; got != second {
		t.Errorf("head %s, want %s: the one known is skipped", got, second)
	}
	if got := must[datakit.Entry](t)(files.Next(t.Context())); got.Hash == before.Hash {
		t.Errorf("entry %v again", got)
	}
	if got := must[datakit.Hash](t)(log.Next(t.Context())); got != second {
		t.Errorf("reflog %s, want %s", got, second)
	}
}

func TestReconnecting_TransactionsAreLost(t *testing.T) {
	s := newServer(t)
	db, states := s.connect()
	tx := must[*datakit.Tx](t)(db.Branch("master").Begin(t.Context()))
	defer tx.Abort()
	s.restart(states)
	must[[]string](t)(db.Branches(t.Context())) // there is a connection
	for name, err := range map[string]error{
		"write":  tx.WriteFile(t.Context(), "f", nil),
		"commit": tx.Commit(t.Context(), "m"),
	} {
		if !errors.Is(err, p9.ErrConnection) || !errors.Is(err, datakit.IO) {
			t.Errorf("%s: error %v, want %v, of kind %v", name, err, p9.ErrConnection, datakit.IO)
		}
	}
	write(t, db, "f", "in another transaction")
}

func TestReconnecting_WaitsForServer(t *testing.T) {
	s := newServer(t)
	s.stop()
	db, states := s.connect()
	if err := <-states; err == nil {
		t.Error("connected to nobody")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := db.Branches(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Branches without a server: error %v, want %v", err, context.DeadlineExceeded)
	}
	s.start()
	must[[]string](t)(db.Branches(t.Context()))
}

func TestReconnecting_CloseEndsWaits(t *testing.T) {
	s := newServer(t)
	db, states := s.connect()
	w := must[datakit.Watch[datakit.Hash]](t)(db.Branch("master").Watch(t.Context()))
	must[datakit.Hash](t)(w.Next(t.Context()))
	s.stop()
	for <-states == nil {
	}
	ended := make(chan error, 2)
	go func() { _, err := w.Next(t.Context()); ended <- err }()
	go func() { _, err := db.Branches(t.Context()); ended <- err }()
	db.Close()
	for range 2 {
		if err := <-ended; !errors.Is(err, datakit.Closed) {
			t.Errorf("error %v, want one of kind %v", err, datakit.Closed)
		}
	}
	w.Close()
}
