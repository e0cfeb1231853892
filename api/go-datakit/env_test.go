package datakit_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	contract "github.com/datakit/datakit"
	datakit "github.com/datakit/datakit/api/go-datakit"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is how long a test waits for what must happen.
const testTimeout = 60 * time.Second

// An env is a server with an empty database, and a client of it.
type env struct {
	testing.TB
	ctx    context.Context
	db     *contract.DB // of the server
	server *p9.Server
	addr   string
	opts   datakit.Options
	c      *datakit.Client
}

// over runs fn as a parallel subtest for each dialect.
func over(t *testing.T, fn func(e *env)) {
	t.Parallel()
	for _, version := range []string{"9P2000", "9P2000.u", "9P2000.L"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			fn(newEnv(t, datakit.Options{Version: version}))
		})
	}
}

func newEnv(t testing.TB, opts datakit.Options) *env {
	db := memdb.New(nil)
	t.Cleanup(func() { db.Close() })
	fs := fsapi.New(db, nil)
	e := serve(t, opts, func() (vfs.Dir, func(), error) {
		s := fs.NewSession()
		return s.Root(), s.Close, nil
	})
	e.db = db
	return e
}

// serve serves a tree on a port of its own, and connects a client.
func serve(t testing.TB, opts datakit.Options, session func() (vfs.Dir, func(), error)) *env {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &env{TB: t, ctx: ctx, server: &p9.Server{NewSession: session}, addr: l.Addr().String(), opts: opts}
	var wg sync.WaitGroup
	wg.Go(func() { e.server.Serve(ctx, l) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	e.c = e.dial(opts)
	return e
}

// dial makes another client, which is closed with the test.
func (e *env) dial(opts datakit.Options) *datakit.Client {
	e.Helper()
	c, err := datakit.DialWith(e.ctx, "tcp", e.addr, &opts)
	e.check(err)
	e.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func (e *env) check(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// wants fails the test unless err has a kind.
func (e *env) wants(what string, err error, kind contract.Kind) {
	e.Helper()
	if !errors.Is(err, kind) {
		e.Errorf("%s: %v, want kind %v", what, err, kind)
	}
}

// begin starts a transaction that is aborted with the test.
func (e *env) begin(branch string) *datakit.Transaction {
	e.Helper()
	t, err := datakit.NewTransaction(e.ctx, e.c, branch)
	e.check(err)
	e.Cleanup(func() { t.Abort(context.Background()) })
	return t
}

// put commits one file.
func (e *env) put(branch, content string, path ...string) {
	e.Helper()
	t := e.begin(branch)
	e.check(t.Write(e.ctx, path, content))
	e.check(t.Commit(e.ctx, "put"))
}

// head returns a snapshot of the head of a branch.
func (e *env) head(branch string) *datakit.Snapshot {
	e.Helper()
	h, err := datakit.Head(e.ctx, e.c, branch)
	e.check(err)
	return datakit.NewSnapshot(e.ctx, e.c, datakit.COMMIT, h)
}

// a reader is a Transaction or a Snapshot.
type reader interface {
	Read(ctx context.Context, path []string) (string, error)
}

// has fails the test unless a file has a content.
func (e *env) has(r reader, want string, path ...string) {
	e.Helper()
	if got, err := r.Read(e.ctx, path); err != nil || got != want {
		e.Errorf("%q = %q, %v, want %q", path, got, err, want)
	}
}

// settles waits until the server has no more fids than it had. It may have
// fewer: what was released before may still have counted then.
func (e *env) settles(before int) {
	e.Helper()
	for deadline := time.Now().Add(testTimeout); e.server.Fids() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			e.Fatalf("%d fids are in use, and were %d before", e.server.Fids(), before)
		}
	}
}
