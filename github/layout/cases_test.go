package layout_test

import (
	"slices"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// history makes the commits of the cases GHT-10 to GHT-13.
func history(t *testing.T) (w world, t1, t2, t3 datakit.Hash) {
	t.Helper()
	w = newWorld(t)
	t1 = w.write(repo, p1, p3, s1, s2, s3, s4, r1)
	t2 = w.edit(func(tx *datakit.Tx) error {
		for _, e := range []github.Element{repo, p2} {
			if err := layout.Write(t.Context(), tx, e); err != nil {
				return err
			}
		}
		return layout.Stain(t.Context(), tx, p2.ID())
	})
	t3 = w.edit(func(tx *datakit.Tx) error {
		for _, e := range []github.Element{repo, s5, r2} {
			if err := layout.Write(t.Context(), tx, e); err != nil {
				return err
			}
		}
		return layout.Stain(t.Context(), tx, r2.ID(), github.Repo{User: "xxx", Name: "yyy"})
	})
	return w, t1, t2, t3
}

func TestGHT10_WriteAndRead(t *testing.T) {
	t.Parallel()
	w, t1, _, _ := history(t)
	got := w.full(t1)
	if want := github.NewSnapshot(repo, foo, bar, p1, p3, s1, s2, s3, s4, r1); !got.Snapshot.Equal(want) || got.Malformed != nil || got.Dirty != nil {
		t.Errorf("read %s", text(got))
	}
}

func TestGHT11_ChangedPR(t *testing.T) {
	t.Parallel()
	w, t1, t2, _ := history(t)
	c := w.between(t1, t2)
	if want := github.NewDiff([]github.Element{p2}, nil); !c.Diff.Equal(want) {
		t.Errorf("difference %v, want %v", c.Diff, want)
	}
	if want := []github.ID{p2.ID()}; !slices.Equal(c.Dirty, want) {
		t.Errorf("dirty %v, want %v", c.Dirty, want)
	}
}

func TestGHT12_ChangedStatusAndRef(t *testing.T) {
	t.Parallel()
	w, _, t2, t3 := history(t)
	c := w.between(t2, t3)
	if want := github.NewDiff([]github.Element{s5, r2, foo}, nil); !c.Diff.Equal(want) {
		t.Errorf("difference %v, want %v", c.Diff, want)
	}
	if want := []github.ID{r2.ID(), github.Repo{User: "xxx", Name: "yyy"}}; !slices.Equal(c.Dirty, want) {
		t.Errorf("dirty %v, want %v", c.Dirty, want)
	}
}

func TestGHT13_Incremental(t *testing.T) {
	t.Parallel()
	w, t1, t2, t3 := history(t)
	w.full(t3, t1, t2)
}
