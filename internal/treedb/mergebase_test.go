package treedb

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// A history is a source of commits numbered from 1; parents have lower numbers.
// It counts the commits that are read.
type history struct {
	commits map[datakit.Hash]*commitInfo
	reads   int
}

func numbered(n int) (h datakit.Hash) {
	binary.BigEndian.PutUint32(h[:], uint32(n))
	return h
}

func (h *history) add(n int, date int64, parents ...int) {
	c := &commitInfo{date: date}
	for _, p := range parents {
		c.parents = append(c.parents, numbered(p))
	}
	h.commits[numbered(n)] = c
}

func (h *history) commit(name datakit.Hash) (*commitInfo, error) {
	h.reads++
	if c, ok := h.commits[name]; ok {
		return c, nil
	}
	return nil, datakit.NotExist
}

func (h *history) tree(datakit.Hash) (*object.Tree, error) { return emptyTree, nil }

// ancestors returns a commit and all before it.
func (h *history) ancestors(of datakit.Hash) map[datakit.Hash]bool {
	all := map[datakit.Hash]bool{}
	todo := []datakit.Hash{of}
	for len(todo) > 0 {
		c := todo[0]
		todo = todo[1:]
		if !all[c] {
			all[c] = true
			todo = append(todo, h.commits[c].parents...)
		}
	}
	return all
}

// best returns the best common ancestors by their definition.
func (h *history) best(a, b datakit.Hash) map[datakit.Hash]bool {
	common := map[datakit.Hash]bool{}
	ofB := h.ancestors(b)
	for c := range h.ancestors(a) {
		if ofB[c] {
			common[c] = true
		}
	}
	best := maps.Clone(common)
	for c := range common {
		for d := range h.ancestors(c) {
			if d != c {
				delete(best, d)
			}
		}
	}
	return best
}

// TestFS127_BestCommonAncestors compares with the definition, over random
// histories whose dates may be wrong.
func TestFS127_BestCommonAncestors(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := &history{commits: map[datakit.Hash]*commitInfo{}}
		n := rapid.IntRange(1, 25).Draw(t, "commits")
		skew := rapid.Int64Range(0, 10).Draw(t, "skew")
		for i := 1; i <= n; i++ {
			parents := rapid.SliceOfNDistinct(rapid.IntRange(max(1, i-6), max(1, i-1)), 0, 3, rapid.ID).Draw(t, "parents")
			if i == 1 {
				parents = nil
			}
			h.add(i, int64(i)+rapid.Int64Range(-skew, skew).Draw(t, "date"), parents...)
		}
		a := numbered(rapid.IntRange(1, n).Draw(t, "a"))
		b := numbered(rapid.IntRange(1, n).Draw(t, "b"))
		got, err := mergeBases(h, []datakit.Hash{a}, []datakit.Hash{b})
		if err != nil {
			t.Fatal(err)
		}
		want := h.best(a, b)
		if len(got) != len(want) {
			t.Fatalf("bases of %v and %v: %v, want %v", a, b, got, slices.Collect(maps.Keys(want)))
		}
		for _, c := range got {
			if !want[c] {
				t.Fatalf("bases of %v and %v: %v, want %v", a, b, got, slices.Collect(maps.Keys(want)))
			}
		}
		if is, err := isAncestor(h, a, b); err != nil || is != h.ancestors(b)[a] {
			t.Fatalf("isAncestor(%v, %v) = %v, %v", a, b, is, err)
		}
	})
}

// TestFS219_ReadsOnlyBetween counts the commits that are read to find a base
// shortly behind the ends of a long history.
func TestFS219_ReadsOnlyBetween(t *testing.T) {
	t.Parallel()
	h := &history{commits: map[datakit.Hash]*commitInfo{}}
	const n = 100_000
	for i := 1; i <= n; i++ {
		if i == 1 {
			h.add(i, 1)
		} else {
			h.add(i, int64(i), i-1)
		}
	}
	h.add(n+1, n+1, n-10)
	got, err := mergeBases(h, []datakit.Hash{numbered(n)}, []datakit.Hash{numbered(n + 1)})
	if err != nil || len(got) != 1 || got[0] != numbered(n-10) {
		t.Fatalf("bases = %v, %v", got, err)
	}
	if h.reads > 50 {
		t.Errorf("%d commits were read for a base 10 commits away", h.reads)
	}
}

// TestFS225_ShallowHistory ends a history at a parent that is missing.
func TestFS225_ShallowHistory(t *testing.T) {
	t.Parallel()
	h := &history{commits: map[datakit.Hash]*commitInfo{}}
	h.add(2, 2, 1)
	h.add(3, 3, 2)
	h.add(4, 4, 1)
	got, err := mergeBases(h, []datakit.Hash{numbered(3)}, []datakit.Hash{numbered(4)})
	if err != nil || len(got) != 0 {
		t.Fatalf("bases = %v, %v, want none", got, err)
	}
}

func BenchmarkMergeBaseDeep(b *testing.B) {
	h := &history{commits: map[datakit.Hash]*commitInfo{}}
	const n = 100_000
	for i := 1; i <= n; i++ {
		h.add(i, int64(i), max(0, i-1))
	}
	h.add(n+1, n+1, 10)
	for b.Loop() {
		if _, err := mergeBases(h, []datakit.Hash{numbered(n)}, []datakit.Hash{numbered(n + 1)}); err != nil {
			b.Fatal(err)
		}
	}
}
