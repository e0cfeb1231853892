package treedb

import (
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/memstore"
)

// TestFS167_ChangedAcrossMerge merges after a file was changed and asks when.
func TestFS167_ChangedAcrossMerge(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	clock := time.Unix(1000, 0)
	db := datakit.New(New(memstore.NewObjects(), memstore.NewRefs(), Options{Now: func() time.Time { return clock }}))
	defer db.Close()
	write := func(branch string, path datakit.Path) datakit.Hash {
		t.Helper()
		err := db.Branch(branch).Update(ctx, "m", func(tx *datakit.Tx) error { return tx.WriteFile(ctx, path, []byte(path)) })
		if err != nil {
			t.Fatal(err)
		}
		h, err := db.Branch(branch).Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	write("master", "old")
	theirs := write("other", "new")
	tx, err := db.Branch("master").Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Abort()
	clock = time.Unix(2000, 0)
	if err := tx.WriteFile(ctx, "mine", nil); err != nil {
		t.Fatal(err)
	}
	clock = time.Unix(3000, 0)
	if _, err := tx.Merge(ctx, theirs); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[datakit.Path]int64{"old": 0, "mine": 2000, "new": 3000} {
		e, err := tx.Lookup(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Changed; want == 0 && !got.IsZero() || want != 0 && got.Unix() != want {
			t.Errorf("%s was changed at %v, want %d", path, got, want)
		}
	}
}

// TestDeepPaths looks at deep paths in turn, in a transaction and in what
// it has committed: what was found before must not be taken for what is there.
func TestDeepPaths(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := datakit.New(New(memstore.NewObjects(), memstore.NewRefs(), Options{}))
	defer db.Close()
	deep := datakit.Path(strings.Repeat("d/", 20) + "d")
	modes := func(tree *datakit.Tree, want map[datakit.Path]datakit.Mode) {
		t.Helper()
		for range 2 { // in two orders
			for path, mode := range want {
				if got, err := tree.Mode(ctx, path); got != mode || err != nil {
					t.Fatalf("%s is %v, %v, want %v", path, got, err, mode)
				}
			}
		}
	}
	tx := begin(t, db, "master", func(tx *datakit.Tx) error { return tx.MkdirAll(ctx, deep.Join("sub")) })
	for _, path := range []datakit.Path{"f", "sub/f", "sub/g"} {
		if err := tx.WriteFile(ctx, deep.Join(path), []byte(path)); err != nil {
			t.Fatal(err)
		}
	}
	want := map[datakit.Path]datakit.Mode{
		deep: datakit.Dir, deep.Join("f"): datakit.Normal, deep.Join("sub"): datakit.Dir, deep.Join("sub/f"): datakit.Normal,
		deep.Join("sub/none"): datakit.Absent, deep.Join("f/g"): datakit.Absent, deep + "x": datakit.Absent, deep.Dir(): datakit.Dir,
	}
	modes(&tx.Tree, want)
	if err := tx.Rename(ctx, deep.Join("sub"), "sub"); err != nil {
		t.Fatal(err)
	}
	delete(want, deep.Join("sub/none"))
	want[deep.Join("sub")], want[deep.Join("sub/f")] = datakit.Absent, datakit.Absent
	want["sub"], want["sub/f"], want["f"] = datakit.Dir, datakit.Normal, datakit.Absent
	modes(&tx.Tree, want)
	if err := tx.Commit(ctx, "m"); err != nil {
		t.Fatal(err)
	}
	tree, err := db.Branch("master").Tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	modes(tree, want)
}
