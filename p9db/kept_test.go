package p9db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
	"github.com/datakit/datakit/p9db"
)

// TestCL28_NeverKept: what may change is asked for each time, and so is what was
// not there and may come.
func TestCL28_NeverKept(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	mem := memdb.New(nil)
	network, addr := serve(t, mem)
	db := dial(t, network, addr, 0, 0)
	b := db.Branch("master")
	other := memdb.New(nil) // which has what is not there yet
	defer other.Close()
	commit := func(db *datakit.DB, text string) datakit.Hash {
		t.Helper()
		return write(t, db, "f", text)
	}
	coming := commit(other, "1")
	for range 2 {
		if _, err := db.Commit(ctx, coming); !errors.Is(err, datakit.NotExist) {
			t.Fatalf("Commit: error %v, want one of kind %v", err, datakit.NotExist)
		}
	}
	tree := must[*datakit.Commit](t)(other.Commit(ctx, coming)).TreeID
	for range 2 {
		if _, err := db.Tree(ctx, datakit.TreeID{Mode: datakit.Dir, Hash: tree}); !errors.Is(err, datakit.NotExist) {
			t.Fatalf("Tree: error %v, want one of kind %v", err, datakit.NotExist)
		}
	}
	if names := must[[]string](t)(db.Branches(ctx)); len(names) != 0 {
		t.Errorf("branches %q, want none", names)
	}
	for _, text := range []string{"1", "2"} {
		h := commit(mem, text)
		if got := must[datakit.Hash](t)(b.Head(ctx)); got != h {
			t.Errorf("head %v, want %v", got, h)
		}
		now := must[*datakit.Tree](t)(b.Tree(ctx))
		if got := must[[]byte](t)(now.ReadFile(ctx, "f")); string(got) != text {
			t.Errorf("the file is %q, want %q", got, text)
		}
	}
	must[*datakit.Tree](t)(db.Tree(ctx, datakit.TreeID{Mode: datakit.Dir, Hash: tree})) // which has come
	if names := must[[]string](t)(db.Branches(ctx)); len(names) != 1 {
		t.Errorf("branches %q, want one", names)
	}
	tx := must[*datakit.Tx](t)(b.Begin(ctx))
	defer tx.Abort()
	for _, text := range []string{"3", "4"} {
		if err := tx.WriteFile(ctx, "f", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := must[[]byte](t)(tx.ReadFile(ctx, "f")); string(got) != text {
			t.Errorf("the file of the transaction is %q, want %q", got, text)
		}
	}
}

// TestCL29_BoundedCache: what is kept is bounded by its size, so that a tree that
// is larger is asked for again, and commits with one tree share what is kept.
func TestCL29_BoundedCache(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	files := make(map[datakit.Path]string)
	for i := range 20 {
		files[datakit.Path(fmt.Sprintf("f%d", i))] = strings.Repeat(fmt.Sprint(i%10), 100_000)
	}
	for _, tt := range []struct {
		bytes int
		again bool // all of it is asked for again
	}{{1 << 20, true}, {-1, true}, {16 << 20, false}} {
		mem := memdb.New(nil)
		network, addr := serve(t, mem)
		db, conn := countedWith(t, network, addr, &p9db.Options{CacheBytes: tt.bytes})
		wantFiles(t, readAll(t, treeOf(t, mem, db, files)), files)
		err := mem.Branch("master").Update(ctx, "another commit of the same tree", func(*datakit.Tx) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		before := conn.bytes.Load()
		wantFiles(t, readAll(t, must[*datakit.Tree](t)(db.Branch("master").Tree(ctx))), files)
		if moved := conn.bytes.Load() - before; tt.again != (moved > 1<<20) {
			t.Errorf("with room for %d bytes, reading again takes %d bytes", tt.bytes, moved)
		}
	}
}
