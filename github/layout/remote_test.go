package layout_test

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/fsapi"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/p9db"
	"github.com/datakit/datakit/vfs"
)

// remote returns a world whose database is at the other end of a connection.
func remote(t *testing.T) world {
	t.Helper()
	mem := memdb.New(nil)
	fs := fsapi.New(mem, nil)
	s := &p9.Server{NewSession: func() (vfs.Dir, func(), error) {
		session := fs.NewSession()
		return session.Root(), session.Close, nil
	}}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { s.Serve(ctx, l) })
	t.Cleanup(func() {
		cancel()
		serving.Wait()
		mem.Close()
	})
	db, err := p9db.Dial(t.Context(), "unix", l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return world{t, db}
}

// TestGH74_OverAConnection writes many elements at once, and reads them in full
// and incrementally, as a bridge does that runs beside a server.
func TestGH74_OverAConnection(t *testing.T) {
	t.Parallel()
	w := remote(t)
	elements := []github.Element{repo, p1, p3, s1, s2, s3, s4, r1}
	for i := range 100 {
		pr := p1
		pr.Number = 10 + i
		elements = append(elements, pr)
	}
	var contents []layout.Content
	for _, d := range []github.Diff{
		github.NewDiff(elements, nil),
		github.NewDiff([]github.Element{p2, s5}, []github.ID{s4.ID(), p3.ID()}),
	} {
		var older *layout.Content
		if len(contents) > 0 {
			older = &contents[len(contents)-1]
		}
		h := w.edit(func(tx *datakit.Tx) error {
			changed, err := layout.Apply(t.Context(), tx, d)
			if !changed {
				t.Errorf("applied %v, and nothing has changed: %v", d, err)
			}
			return err
		})
		tx, c, err := layout.Begin(t.Context(), w.db, branch, older)
		if err != nil {
			t.Fatal(err)
		}
		tx.Abort()
		if want := w.full(h); !same(c, want) {
			t.Fatalf("read %s, want %s", text(c), text(want))
		}
		contents = append(contents, c)
	}
	want := github.NewSnapshot(elements...).Apply(github.NewDiff([]github.Element{p2, s5}, []github.ID{s4.ID(), p3.ID()}))
	if got := contents[1].Snapshot; !got.Equal(want) {
		t.Errorf("read %v", github.Compute(got, want))
	}
}
