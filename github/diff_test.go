package github_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/datakit/datakit/github"
)

func TestGHT1_DiffOfRepositories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9._-]{1,3}x`)
		repo := rapid.Custom(func(t *rapid.T) github.Repo {
			return github.Repo{User: name.Draw(t, "user"), Name: name.Draw(t, "name")}
		})
		r := rapid.SliceOfNDistinct(repo, 3, 3, rapid.ID).Draw(t, "repos")
		x, y := github.NewSnapshot(r[0], r[2]), github.NewSnapshot(r[1], r[2])
		want := github.NewDiff([]github.Element{r[0]}, []github.ID{r[1]})
		if got := github.Compute(x, y); !got.Equal(want) {
			t.Fatalf("diff(%s, %s) = %v, want %v", list(x), list(y), got, want)
		}
	})
}

func TestGHT2_DiffOfRefs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, b2 := drawRef(t), drawRef(t), drawRef(t)
		b.Commit.Repo, b2.Commit.Repo, b2.Name = a.Commit.Repo, a.Commit.Repo, b.Name
		if a.Name == b.Name || b == b2 {
			t.Skip("not of the case")
		}
		got := github.Compute(github.NewSnapshot(a, b), github.NewSnapshot(a, b2))
		update, remove := []github.Element{b}, []github.ID{}
		if b.Commit != a.Commit {
			update = append(update, b.Commit)
		}
		if b2.Commit != a.Commit {
			remove = append(remove, b2.Commit)
		}
		if want := github.NewDiff(update, remove); !got.Equal(want) {
			t.Fatalf("diff of %v, %v and %v, %v = %v, want %v", a, b, a, b2, got, want)
		}
	})
}

func TestGHT3_GH33_ApplyDiff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawSnapshot(t), drawSnapshot(t)
		d := github.Compute(x, y)
		if got := y.Apply(d); !got.Equal(x) || list(got) != list(x) {
			t.Fatalf("apply(%v, y) = %s, want %s", d, list(got), list(x))
		}
		if d.IsEmpty() != x.Equal(y) || !github.Compute(x, x).IsEmpty() {
			t.Fatalf("diff(x, y) = %v, x = y is %v, diff(x, x) = %v", d, x.Equal(y), github.Compute(x, x))
		}
	})
}

// TestGH32_Parts holds a difference against its definition.
func TestGH32_Parts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawSnapshot(t), drawSnapshot(t)
		var update []github.Element
		for e := range x.Elements() {
			if old, ok := y.Find(e.Identity()); !ok || github.CompareElements(e, old) != 0 {
				update = append(update, e)
			}
		}
		var remove []github.ID
		for e := range y.Elements() {
			if !x.Has(e.Identity()) {
				remove = append(remove, e.Identity())
			}
		}
		got := github.Compute(x, y)
		if want := github.NewDiff(update, remove); !got.Equal(want) {
			t.Fatalf("diff = %v, want %v", got, want)
		}
	})
}

func TestGH34_BuildUp(t *testing.T) {
	t.Parallel()
	c := commit(alpha, "abc")
	open := github.PR{Head: c, Number: 1}
	status := github.NewStatus(c, "ci", github.Success, "", "")
	var d github.Diff
	if !d.IsEmpty() {
		t.Error("the zero Diff is not empty")
	}
	d.AddUpdate(status)
	d.AddUpdate(open)
	d.AddUpdate(open.Close())
	d.AddRemoval(github.RefID{Repo: alpha, Name: "heads/x"})
	d.AddRemoval(github.RefID{Repo: alpha, Name: "heads/x"})
	want := github.NewDiff([]github.Element{open, open.Close(), status}, []github.ID{github.RefID{Repo: alpha, Name: "heads/x"}})
	if !d.Equal(want) || d.IsEmpty() {
		t.Errorf("built %v, want %v", d, want)
	}
	d.AddRemoval(open.ID())
	if want := github.NewDiff([]github.Element{status}, []github.ID{open.ID(), github.RefID{Repo: alpha, Name: "heads/x"}}); !d.Equal(want) {
		t.Errorf("after a removal: %v, want %v", d, want)
	}
	d.AddUpdate(open)
	d.AddRemoval(alpha)
	if len(d.Update) != 0 {
		t.Errorf("after the removal of the repository: %v", d)
	}
	d.AddUpdate(status)
	got := github.NewSnapshot(open, status, commit(beta, "1")).Apply(d)
	if want := github.NewSnapshot(status, commit(beta, "1")); !got.Equal(want) {
		t.Errorf("applied: %s, want %s", list(got), list(want))
	}
	onlyRefs := d.Filter(func(id github.ID) bool { _, ok := id.(github.RefID); return ok })
	if len(onlyRefs.Update) != 0 || len(onlyRefs.Remove) != 1 {
		t.Errorf("filtered: %v", onlyRefs)
	}
}

func TestGH35_Subjects(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		updated, removed int
		want             string
	}{
		{0, 0, "No changes!"}, {0, 1, "1 item removed"}, {0, 2, "2 items removed"},
		{1, 0, "1 item updated"}, {3, 0, "3 items updated"}, {1, 1, "2 items modified"}, {2, 3, "5 items modified"},
	} {
		if got := github.Subject(tt.updated, tt.removed); got != tt.want {
			t.Errorf("Subject(%d, %d) = %q, want %q", tt.updated, tt.removed, got, tt.want)
		}
	}
}

func TestGH36_CommitsCountAlone(t *testing.T) {
	t.Parallel()
	before, after := commit(alpha, "1"), commit(alpha, "2")
	moved := github.Compute(
		github.NewSnapshot(github.Ref{Commit: after, Name: "heads/m"}), github.NewSnapshot(github.Ref{Commit: before, Name: "heads/m"}))
	if got, want := moved.Message(), "1 item updated\n\n{a/x heads/m[2]}"; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
	alone := github.Compute(github.NewSnapshot(before), github.NewSnapshot(after))
	if got, want := alone.Message(), "2 items modified\n\nUpdated\n  {a/x 1}\n\nRemoved\n  {a/x 2}"; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
}

func TestGH37_Message(t *testing.T) {
	t.Parallel()
	moby := github.Repo{User: "moby", Name: "datakit"}
	c := commit(moby, "6b2e00a0be59c0335568dd9415a7d93640e7099c")
	d := github.NewDiff([]github.Element{
		github.NewStatus(c, "ci/datakit", github.Pending, "Building", ""),
		c,
		github.Ref{Commit: c, Name: "heads/master"},
	}, []github.ID{github.PRID{Repo: moby, Number: 41}})
	want := `3 items modified

Updated
  {moby/datakit heads/master[6b2e00a0be59c0335568dd9415a7d93640e7099c]}
  {moby/datakit 6b2e00a0be59c0335568dd9415a7d93640e7099c:ci/datakit[pending] descr=Building}

Removed
  {moby/datakit 41}`
	if got := d.Message(); got != want {
		t.Errorf("message =\n%s\nwant\n%s", got, want)
	}
	var many github.Diff
	for i := range 103 {
		many.Update = append(many.Update, github.PR{Head: c, Number: i})
	}
	lines := strings.Split(many.Message(), "\n")
	if n := len(lines); n != 103 || lines[0] != "103 items updated" || lines[1] != "" || lines[102] != "… and 3 more" {
		t.Errorf("a long message has %d lines, the last %q", n, lines[n-1])
	}
	if got := (github.Diff{}).Message(); got != "No changes!" {
		t.Errorf("empty message = %q", got)
	}
}

func TestGH26_Order(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSnapshot(t)
		es := elements(s)
		if !slices.IsSortedFunc(es, github.CompareElements) {
			t.Fatalf("not in order: %v", es)
		}
		kinds := []string{"github.Ref", "github.Status", "github.PR", "github.Commit", "github.Repo"}
		last := 0
		for _, e := range es {
			k := slices.Index(kinds, fmt.Sprintf("%T", e))
			if k < last {
				t.Fatalf("a %s after a %s", kinds[k], kinds[last])
			}
			last = k
		}
	})
}

// TestGH34_SameAsOneByOne builds differences up and compares what they do with
// the same operations one after the other. Commits and repositories may differ:
// they follow from what needs them in the end.
func TestGH34_SameAsOneByOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSnapshot(t)
		var d github.Diff
		want := s
		for _, e := range drawElements(t) {
			if rapid.Bool().Draw(t, "remove") {
				d.AddRemoval(e.Identity())
				want = want.Remove(e.Identity())
			} else {
				d.AddUpdate(e)
				want = want.Add(e)
			}
		}
		notable := func(s github.Snapshot) string {
			return fmt.Sprint(slices.Collect(s.Refs()), slices.Collect(s.Statuses()), slices.Collect(s.PRs()))
		}
		got := s.Apply(d)
		checkClosed(t, got)
		if notable(got) != notable(want) || !d.Equal(github.NewDiff(d.Update, d.Remove)) {
			t.Fatalf("%v gives %s, want %s", d, notable(got), notable(want))
		}
	})
}
