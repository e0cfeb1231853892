package layout_test

import (
	"context"
	"errors"

	"slices"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/memdb"
)

// TestGH67_Paths changes one file each and looks which elements are read.
func TestGH67_Paths(t *testing.T) {
	t.Parallel()
	all := []github.Element{repo, p1, p3, s1, s4, r1}
	head := github.Ref{Commit: bar, Name: "heads/head"}
	for path, want := range map[datakit.Path]struct{ update, remove, dirty []github.ID }{
		"test/test/.monitor":                          {update: []github.ID{repo, p1.ID(), p3.ID(), s1.ID(), s4.ID(), r1.ID(), head.ID(), bar}},
		"test/test/.dirty":                            {dirty: []github.ID{repo}},
		"test/test/.error":                            {},
		"test/test/notes":                             {},
		"test/test/pr/1/.dirty":                       {dirty: []github.ID{p1.ID()}},
		"test/test/pr/1/title":                        {update: []github.ID{p1.ID()}},
		"test/test/pr/1/comments/0/body":              {update: []github.ID{p1.ID()}},
		"test/test/pr/1/a/b/c":                        {update: []github.ID{p1.ID()}},
		"test/test/pr/7/.dirty":                       {dirty: []github.ID{github.PRID{Repo: repo, Number: 7}}},
		"test/test/pr/7/title":                        {remove: []github.ID{github.PRID{Repo: repo, Number: 7}}},
		"test/test/pr/foo/.dirty":                     {},
		"test/test/pr/notes":                          {},
		"test/test/commit/foo":                        {remove: []github.ID{foo}},
		"test/test/commit/foo/notes":                  {update: []github.ID{foo}},
		"test/test/commit/foo/status/state":           {update: []github.ID{foo}},
		"test/test/commit/bar/status/foo/description": {update: []github.ID{s4.ID(), bar}},
		"test/test/commit/bar/status/foo/.error":      {update: []github.ID{s4.ID(), bar}},
		"test/test/commit/bar/status/foo/bar/x":       {update: []github.ID{bar}, remove: []github.ID{github.StatusID{Commit: bar, Context: "foo/bar"}}},
		"test/test/ref/heads/master/.dirty":           {dirty: []github.ID{r1.ID()}},
		"test/test/ref/heads/master/notes":            {update: []github.ID{r1.ID()}},
		"test/test/ref/heads/new/.dirty":              {dirty: []github.ID{github.RefID{Repo: repo, Name: "heads/new"}}},
		"test/test/ref/heads/head/notes":              {update: []github.ID{head.ID()}},
		"test/test/ref/.dirty":                        {},
		"test/test/ref/notes":                         {},
		"test/notes":                                  {remove: []github.ID{github.Repo{User: "test", Name: "notes"}}},
		"README.md":                                   {},
		"te st/test/pr/1/title":                       {},
		"other/other/.dirty":                          {dirty: []github.ID{github.Repo{User: "other", Name: "other"}}},
		"other/other/pr/1/.dirty":                     {dirty: []github.ID{github.PRID{Repo: github.Repo{User: "other", Name: "other"}, Number: 1}}},
		"other/other/pr/1/head":                       {},
		"other/other":                                 {remove: []github.ID{github.Repo{User: "other", Name: "other"}}},
	} {
		w := newWorld(t)
		h0 := w.write(append(all, head)...)
		h1 := w.files(map[datakit.Path]string{path: "text"})
		c := w.between(h0, h1)
		var update []github.ID
		for _, e := range c.Diff.Update {
			update = append(update, e.Identity())
		}
		for what, ids := range map[string][2][]github.ID{"update": {update, want.update}, "remove": {c.Diff.Remove, want.remove}, "dirty": {c.Dirty, want.dirty}} {
			slices.SortFunc(ids[1], github.CompareIDs)
			if !slices.Equal(ids[0], ids[1]) {
				t.Errorf("%s: %s %v, want %v", path, what, ids[0], ids[1])
			}
		}
		w.full(h1, h0)
	}
}

func TestGH68_Lookups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h0 := w.write(repo, p1, p3, s1, s4, r1)
	h1 := w.write(github.NewStatus(bar, "foo", github.Success, "", ""))
	if got, want := w.between(h0, h1).Diff, github.NewDiff([]github.Element{github.NewStatus(bar, "foo", github.Success, "", ""), bar}, nil); !got.Equal(want) {
		t.Errorf("a changed status: %v, want %v", got, want)
	}
	h2 := w.edit(func(tx *datakit.Tx) error { return tx.Remove(t.Context(), "test/test/commit") })
	if got, want := w.between(h1, h2).Diff, github.NewDiff(nil, []github.ID{s1.ID(), s4.ID(), bar}); !got.Equal(want) {
		t.Errorf("removed statuses: %v, want %v", got, want)
	}
	if got := w.full(h2, h0, h1).Snapshot; !got.Has(bar) {
		t.Error("the commit that a PR and a ref need is gone")
	}
	h3 := w.edit(func(tx *datakit.Tx) error { return layout.Remove(t.Context(), tx, repo) })
	if got, want := w.between(h2, h3).Diff, github.NewDiff(nil, []github.ID{repo}); !got.Equal(want) {
		t.Errorf("no longer monitored: %v, want %v", got, want)
	}
	if got := w.full(h3, h0, h1, h2).Snapshot; !got.IsEmpty() {
		t.Errorf("no longer monitored: %v", slices.Collect(got.Elements()))
	}
	h4 := w.write(repo)
	if got, want := w.between(h3, h4).Diff, github.NewDiff([]github.Element{repo, p1, p3, r1}, nil); !got.Equal(want) {
		t.Errorf("monitored again: %v, want %v", got, want)
	}
	w.full(h4, h0, h1, h2, h3)
}

func TestGH69_GH241_NotMonitored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h0 := w.write(p1, s1, r1)
	h1 := w.write(p2, s4, r2)
	if c := w.between(h0, h1); !c.Diff.IsEmpty() {
		t.Errorf("difference %v", c.Diff)
	}
	w.full(h1, h0)
	h2 := w.write(repo)
	h3 := w.edit(func(tx *datakit.Tx) error {
		return errors.Join(layout.Remove(t.Context(), tx, repo), layout.Write(t.Context(), tx, p3))
	})
	if got := w.full(h3, h2, h1); !got.Snapshot.IsEmpty() {
		t.Errorf("read %s", text(got))
	}
}

// TestGH70_GH236_FailedDiff reads from an older commit that the database does
// not have.
func TestGH70_GH236_FailedDiff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.write(repo, r1)
	lost := layout.Content{Head: datakit.Hash{1}, Snapshot: github.NewSnapshot(repo, p1)}
	got, err := layout.ReadCommit(t.Context(), w.db, h, &lost)
	if err != nil || !got.Snapshot.Equal(github.NewSnapshot(repo, r1)) || got.Head != h {
		t.Errorf("read %s, %v", text(got), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := layout.ReadCommit(ctx, w.db, h, &got); !errors.Is(err, context.Canceled) {
		t.Errorf("in vain: %v", err)
	}
}

func TestGH71_FullDirtySet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(repo, p1)
	h := w.files(map[datakit.Path]string{
		"test/test/.dirty":             "text",
		"test/test/pr/1/.dirty":        "text",
		"test/test/pr/8/.dirty":        "text",
		"test/test/pr/foo/.dirty":      "text",
		"test/test/pr/2/.dirty":        "->no file",
		"test/test/ref/heads/x/.dirty": "text",
		"test/test/ref/.dirty":         "text",
		"other/other/.dirty":           "text",
		"other/other/pr/1/.dirty":      "text",
		"other/other/ref/x/.dirty":     "text",
	})
	want := []github.ID{
		github.RefID{Repo: repo, Name: "heads/x"},
		p1.ID(), github.PRID{Repo: repo, Number: 8},
		github.Repo{User: "other", Name: "other"}, repo,
	}
	if got := w.full(h).Dirty; !slices.Equal(got, want) {
		t.Errorf("dirty: %v, want %v", got, want)
	}
}

func TestGH72_GH73_GH238_IncrementalDirtySet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	missing := github.RefID{Repo: repo, Name: "heads/none"}
	h0 := w.write(repo, p1, r1)
	h1 := w.edit(func(tx *datakit.Tx) error { return layout.Stain(t.Context(), tx, repo, p1.ID(), missing) })
	c := w.between(h0, h1)
	if want := []github.ID{missing, p1.ID(), repo}; !c.Diff.IsEmpty() || !slices.Equal(c.Dirty, want) {
		t.Errorf("stained: %v, dirty %v, want %v", c.Diff, c.Dirty, want)
	}
	h2 := w.write(r2)
	if c := w.between(h1, h2); len(c.Dirty) > 0 {
		t.Errorf("another change: dirty %v", c.Dirty)
	}
	h3 := w.files(map[datakit.Path]string{"test/test/pr/1/.dirty": "again"})
	if c := w.between(h2, h3); !c.Diff.IsEmpty() || !slices.Equal(c.Dirty, []github.ID{p1.ID()}) {
		t.Errorf("stained again: %v, dirty %v", c.Diff, c.Dirty)
	}
	h4 := w.edit(func(tx *datakit.Tx) error { return layout.Clean(t.Context(), tx, repo, p1.ID(), missing) })
	if c := w.between(h3, h4); len(c.Dirty) > 0 {
		t.Errorf("cleaned: dirty %v", c.Dirty)
	}
	if got := w.full(h4, h0, h1, h2, h3).Dirty; len(got) > 0 {
		t.Errorf("cleaned: dirty %v", got)
	}
}

func TestGH74_Begin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begin := func(older *layout.Content) (*datakit.Tx, layout.Content) {
		t.Helper()
		tx, c, err := layout.Begin(t.Context(), w.db, branch, older)
		if err != nil {
			t.Fatal(err)
		}
		return tx, c
	}
	tx, none := begin(nil)
	tx.Abort()
	if !none.Head.IsZero() || !none.Snapshot.IsEmpty() {
		t.Errorf("of no branch: %s", text(none))
	}
	h0 := w.write(repo, p1)
	tx, first := begin(&none)
	h1 := w.write(r1)
	if first.Head != h0 || !first.Snapshot.Equal(github.NewSnapshot(repo, p1)) {
		t.Errorf("at the first commit: %s", text(first))
	}
	if there, err := tx.Exists(t.Context(), layout.Dir(r1.ID())); there || err != nil {
		t.Errorf("the transaction sees the second commit: %v, %v", there, err)
	}
	tx.Abort()
	tx, second := begin(&first)
	tx.Abort()
	if second.Head != h1 || !second.Snapshot.Equal(github.NewSnapshot(repo, p1, r1)) {
		t.Errorf("at the second commit: %s", text(second))
	}
}

// TestGH61_ParallelReads reads from a database whose files open only when
// several are waiting.
func TestGH61_ParallelReads(t *testing.T) {
	t.Parallel()
	const together = 8
	w := newWorld(t)
	var refs []github.Element
	for _, name := range []github.RefName{"a", "b", "c", "d", "e", "f", "g", "h"} {
		refs = append(refs, github.Ref{Commit: foo, Name: name})
	}
	w.write(append(refs, repo)...)
	tree := meeting{w.db.Driver(), newDoor(together)}
	got, err := layout.Read(t.Context(), tree.head(t))
	if want := github.NewSnapshot(append(refs, repo)...); err != nil || !got.Snapshot.Equal(want) {
		t.Errorf("read %s, %v", text(got), err)
	}
}

// A meeting is a Driver whose trees open files when enough are to be opened.
type meeting struct {
	datakit.Driver
	door *door
}

func (m meeting) head(t *testing.T) *datakit.Tree {
	t.Helper()
	tree, err := datakit.New(m).Branch(branch).Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func (m meeting) Tree(ctx context.Context, id datakit.TreeID) (datakit.TreeDriver, error) {
	tree, err := m.Driver.Tree(ctx, id)
	return meetingTree{tree, m.door}, err
}

type meetingTree struct {
	datakit.TreeDriver
	door *door
}

func (t meetingTree) Open(ctx context.Context, path datakit.Path) (datakit.Blob, error) {
	if !t.door.wait() {
		return nil, errors.New("no other read came")
	}
	return t.TreeDriver.Open(ctx, path)
}

// A door lets those who wait pass when there are enough.
type door struct {
	mu   sync.Mutex
	left int
	open chan struct{}
}

func newDoor(n int) *door { return &door{left: n, open: make(chan struct{})} }

func (d *door) wait() bool {
	d.mu.Lock()
	if d.left--; d.left == 0 {
		close(d.open)
	}
	d.mu.Unlock()
	select {
	case <-d.open:
		return true
	case <-time.After(30 * time.Second):
		return false
	}
}

// FuzzGH65_Read reads a tree of arbitrary files, and writes back what it has
// understood.
func FuzzGH65_Read(f *testing.F) {
	f.Add("test/test/pr/1/head", "foo\n", "test/test/pr/1/state", "open", "test/test/pr/1/owner", "joe")
	f.Add("test/test/commit/foo/status/ci/x/state", "success", "test/test/commit/foo/status/ci/x/description", "text", "test/test/.dirty", "x")
	f.Add("test/test/ref/heads/x/head", " \t", "test/test/ref/heads/x/.error", "foo", "test/test/ref/heads/head/head", "foo")
	f.Add("test/test/pr/1/comments/1/id", "7", "test/test/pr/01/comments/1/user", "joe", "u/r/.monitor", "x")
	f.Fuzz(func(t *testing.T, path1, text1, path2, text2, path3, text3 string) {
		db := memdb.New(nil)
		defer db.Close()
		w := world{t, db}
		h0 := w.write(repo)
		h := w.edit(func(tx *datakit.Tx) error {
			for path, content := range map[string]string{path1: text1, path2: text2, path3: text3} {
				if err := tx.MkdirAll(t.Context(), datakit.Path(path).Dir()); err == nil {
					_ = tx.WriteFile(t.Context(), datakit.Path(path), []byte(content)) // what is no path stays out
				}
			}
			return nil
		})
		content := w.full(h, h0)
		again := w.edit(func(tx *datakit.Tx) error {
			_, err := layout.Apply(t.Context(), tx, github.Compute(content.Snapshot, github.Snapshot{}))
			return err
		})
		if got := w.full(again, h, h0); !got.Snapshot.Equal(content.Snapshot) {
			t.Errorf("read %s, and after writing it back %s", text(content), text(got))
		}
	})
}
