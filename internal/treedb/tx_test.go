package treedb

import (
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
