package connect_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/connect"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve serves a database in memory until the test ends, and returns at which
// address of the network.
func serve(t *testing.T, network, addr string) string {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	db := memdb.New(nil)
	fs := fsapi.New(db, nil)
	s := &p9.Server{NewSession: func() (vfs.Dir, func(), error) {
		session := fs.NewSession()
		return session.Root(), session.Close, nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done; db.Close() })
	return l.Addr().String()
}

// works checks that a database keeps what is written.
func works(t *testing.T, db *datakit.DB) {
	t.Helper()
	ctx := t.Context()
	b := db.Branch("master")
	err := b.Update(ctx, "m", func(tx *datakit.Tx) error { return tx.WriteFile(ctx, "f", []byte("x")) })
	if err != nil {
		t.Fatal(err)
	}
	tree, err := b.Tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tree.ReadFile(ctx, "f"); string(got) != "x" || err != nil {
		t.Errorf("f is %q, error %v", got, err)
	}
}

func TestCL58_EveryForm(t *testing.T) {
	t.Parallel()
	socket := serve(t, "unix", filepath.Join(t.TempDir(), "s"))
	for _, addr := range []string{
		"tcp://" + serve(t, "tcp", "127.0.0.1:0"),
		"file://" + socket,
		"unix://" + socket,
		"git://" + filepath.Join(t.TempDir(), "new"),
	} {
		for name, opts := range map[string]*connect.Options{"": nil, " again": {Reconnect: new(p9db.ReconnectOptions)}} {
			t.Run(addr+name, func(t *testing.T) {
				db, err := connect.Open(t.Context(), addr, opts)
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				works(t, db)
			})
		}
	}
}

// TestCL59_RepositoryBesideServer opens a repository that another database has
// open.
func TestCL59_RepositoryBesideServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	other, err := gitdb.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	db, err := connect.Open(t.Context(), "git://"+dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w, err := other.Branch("master").Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	works(t, db)
	ours, err := db.Branch("master").Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for {
		theirs, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if theirs == ours {
			return
		}
	}
}

// TestCL56_WorkTree: what is committed shows in the work tree.
func TestCL56_WorkTree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := connect.Open(t.Context(), "git://"+dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	works(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "f")); string(got) != "x" || err != nil {
		t.Errorf("f is %q in the work tree, error %v", got, err)
	}
}

func TestCL58_WrongAddresses(t *testing.T) {
	t.Parallel()
	for addr, kind := range map[string]datakit.Kind{
		"":                              datakit.Invalid,
		"localhost":                     datakit.Invalid,
		"http://localhost":              datakit.Invalid,
		"tcp://":                        datakit.Invalid,
		"git://":                        datakit.Invalid,
		"unix://" + t.TempDir() + "/no": datakit.IO,
	} {
		db, err := connect.Open(t.Context(), addr, nil)
		if err == nil {
			db.Close()
		}
		if !errors.Is(err, kind) {
			t.Errorf("Open(%q): error %v, want one of kind %v", addr, err, kind)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := connect.Open(ctx, "unix://"+t.TempDir()+"/no", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a context that is done: error %v", err)
	}
}

// TestNoServerOf9P: of what else answers at an address, the error names that.
func TestNoServerOf9P(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.Read(make([]byte, 100))
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
	}()
	addr := "tcp://" + l.Addr().String()
	_, err = connect.Open(t.Context(), addr, nil)
	if datakit.KindOf(err) != datakit.IO || !strings.HasPrefix(err.Error(), "connect to "+addr+": ") || !errors.Is(err, p9.ErrConnection) {
		t.Errorf("error %v, want one of %s", err, addr)
	}
}
