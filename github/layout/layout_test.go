package layout_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/memdb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const branch = "github-metadata"

// The data of spec/github.md, section 9.1.
var (
	repo = github.Repo{User: "test", Name: "test"}
	foo  = github.Commit{Repo: repo, Hash: "foo"}
	bar  = github.Commit{Repo: repo, Hash: "bar"}

	s1 = github.NewStatus(bar, "foo/bar/baz", github.Pending, "foo", "")
	s2 = github.NewStatus(bar, "foo/bar/toto", github.Failure, "", "toto")
	s3 = github.NewStatus(foo, "foo/bar/baz", github.Success, "foo", "titi")
	s4 = github.NewStatus(bar, "foo", github.Pending, "", "")
	s5 = github.NewStatus(foo, "foo/bar/baz", github.Failure, "", "titi")

	comments = []github.Comment{
		{ID: 0, Author: "sam", Body: "This is a test comment. "},
		{ID: 1, Author: "ana", Body: "  This is a test reply   "},
	}
	p1 = github.PR{Head: foo, Number: 1, Base: "master", Owner: "sam", Comments: comments}
	p2 = github.PR{Head: foo, Number: 1, State: github.Closed, Title: "foo", Base: "master", Owner: "ana", Comments: comments}
	p3 = github.PR{Head: bar, Number: 2, Title: "bar", Base: "master", Owner: "aby"}

	r1 = github.Ref{Commit: bar, Name: "heads/master"}
	r2 = github.Ref{Commit: foo, Name: "heads/master"}
)

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// A repository of the tests: a database with the branch.
type world struct {
	t  fataler
	db *datakit.DB
}

func newWorld(t testing.TB) world {
	db := memdb.New(nil)
	t.Cleanup(func() { db.Close() })
	return world{t, db}
}

// edit commits what f does, and returns the new head.
func (w world) edit(f func(tx *datakit.Tx) error) datakit.Hash {
	w.t.Helper()
	if err := w.db.Branch(branch).Update(w.t.Context(), "test", f); err != nil {
		w.t.Fatal(err)
	}
	h, err := w.db.Branch(branch).Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// write commits elements.
func (w world) write(es ...github.Element) datakit.Hash {
	w.t.Helper()
	return w.edit(func(tx *datakit.Tx) error {
		for _, e := range es {
			if err := layout.Write(w.t.Context(), tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// files commits the contents of files: for "" a removal, for text that begins
// with "->" a symlink.
func (w world) files(contents map[datakit.Path]string) datakit.Hash {
	w.t.Helper()
	return w.edit(func(tx *datakit.Tx) error { return putFiles(w.t.Context(), tx, contents) })
}

func putFiles(ctx context.Context, tx *datakit.Tx, contents map[datakit.Path]string) error {
	for path, text := range contents {
		if text == "" {
			if err := tx.Remove(ctx, path); err != nil {
				return err
			}
			continue
		}
		if err := tx.MkdirAll(ctx, path.Dir()); err != nil {
			return err
		}
		if target, ok := strings.CutPrefix(text, "->"); ok {
			if err := tx.Symlink(ctx, path, target); err != nil {
				return err
			}
			continue
		}
		if err := tx.Create(ctx, path, datakit.Normal, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// full reads a commit in full, and incrementally from each of the older ones,
// which must give the same.
func (w world) full(head datakit.Hash, older ...datakit.Hash) layout.Content {
	w.t.Helper()
	want, err := layout.ReadCommit(w.t.Context(), w.db, head, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range older {
		from, err := layout.ReadCommit(w.t.Context(), w.db, o, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		got, err := layout.ReadCommit(w.t.Context(), w.db, head, &from)
		if err != nil {
			w.t.Fatal(err)
		}
		if !same(got, want) {
			w.t.Fatalf("incrementally from %v:\n%s\nin full:\n%s", o, text(got), text(want))
		}
	}
	return want
}

func (w world) between(from, to datakit.Hash) layout.Changes {
	w.t.Helper()
	c, err := layout.Between(w.t.Context(), w.db, from, to)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// same compares all but the dirty sets.
func same(a, b layout.Content) bool {
	return a.Head == b.Head && a.Snapshot.Equal(b.Snapshot) && slices.Equal(a.Malformed, b.Malformed) && slices.Equal(a.Errors, b.Errors)
}

func text(c layout.Content) string {
	return fmt.Sprintf("%v %v malformed %v errors %v dirty %v", c.Head, slices.Collect(c.Snapshot.Elements()), c.Malformed, c.Errors, c.Dirty)
}

// tree lists the files of the head with their contents.
func (w world) tree() map[datakit.Path]string {
	w.t.Helper()
	tree, err := w.db.Branch(branch).Tree(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[datakit.Path]string{}
	var walk func(dir datakit.Path)
	walk = func(dir datakit.Path) {
		entries, err := tree.ReadDir(w.t.Context(), dir)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range entries {
			path := dir.Join(datakit.Path(e.Name))
			switch {
			case e.Mode == datakit.Dir:
				walk(path)
				continue
			case e.Mode != datakit.Normal:
				all[path] = e.Mode.String()
				continue
			}
			data, err := tree.ReadFile(w.t.Context(), path)
			if err != nil {
				w.t.Fatal(err)
			}
			all[path] = string(data)
		}
	}
	walk(datakit.Root)
	return all
}
