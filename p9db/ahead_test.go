package p9db_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
)

// treeOf commits files to master, and returns the branch's contents as db has
// them.
func treeOf(tb testing.TB, mem, db *datakit.DB, files map[datakit.Path]string) *datakit.Tree {
	tb.Helper()
	err := mem.Branch("master").Update(tb.Context(), "m", func(tx *datakit.Tx) error {
		for path, content := range files {
			if err := tx.MkdirAll(tb.Context(), path.Dir()); err != nil {
				return err
			}
			if err := tx.WriteFile(tb.Context(), path, []byte(content)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return must[*datakit.Tree](tb)(db.Branch("master").Tree(tb.Context()))
}

// readAll reads all files of a tree, one after the other.
func readAll(tb testing.TB, tree *datakit.Tree) map[datakit.Path]string {
	tb.Helper()
	got := make(map[datakit.Path]string)
	fsys := tree.FS(tb.Context())
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(fsys, path)
		got[datakit.Path(path)] = string(b)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

func wantFiles(tb testing.TB, got, want map[datakit.Path]string) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Errorf("%d files are read, want %d", len(got), len(want))
	}
	for path, content := range want {
		if got[path] != content {
			tb.Errorf("%s has %d bytes, not the %d that were written", path, len(got[path]), len(content))
		}
	}
}

// TestCL30_WarmTree: a tree that is read one file after the other takes few
// writes to the connection, and none when it is read again.
func TestCL30_WarmTree(t *testing.T) {
	t.Parallel()
	const count = 1000
	files := make(map[datakit.Path]string)
	for i := range count {
		files[datakit.Path(fmt.Sprintf("d%d/f%d", i%4, i))] = fmt.Sprintf("%01024d", i)
	}
	mem := memdb.New(nil)
	network, addr := serve(t, mem)
	db, conn := counted(t, network, addr)
	tree := treeOf(t, mem, db, files)
	wantFiles(t, readAll(t, tree), files)
	if n := conn.writes.Load(); n > count {
		t.Errorf("reading %d files takes %d writes", count, n)
	}
	head := must[datakit.Hash](t)(db.Branch("master").Head(t.Context())) // which is answered after what was released
	before := conn.writes.Load()
	c := must[*datakit.Commit](t)(db.Commit(t.Context(), head))
	again := must[*datakit.Tree](t)(c.Tree(t.Context()))
	wantFiles(t, readAll(t, again), files)
	for range 2 {
		if _, err := again.Lookup(t.Context(), "d0/absent"); !errors.Is(err, datakit.NotExist) {
			t.Errorf("Lookup: error %v, want one of kind %v", err, datakit.NotExist)
		}
	}
	if n := conn.writes.Load() - before; n > 3 {
		t.Errorf("reading %d files again, and looking twice for one that is not there, takes %d writes", count, n)
	}
}

// TestCL27_ReadAhead: what is read ahead is what each file has, whatever its
// size and what is beside it.
func TestCL27_ReadAhead(t *testing.T) {
	t.Parallel()
	files := make(map[datakit.Path]string)
	for i, size := range []int{0, 1, 10, 65_000, 65_536, 66_000, 200_000, 262_144, 262_145, 300_000, 5, 0} {
		files[datakit.Path(fmt.Sprintf("f%02d", i))] = fmt.Sprintf("%0*d", size, i)[:size]
	}
	files["f05x/in/a/directory"] = "below"
	files["last"] = "one"
	for _, opts := range []struct {
		msize uint32
		fids  int
	}{{0, 0}, {8192, 3}} {
		mem := memdb.New(nil)
		network, addr := serve(t, mem)
		db := dial(t, network, addr, opts.msize, opts.fids)
		wantFiles(t, readAll(t, treeOf(t, mem, db, files)), files)
	}
}
