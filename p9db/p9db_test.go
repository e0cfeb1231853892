package p9db_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/dbtest"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/vfs"
)

// serve serves a database until the test ends and returns where.
func serve(tb testing.TB, db *datakit.DB) (network, addr string) {
	tb.Helper()
	network, addr, _ = serveAt(tb, db)
	return network, addr
}

// serveAt is serve that returns the server as well.
func serveAt(tb testing.TB, db *datakit.DB) (network, addr string, srv *p9.Server) {
	tb.Helper()
	network = "unix"
	addr, srv = serveOn(tb, db, network, filepath.Join(tb.TempDir(), "s"))
	return network, addr, srv
}

// serveOn serves a database at an address.
func serveOn(tb testing.TB, db *datakit.DB, network, at string) (addr string, srv *p9.Server) {
	tb.Helper()
	fs := fsapi.New(db, nil)
	s := &p9.Server{NewSession: func() (vfs.Dir, func(), error) {
		session := fs.NewSession()
		return session.Root(), session.Close, nil
	}}
	l, err := net.Listen(network, at)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Serve(ctx, l) })
	tb.Cleanup(func() {
		cancel()
		wg.Wait()
		db.Close()
	})
	return l.Addr().String(), s
}

// open opens a new database in memory through a server.
func open(tb testing.TB, opts *p9db.Options, mem *memdb.Options) *datakit.DB {
	tb.Helper()
	network, addr := serve(tb, memdb.New(mem))
	db, err := p9db.Dial(context.Background(), network, addr, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// dial opens the database of a server with limits, of which 0 is the default.
func dial(tb testing.TB, network, addr string, msize uint32, fids int) *datakit.DB {
	tb.Helper()
	db := must[*datakit.DB](tb)(p9db.Dial(tb.Context(), network, addr, &p9db.Options{Msize: msize, MaxFids: fids}))
	tb.Cleanup(func() { db.Close() })
	return db
}

// light is whether the suite leaves out what takes minutes over a connection:
// unless there is time, which SOAK says.
var light = os.Getenv("SOAK") == ""

// some is how many checks there are to each that runs, unless there is time.
func some(n int) int {
	if light {
		return n
	}
	return 0
}

// suite is the conformance suite over a dialect.
func suite(version string) dbtest.Config {
	opts := &p9db.Options{Version: version}
	return dbtest.Config{
		Light: light,
		Open:  func(tb testing.TB) *datakit.DB { return open(tb, opts, nil) },
		OpenAt: func(tb testing.TB, now func() time.Time) *datakit.DB {
			return open(tb, opts, &memdb.Options{Now: now})
		},
	}
}

// TestCL2_Linux runs the conformance suite over 9P2000.L, all of it.
func TestCL2_Linux(t *testing.T) { suite("").Run(t) }

// TestCL2_Unix runs the conformance suite over 9P2000.u.
func TestCL2_Unix(t *testing.T) {
	c := suite("9P2000.u")
	c.Some = some(3)
	c.Run(t)
}

// TestCL2_Plain runs the conformance suite over 9P2000, but for symlinks.
func TestCL2_Plain(t *testing.T) {
	c := suite("9P2000")
	c.Some, c.NoSymlinks = some(2), true
	c.Run(t)
}

// TestCL1_CL2_TCP runs the conformance suite over TCP.
func TestCL1_CL2_TCP(t *testing.T) {
	dbtest.Config{Light: light, Some: some(4), Open: func(tb testing.TB) *datakit.DB {
		addr, _ := serveOn(tb, memdb.New(nil), "tcp", "127.0.0.1:0")
		return dial(tb, "tcp", addr, 0, 0)
	}}.Run(t)
}

// TestCL32_SymlinkInPlain: 9P2000 has no message to make a symbolic link, which is
// an error; everything else works.
func TestCL32_SymlinkInPlain(t *testing.T) {
	ctx := t.Context()
	db := open(t, &p9db.Options{Version: "9P2000"}, nil)
	tx, err := db.Branch("master").Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Abort()
	if err := tx.Symlink(ctx, "link", "target"); !errors.Is(err, datakit.IO) {
		t.Errorf("Symlink: error %v, want one of kind %v", err, datakit.IO)
	}
	for _, err := range []error{
		tx.MkdirAll(ctx, "a/b"), tx.Create(ctx, "a/b/f", datakit.Executable, []byte("text")),
		tx.Mkdir(ctx, "c"), tx.Rename(ctx, "a/b", "c/d"), tx.Commit(ctx, "move"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tree, err := db.Branch("master").Tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tree.ReadFile(ctx, "c/d/f"); string(got) != "text" || err != nil {
		t.Errorf("the file that was moved is %q, error %v", got, err)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
