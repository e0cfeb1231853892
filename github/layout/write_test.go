package layout_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// wantTree compares the files of the head with want.
func (w world) wantTree(want map[datakit.Path]string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.tree()); diff != "" {
		w.t.Fatalf("the tree differs (-want +got):\n%s", diff)
	}
}

func TestGH40_GH41_GH42_GH46_GH47_GH48_Files(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	top := github.NewStatus(foo, "default", github.Errored, "", "http://x")
	w.write(repo, p1, p3, s1, s2, s4, top, r1, bar, github.Commit{Repo: repo, Hash: "alone"})
	w.wantTree(map[datakit.Path]string{
		"test/test/.monitor":                                  "",
		"test/test/pr/1/head":                                 "foo\n",
		"test/test/pr/1/state":                                "open\n",
		"test/test/pr/1/title":                                "\n",
		"test/test/pr/1/owner":                                "sam\n",
		"test/test/pr/1/base":                                 "master\n",
		"test/test/pr/1/comments/0/id":                        "0\n",
		"test/test/pr/1/comments/0/user":                      "sam\n",
		"test/test/pr/1/comments/0/body":                      "This is a test comment. ",
		"test/test/pr/1/comments/1/id":                        "1\n",
		"test/test/pr/1/comments/1/user":                      "ana\n",
		"test/test/pr/1/comments/1/body":                      "  This is a test reply   ",
		"test/test/pr/2/head":                                 "bar\n",
		"test/test/pr/2/state":                                "open\n",
		"test/test/pr/2/title":                                "bar\n",
		"test/test/pr/2/owner":                                "aby\n",
		"test/test/pr/2/base":                                 "master\n",
		"test/test/commit/bar/status/foo/state":               "pending\n",
		"test/test/commit/bar/status/foo/bar/baz/state":       "pending\n",
		"test/test/commit/bar/status/foo/bar/baz/description": "foo\n",
		"test/test/commit/bar/status/foo/bar/toto/state":      "failure\n",
		"test/test/commit/bar/status/foo/bar/toto/target_url": "toto\n",
		"test/test/commit/foo/status/default/state":           "error\n",
		"test/test/commit/foo/status/default/target_url":      "http://x\n",
		"test/test/ref/heads/master/head":                     "bar\n",
	})
}

func TestGH41_GH254_WhatIsInTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files(map[datakit.Path]string{
		"test/test/pr/1/head":             "->elsewhere",
		"test/test/pr/1/state/x":          "a directory in the place of a file",
		"test/test/pr/2":                  "a file in the place of a directory",
		"test/test/commit":                "another",
		"test/test/ref/heads/master/head": "->elsewhere",
		"test/test/.monitor":              "->elsewhere",
	})
	w.edit(func(tx *datakit.Tx) error {
		_, err := layout.Apply(t.Context(), tx, github.NewDiff([]github.Element{repo, p1, p3, s3, r1}, nil))
		return err
	})
	h, err := w.db.Branch(branch).Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := w.full(h)
	if want := github.NewSnapshot(repo, p1, p3, s3, r1); !got.Snapshot.Equal(want) || len(got.Malformed) > 0 {
		t.Errorf("read %s", text(got))
	}
}

func TestGH41_ExecutablesAreRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(repo, r1)
	h := w.edit(func(tx *datakit.Tx) error {
		return errors.Join(tx.SetMode(t.Context(), "test/test/.monitor", datakit.Executable),
			tx.SetMode(t.Context(), "test/test/ref/heads/master/head", datakit.Executable))
	})
	if got := w.full(h); !got.Snapshot.Equal(github.NewSnapshot(repo, r1)) {
		t.Errorf("read %s", text(got))
	}
	w.write(r1)
	if got := w.tree()["test/test/ref/heads/master/head"]; got != "bar\n" {
		t.Errorf("written over an executable file: %q", got)
	}
}

func TestGH43_OtherFilesStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	others := map[datakit.Path]string{
		"README.md":                             "text",
		"test/notes":                            "text",
		"test/test/notes":                       "text",
		"test/test/pr/1/notes":                  "text",
		"test/test/commit/bar/status/foo/notes": "text",
		"test/test/ref/heads/master/notes":      "text",
		"test/test/ref/heads/other/notes":       "text",
	}
	w.files(others)
	h := w.write(repo, p1, s4, r1)
	if got := w.full(h); !got.Snapshot.Equal(github.NewSnapshot(repo, p1, s4, r1)) || len(got.Malformed) > 0 {
		t.Errorf("read %s", text(got))
	}
	w.edit(func(tx *datakit.Tx) error {
		return errors.Join(layout.Remove(t.Context(), tx, repo), layout.Remove(t.Context(), tx, s4.ID()), layout.Remove(t.Context(), tx, r1.ID()))
	})
	got := w.tree()
	for path, content := range others {
		if got[path] != content {
			t.Errorf("%s is %q now", path, got[path])
		}
	}
}

func TestGH44_MonitorStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files(map[datakit.Path]string{"test/test/.monitor": "mine"})
	w.write(repo)
	w.wantTree(map[datakit.Path]string{"test/test/.monitor": "mine"})
}

func TestGH45_GH75_ACommitWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, start := range [][]github.Element{nil, {repo, r1}} {
		w.write(start...)
		err := w.db.Branch(branch).With(t.Context(), func(tx *datakit.Tx) error {
			defer tx.Abort()
			for _, tt := range []struct {
				d    github.Diff
				want bool
			}{
				{github.NewDiff([]github.Element{foo}, []github.ID{bar}), false},
				{github.NewDiff(start, nil), false},
				{github.NewDiff([]github.Element{r2}, nil), true},
				{github.NewDiff(start, []github.ID{r2.ID()}), false},
			} {
				if changed, err := layout.Apply(t.Context(), tx, tt.d); err != nil || changed != tt.want {
					t.Errorf("from %v: %v changes the tree: %v, %v, want %v", start, tt.d, changed, err, tt.want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestGH46_CommentsAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(repo, p1)
	w.files(map[datakit.Path]string{"test/test/pr/1/comments/7/id": "7", "test/test/pr/1/comments/notes": "text"})
	one := p1
	one.Comments = comments[1:]
	w.write(one)
	var got []datakit.Path
	for path := range w.tree() {
		if strings.Contains(string(path), "comments") {
			got = append(got, path)
		}
	}
	slices.Sort(got)
	if want := []datakit.Path{"test/test/pr/1/comments/0/body", "test/test/pr/1/comments/0/id", "test/test/pr/1/comments/0/user"}; !slices.Equal(got, want) {
		t.Errorf("comments: %v, want %v", got, want)
	}
}

func TestGH47_AbsentPartsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(github.NewStatus(bar, "foo", github.Pending, "text", "http://x"), s1)
	w.write(s4)
	w.wantTree(map[datakit.Path]string{
		"test/test/commit/bar/status/foo/state":               "pending\n",
		"test/test/commit/bar/status/foo/bar/baz/state":       "pending\n",
		"test/test/commit/bar/status/foo/bar/baz/description": "foo\n",
	})
}

func TestGH49_RemovalsFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	short := github.Ref{Commit: bar, Name: "heads/head"}
	long := github.Ref{Commit: foo, Name: "heads/head/head"}
	w.write(repo, short)
	for _, tt := range []struct{ from, to github.Ref }{{short, long}, {long, short}} {
		h := w.edit(func(tx *datakit.Tx) error {
			_, err := layout.Apply(t.Context(), tx, github.NewDiff([]github.Element{tt.to}, []github.ID{tt.from.ID()}))
			return err
		})
		if got, want := w.full(h).Snapshot, github.NewSnapshot(repo, tt.to); !got.Equal(want) {
			t.Errorf("%v to %v: %v", tt.from, tt.to, slices.Collect(got.Refs()))
		}
	}
}

func TestGH50_Events(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	edited := p3
	edited.Title = "edited"
	start := []github.Element{repo, p1, p3, s4, r1}
	for _, e := range []github.Event{
		github.RepoEvent{Repo: github.Repo{User: "new", Name: "one"}, Monitored: true},
		github.RepoEvent{Repo: repo},
		github.PREvent{PR: p2},
		github.PREvent{PR: github.PR{Head: foo, Number: 1, Base: "dev", Owner: "sam", Comments: comments[1:]}, Unread: github.Comments},
		github.PREvent{PR: github.PR{Head: foo, Number: 9, Base: "dev", Owner: "sam"}, Unread: github.Comments},
		github.PREvent{PR: github.PR{Head: github.Commit{Repo: repo}, Number: 2}, Unread: github.All},
		github.StatusEvent{Status: s1},
		github.RefEvent{Ref: r2},
		github.RefRemoved{Ref: r1.ID()},
		github.OtherEvent{Repo: repo, Label: "star"},
	} {
		h := w.write(start...)
		before := w.full(h).Snapshot
		h = w.edit(func(tx *datakit.Tx) error { return layout.WriteEvent(t.Context(), tx, e) })
		got, want := w.full(h).Snapshot, before.ApplyEvents(e)
		for c := range before.Commits() { // one that nothing needs has no directory
			if !got.Has(c) {
				want = want.Remove(c)
			}
		}
		if !got.Equal(want) {
			t.Errorf("%v: %v, want %v", e, slices.Collect(got.Elements()), slices.Collect(want.Elements()))
		}
	}
}

func TestGH51_RemovingWhatIsAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.files(map[datakit.Path]string{"test/test/pr": "a file", "x": "y"})
	h := w.edit(func(tx *datakit.Tx) error {
		_, err := layout.Apply(t.Context(), tx, github.NewDiff(nil, []github.ID{repo, p1.ID(), s1.ID(), r1.ID(), foo}))
		return err
	})
	if got := w.tree(); h.IsZero() || !maps.Equal(got, map[datakit.Path]string{"test/test/pr": "a file", "x": "y"}) {
		t.Errorf("left: %v", got)
	}
}

func TestGH52_GH232_Removals(t *testing.T) {
	t.Parallel()
	nested := github.Ref{Commit: foo, Name: "heads/master/x"}
	beside := github.Ref{Commit: foo, Name: "heads/master/head"}
	all := []github.Element{repo, p1, p3, s1, s2, s3, s4, r1, nested}
	for _, tt := range []struct {
		id   github.ID
		more []github.Element
		want []github.Element
	}{
		{s4.ID(), nil, []github.Element{repo, p1, p3, s1, s2, s3, r1, nested}},
		{s1.ID(), nil, []github.Element{repo, p1, p3, s2, s3, s4, r1, nested}},
		{r1.ID(), nil, []github.Element{repo, p1, p3, s1, s2, s3, s4, nested}},
		{r1.ID(), []github.Element{beside}, []github.Element{repo, p1, p3, s1, s2, s3, s4, nested, beside}},
		{p1.ID(), nil, []github.Element{repo, p3, s1, s2, s3, s4, r1, nested}},
		{bar, nil, []github.Element{repo, p1, p3, s3, r1, nested}},
	} {
		w := newWorld(t)
		w.write(all...)
		w.write(tt.more...)
		w.edit(func(tx *datakit.Tx) error {
			_, err := layout.SetError(t.Context(), tx, s4.ID(), "refused")
			return err
		})
		h := w.edit(func(tx *datakit.Tx) error { return layout.Remove(t.Context(), tx, tt.id) })
		if got, want := w.full(h).Snapshot, github.NewSnapshot(tt.want...); !got.Equal(want) {
			t.Errorf("without %v: %v, want %v", tt.id, slices.Collect(got.Elements()), tt.want)
		}
		if _, there := w.tree()["test/test/commit/bar/status/foo/.error"]; there == (tt.id == s4.ID() || tt.id == bar) {
			t.Errorf("without %v: .error is there: %v", tt.id, there)
		}
	}
	w := newWorld(t)
	w.write(all...)
	before := w.tree()
	w.edit(func(tx *datakit.Tx) error { return layout.Remove(t.Context(), tx, repo) })
	delete(before, "test/test/.monitor")
	w.wantTree(before)
}

func TestGH54_GH55_StainAndClean(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := []github.ID{repo, github.PRID{Repo: repo, Number: 7}, github.RefID{Repo: repo, Name: "heads/x"}}
	w.files(map[datakit.Path]string{"x": "y"})
	w.edit(func(tx *datakit.Tx) error { return layout.Stain(t.Context(), tx, ids...) })
	w.wantTree(map[datakit.Path]string{"x": "y", "test/test/.dirty": "", "test/test/pr/7/.dirty": "", "test/test/ref/heads/x/.dirty": ""})
	w.edit(func(tx *datakit.Tx) error {
		return layout.Clean(t.Context(), tx, append(ids, github.PRID{Repo: repo, Number: 8})...)
	})
	w.wantTree(map[datakit.Path]string{"x": "y"})
	err := w.db.Branch(branch).With(t.Context(), func(tx *datakit.Tx) error {
		defer tx.Abort()
		for _, id := range []github.ID{foo, s1.ID()} {
			if err := layout.Stain(t.Context(), tx, repo, id); !errors.Is(err, datakit.Invalid) {
				t.Errorf("Stain(%v): %v, want an error of kind Invalid", id, err)
			}
			if err := layout.Clean(t.Context(), tx, repo, id); !errors.Is(err, datakit.Invalid) {
				t.Errorf("Clean(%v): %v, want an error of kind Invalid", id, err)
			}
		}
		if changed, err := layout.Changed(t.Context(), tx); changed || err != nil {
			t.Errorf("a failed call has changed something: %v, %v", changed, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGH56_Errors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := []github.ID{r1.ID(), s1.ID(), p1.ID(), repo}
	w.write(repo, p1, s1, r1)
	set := func(text string, want bool) datakit.Hash {
		t.Helper()
		return w.edit(func(tx *datakit.Tx) error {
			for _, id := range ids {
				if written, err := layout.SetError(t.Context(), tx, id, text); err != nil || written != want {
					t.Errorf("SetError(%v): %v, %v, want %v", id, written, err, want)
				}
			}
			return nil
		})
	}
	h1 := set("422 No commit\n found ", true)
	for _, id := range ids {
		if got := w.tree()[layout.Dir(id)+"/.error"]; got != "422 No commit found\n" {
			t.Errorf("the error of %v is %q", id, got)
		}
	}
	if got := w.full(h1).Errors; !slices.Equal(got, ids) {
		t.Errorf("elements with errors: %v, want %v", got, ids)
	}
	set("422 No commit found", false)
	h2 := set("404 Not Found", true)
	h3 := w.edit(func(tx *datakit.Tx) error {
		for _, id := range ids[:3] {
			for _, want := range []bool{true, false} {
				if removed, err := layout.ClearError(t.Context(), tx, id); err != nil || removed != want {
					t.Errorf("ClearError(%v): %v, %v, want %v", id, removed, err, want)
				}
			}
		}
		_, err := layout.SetError(t.Context(), tx, foo, "text")
		if !errors.Is(err, datakit.Invalid) {
			t.Errorf("SetError of a commit: %v", err)
		}
		return nil
	})
	if got := w.full(h3, h1, h2); !slices.Equal(got.Errors, ids[3:]) || !got.Snapshot.Equal(github.NewSnapshot(repo, p1, s1, r1)) {
		t.Errorf("read %s", text(got))
	}
}
