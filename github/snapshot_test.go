package github_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/datakit/datakit/github"
)

// checkClosed fails unless s has at most one value for each identity, is
// closed, and finds what it lists.
func checkClosed(t *rapid.T, s github.Snapshot) {
	t.Helper()
	seen := map[github.ID]bool{}
	for e := range s.Elements() {
		id := e.Identity()
		if seen[id] {
			t.Fatalf("two values of %v in %s", id, list(s))
		}
		seen[id] = true
		if got, ok := s.Find(id); !ok || github.CompareElements(got, e) != 0 {
			t.Fatalf("Find(%v) = %v, %v, want %v", id, got, ok, e)
		}
		if !s.Has(e.Repository()) {
			t.Fatalf("the repository of %v is missing in %s", e, list(s))
		}
		if c, ok := commitOf(e); ok && (!s.Has(c) || !s.Needs(c)) {
			t.Fatalf("the commit of %v is missing in %s", e, list(s))
		}
	}
}

func commitOf(e github.Element) (c github.Commit, ok bool) {
	switch e := e.(type) {
	case github.Ref:
		return e.Commit, true
	case github.Status:
		return e.Commit, true
	case github.PR:
		return e.Head, true
	}
	return c, false
}

// TestGH28_GH29_GH224_OneValueAndClosed plays random operations against a model made
// of a plain map.
func TestGH28_GH29_GH224_OneValueAndClosed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s github.Snapshot
		model := map[github.ID]github.Element{}
		add := func(e github.Element) {
			model[e.Repository()] = e.Repository()
			if c, ok := commitOf(e); ok {
				model[c] = c
			}
			model[e.Identity()] = e
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				es := drawElements(t)
				s = s.Add(es...)
				for _, e := range es {
					add(e)
				}
			},
			"remove": func(t *rapid.T) {
				id := drawElements(t)
				if len(id) == 0 {
					t.Skip("nothing")
				}
				s = s.Remove(id[0].Identity())
				removeFromModel(model, id[0].Identity())
			},
			"": func(t *rapid.T) {
				checkClosed(t, s)
				var want []github.Element
				for _, e := range model {
					want = append(want, e)
				}
				if got := github.NewSnapshot(want...); !got.Equal(s) || list(got) != list(s) {
					t.Fatalf("got %s, want %s", list(s), list(got))
				}
			},
		})
	})
}

// removeFromModel is GH-30 on a plain map.
func removeFromModel(model map[github.ID]github.Element, id github.ID) {
	for other, e := range model {
		if c, ok := commitOf(e); ok && c == id {
			return // a commit that is needed
		}
		if r, ok := id.(github.Repo); ok && other.Repository() == r && other != id {
			delete(model, other)
		}
	}
	delete(model, id)
}

func TestGH30_Operations(t *testing.T) {
	t.Parallel()
	c, d := commit(alpha, "1"), commit(alpha, "2")
	pr := github.PR{Head: c, Number: 1, Title: "old"}
	status := github.NewStatus(c, "ci", github.Pending, "", "")
	ref := github.Ref{Commit: d, Name: "heads/m"}
	elsewhere := github.NewStatus(commit(beta, "1"), "ci", github.Success, "", "")
	s := github.NewSnapshot(pr, status, ref, elsewhere)
	for _, tt := range []struct {
		name      string
		got, want github.Snapshot
	}{
		{"a repository with all that is its own", s.Remove(alpha), github.NewSnapshot(elsewhere)},
		{"a commit that is needed", s.Remove(c), s},
		{"a commit that is not", s.Remove(ref.ID(), d), github.NewSnapshot(pr, status, elsewhere)},
		{"a PR", s.Remove(pr.ID()), github.NewSnapshot(status, ref, elsewhere)},
		{"a ref, and its commit stays", s.Remove(ref.ID()), github.NewSnapshot(pr, status, d, elsewhere)},
		{"a status, and its commit stays", s.Remove(elsewhere.ID()), github.NewSnapshot(pr, status, ref, commit(beta, "1"))},
		{"what is absent", s.Remove(github.PRID{Repo: beta, Number: 9}, other), s},
		{"a moved PR leaves its commit", github.NewSnapshot(pr).Add(github.PR{Head: d, Number: 1}), github.NewSnapshot(c, github.PR{Head: d, Number: 1})},
		{"union prefers the second", s.Union(github.NewSnapshot(pr.Close())), github.NewSnapshot(pr.Close(), status, ref, elsewhere)},
		{"a part", s.Only(beta), github.NewSnapshot(elsewhere)},
	} {
		if !tt.got.Equal(tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, list(tt.got), list(tt.want))
		}
	}
	if e, ok := s.Find(github.RefID{Repo: beta, Name: "heads/m"}); ok {
		t.Errorf("found %v", e)
	}
	if s.Equal(s.Add(pr.Close())) || s.IsEmpty() || !(github.Snapshot{}).IsEmpty() {
		t.Error("equality or emptiness is wrong")
	}
}

// TestGH30_Parts compares what a snapshot yields of a repository and a commit
// with what it yields in all.
func TestGH30_Parts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSnapshot(t)
		c := drawCommit(t)
		var of, at []github.Element
		for e := range s.Elements() {
			if e.Repository() == c.Repo {
				of = append(of, e)
			}
			if st, ok := e.(github.Status); ok && st.Commit == c {
				at = append(at, e)
			}
		}
		var gotOf, gotAt []github.Element
		for e := range s.ElementsOf(c.Repo) {
			gotOf = append(gotOf, e)
		}
		for st := range s.StatusesAt(c) {
			gotAt = append(gotAt, st)
		}
		if !github.NewDiff(gotOf, nil).Equal(github.NewDiff(of, nil)) || !github.NewDiff(gotAt, nil).Equal(github.NewDiff(at, nil)) {
			t.Fatalf("of %v: %v, want %v; at %v: %v, want %v", c.Repo, gotOf, of, c, gotAt, at)
		}
	})
}

func TestGH31_Prune(t *testing.T) {
	t.Parallel()
	c, d, e, f := commit(alpha, "1"), commit(alpha, "2"), commit(alpha, "3"), commit(alpha, "4")
	ci := func(c github.Commit) github.Status { return github.NewStatus(c, "ci", github.Success, "", "") }
	open := github.PR{Head: c, Number: 1}
	closed := github.PR{Head: d, Number: 2, State: github.Closed}
	shared := github.PR{Head: c, Number: 3, State: github.Closed}
	ref := github.Ref{Commit: e, Name: "heads/m"}
	s := github.NewSnapshot(open, closed, shared, ref, ci(c), ci(d), ci(e), ci(f), other)
	want := github.NewSnapshot(open, ref, ci(c), ci(e), other)
	if got := s.Prune(nil); !got.Equal(want) {
		t.Errorf("pruned: %s, want %s", list(got), list(want))
	}
	if got := s.PruneRepo(other, nil); !got.Equal(s) {
		t.Errorf("pruning another repository: %s, want %s", list(got), list(s))
	}
	keep := func(e github.Element) bool { return e.Identity() == closed.ID() || e.Identity() == ci(f).ID() }
	if got, want := s.Prune(keep), s.Remove(shared.ID()); !got.Equal(want) {
		t.Errorf("pruned but for some: %s, want %s", list(got), list(want))
	}
	if got, want := github.NewSnapshot(d).Prune(func(github.Element) bool { return true }), github.NewSnapshot(d); !got.Equal(want) {
		t.Errorf("a commit to keep: %s", list(got))
	}
}

func TestGH31_PruneTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSnapshot(t)
		once := s.Prune(nil)
		checkClosed(t, once)
		if !once.Prune(nil).Equal(once) {
			t.Fatalf("%s pruned to %s, and then to %s", list(s), list(once), list(once.Prune(nil)))
		}
		for pr := range once.PRs() {
			if pr.State == github.Closed {
				t.Fatalf("%v is left", pr)
			}
		}
		for r := range s.Repos() {
			if !once.Has(r) {
				t.Fatalf("%v is gone", r)
			}
		}
	})
}
