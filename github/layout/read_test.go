package layout_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// headTree returns the tree of the head.
func (w world) headTree() *datakit.Tree {
	w.t.Helper()
	tree, err := w.db.Branch(branch).Tree(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return tree
}

func TestGH53_GH58_Monitored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.files(map[datakit.Path]string{
		"README.md":             "text",
		".monitor":              "text",
		"user/.monitor":         "text", // a file, and no repository
		"user/a/.monitor":       "text",
		"user/b/ref/m/head":     "foo",
		"user/c d/.monitor":     "text",
		"u ser/e/.monitor":      "text",
		" user/f/.monitor":      "text",
		"user/g/.monitor/x":     "text",
		"z/h/.monitor":          "text",
		"user/dir/sub/.monitor": "text",
	})
	want := []github.Repo{{User: "user", Name: "a"}, {User: "z", Name: "h"}}
	if got := slices.Collect(w.full(h).Snapshot.Repos()); !slices.Equal(got, want) {
		t.Errorf("monitored: %v, want %v", got, want)
	}
	if got, err := layout.Repos(t.Context(), w.headTree()); !slices.Equal(got, want) || err != nil {
		t.Errorf("monitored: %v, %v, want %v", got, err, want)
	}
}

func TestGH59_Snapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unmonitored := github.Commit{Repo: github.Repo{User: "test", Name: "other"}, Hash: "1"}
	deep := github.Ref{Commit: foo, Name: "heads/a/b/c"}
	heho := github.Ref{Commit: foo, Name: "heho"}
	w.write(repo, p2, s1, deep, heho, github.NewStatus(unmonitored, "ci", github.Success, "", ""), github.Ref{Commit: unmonitored, Name: "heads/m"})
	h := w.files(map[datakit.Path]string{"test/test/commit/alone/notes": "text", "test/test/commit/file": "text"})
	want := github.NewSnapshot(repo, p2, s1, deep, heho, github.Commit{Repo: repo, Hash: "alone"})
	if got := w.full(h); !got.Snapshot.Equal(want) || got.Malformed != nil {
		t.Errorf("read %s", text(got))
	}
	if got := w.full(datakit.Hash{}); !got.Snapshot.IsEmpty() || !got.Head.IsZero() {
		t.Errorf("of no commit: %s", text(got))
	}
}

func TestGH60_Queries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := github.Commit{Repo: github.Repo{User: "test", Name: "other"}, Hash: "1"}
	pr := github.PR{Head: other, Number: 1, Base: "master", Owner: "joe"}
	ref := github.Ref{Commit: other, Name: "heads/m"}
	ci := github.NewStatus(other, "ci", github.Success, "", "")
	w.write(repo, p1, p3, s1, s3, r1, pr, ref, ci)
	ctx, tree := t.Context(), w.headTree()
	equal := func(what string, got []github.Element, err error, want ...github.Element) {
		t.Helper()
		if !github.NewDiff(got, nil).Equal(github.NewDiff(want, nil)) || len(got) != len(want) || err != nil {
			t.Errorf("%s: %v, %v, want %v", what, got, err, want)
		}
	}
	prs, err := layout.PRs(ctx, tree)
	equal("PRs", elements(prs), err, p1, p3)
	prs, err = layout.PRs(ctx, tree, other.Repo)
	equal("PRs of a repository that is not monitored", elements(prs), err, pr)
	refs, err := layout.Refs(ctx, tree)
	equal("refs", elements(refs), err, r1)
	refs, err = layout.Refs(ctx, tree, repo, other.Repo)
	equal("refs of both", elements(refs), err, r1, ref)
	statuses, err := layout.Statuses(ctx, tree)
	equal("statuses", elements(statuses), err, s1, s3)
	statuses, err = layout.Statuses(ctx, tree, other, foo, github.Commit{Repo: repo, Hash: "none"})
	equal("statuses of commits", elements(statuses), err, ci, s3)

	gotPR, err := layout.ReadPR(ctx, tree, pr.ID())
	equal("one PR", []github.Element{gotPR}, err, pr)
	gotStatus, err := layout.ReadStatus(ctx, tree, ci.ID())
	equal("one status", []github.Element{gotStatus}, err, ci)
	gotRef, err := layout.ReadRef(ctx, tree, ref.ID())
	equal("one ref", []github.Element{gotRef}, err, ref)
	if _, err := layout.ReadPR(ctx, tree, github.PRID{Repo: repo, Number: 9}); !errors.Is(err, datakit.NotExist) {
		t.Errorf("a PR that does not exist: %v", err)
	}
	for c, want := range map[github.Commit]bool{other: true, {Repo: repo, Hash: "none"}: false} {
		if got, err := layout.HasCommit(ctx, tree, c); got != want || err != nil {
			t.Errorf("HasCommit(%v) = %v, %v", c, got, err)
		}
	}
	for r, want := range map[github.Repo]bool{repo: true, other.Repo: false} {
		if got, err := layout.Monitored(ctx, tree, r); got != want || err != nil {
			t.Errorf("Monitored(%v) = %v, %v", r, got, err)
		}
	}
	content, err := layout.ReadRepo(ctx, tree, other.Repo)
	equal("one repository", slices.Collect(content.Snapshot.Elements()), err, pr, ref, ci, other, other.Repo)
}

func elements[E github.Element](list []E) (es []github.Element) {
	for _, e := range list {
		es = append(es, e)
	}
	return es
}

func TestGH62_NoElementWithoutName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h0 := w.write(repo)
	h := w.files(map[datakit.Path]string{
		"test/test/commit/foo/status/state":       "success",
		"test/test/commit/bar/status/state/state": "success",
		"test/test/ref/head":                      "foo",
		"test/test/ref/.x/head":                   "foo",
		"test/test/commit/foo/status/.x/state":    "success",
	})
	got := w.full(h, h0)
	if want := github.NewSnapshot(repo, foo, bar); !got.Snapshot.Equal(want) || got.Malformed != nil {
		t.Errorf("read %s", text(got))
	}
}

// reports reads files beside the mark of a monitored repository, and compares
// what is reported as malformed with want: of each path a part of the reason.
func reports(t *testing.T, files map[datakit.Path]string, want map[datakit.Path]string) layout.Content {
	t.Helper()
	w := newWorld(t)
	h0 := w.write(repo, p1, s4, r1)
	h := w.files(files)
	got := w.full(h, h0)
	for _, m := range got.Malformed {
		if part, ok := want[m.Path]; !ok || !strings.Contains(m.Reason, part) {
			t.Errorf("reported %v", &m)
		}
		if m.ID != nil && (!got.IsMalformed(m.ID) || got.Snapshot.Has(m.ID)) {
			t.Errorf("%v is malformed: %v, and in the snapshot: %v", m.ID, got.IsMalformed(m.ID), got.Snapshot.Has(m.ID))
		}
	}
	if len(got.Malformed) != len(want) {
		t.Errorf("reported %v, want %v", got.Malformed, want)
	}
	return got
}

func TestGH63_PRNumbers(t *testing.T) {
	t.Parallel()
	files, want := map[datakit.Path]string{}, map[datakit.Path]string{}
	for _, name := range []string{"foo", "01", "+1", "-1", "00", "1x", "99999999999999999999"} {
		dir := datakit.Path("test/test/pr/" + name)
		files[dir+"/head"], files[dir+"/.dirty"] = "foo", "text"
		want[dir] = "number"
	}
	files["test/test/pr/0/head"], files["test/test/pr/0/state"], files["test/test/pr/0/owner"] = "foo", "open", "joe"
	files["test/test/pr/file"] = "text"
	got := reports(t, files, want)
	zero := github.PR{Head: foo, Base: "master", Owner: "joe"}
	if e, ok := got.Snapshot.Find(zero.ID()); !ok || github.CompareElements(e, zero) != 0 {
		t.Errorf("PR 0 is %v, %v", e, ok)
	}
	for _, m := range got.Malformed {
		if m.ID != nil {
			t.Errorf("%v can be the element %v", m.Path, m.ID)
		}
	}
}

func TestGH64_GH231_Comments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := p3
	for i := range 12 {
		many.Comments = append(many.Comments, github.Comment{ID: int64(100 - i), Author: "joe", Body: strings.Repeat(" \n", i)})
	}
	h := w.write(repo, many)
	if got, _ := w.full(h).Snapshot.Find(many.ID()); github.CompareElements(got, many) != 0 {
		t.Errorf("read %v, want %v", got, many)
	}
	dir := "test/test/pr/2/comments/"
	h2 := w.files(map[datakit.Path]string{
		datakit.Path(dir + "3"):                          "", // a gap
		datakit.Path(dir + "4/id"):                       "",
		datakit.Path(dir + "5/id"):                       "x",
		datakit.Path(dir + "6/user"):                     "->joe",
		datakit.Path(dir + "7/user"):                     "\n",
		datakit.Path(dir + "8/body"):                     "",
		datakit.Path(dir + "20/id"):                      "20",
		datakit.Path(dir + "20/user"):                    " dependabot[bot] ",
		datakit.Path(dir + "x/id"):                       "1",
		datakit.Path(dir + "x/user"):                     "joe",
		datakit.Path(dir + "notes"):                      "text",
		datakit.Path(dir + "21"):                         "a file",
		datakit.Path(dir + "100000000000000000000/id"):   "3",
		datakit.Path(dir + "100000000000000000000/user"): "amy",
	})
	many.Comments[8].Body = ""
	want := slices.Concat(many.Comments[:3], many.Comments[8:],
		[]github.Comment{{ID: 20, Author: "dependabot[bot]"}, {ID: 3, Author: "amy"}})
	got, err := layout.ReadPR(t.Context(), w.headTree(), many.ID())
	if err != nil || !slices.Equal(got.Comments, want) {
		t.Errorf("comments: %v, %v, want %v", got.Comments, err, want)
	}
	w.full(h2, h)
}

func TestGH65_GH255_Malformed(t *testing.T) {
	t.Parallel()
	dir := datakit.Path("test/test/")
	reports(t, map[datakit.Path]string{
		dir + "pr/1/state":                        "opne",
		dir + "pr/2/head":                         "foo",
		dir + "pr/3/head":                         " \n",
		dir + "pr/3/state":                        "open",
		dir + "pr/3/owner":                        "joe",
		dir + "pr/4/head":                         "foo",
		dir + "pr/4/state":                        "open",
		dir + "pr/4/owner":                        "a\tb",
		dir + "pr/5/head":                         "foo",
		dir + "pr/5/state":                        "->open",
		dir + "pr/5/owner":                        "joe",
		dir + "pr/6/head":                         "foo",
		dir + "pr/6/state":                        "closed",
		dir + "pr/6/owner":                        "joe",
		dir + "pr/6/title/x":                      "text",
		dir + "pr/7/head":                         "a/b",
		dir + "pr/7/state":                        "closed",
		dir + "pr/7/owner":                        "joe",
		dir + "pr/8/title":                        "no PR at all",
		dir + "pr/9/head":                         "foo",
		dir + "pr/9/state":                        "open",
		dir + "pr/9/owner":                        "joe",
		dir + "pr/9/comments/0/id":                "1",
		dir + "pr/9/comments/0/user":              "joe",
		dir + "pr/9/comments/0/body/x":            "text",
		dir + "pr/10/head":                        "foo",
		dir + "pr/10/state":                       "open",
		dir + "pr/10/owner":                       "joe",
		dir + "pr/10/title":                       strings.Repeat("x", 2<<20),
		dir + "commit/bar/status/foo/state":       strings.Repeat("fial", 1000),
		dir + "commit/bar/status/a/state/x":       "text",
		dir + "commit/bar/status/b/state":         "success",
		dir + "commit/bar/status/b/target_url":    "->x",
		dir + "commit/bar/status/c/description/x": "no status at all",
		dir + "ref/heads/master/head":             "\n",
		dir + "ref/heads/link/head":               "->x",
		dir + "ref/heads/good/head":               "foo",
	}, map[datakit.Path]string{
		dir + "pr/1/state":                     `"opne"`,
		dir + "pr/2/state":                     "state is missing",
		dir + "pr/3/head":                      `""`,
		dir + "pr/4/owner":                     "control character",
		dir + "pr/5/state":                     "state is a symlink",
		dir + "pr/6/title":                     "title is a directory",
		dir + "pr/7/head":                      "a/b",
		dir + "pr/9/comments/0/body":           "comments/0/body is a directory",
		dir + "pr/10/title":                    "title is longer than",
		dir + "commit/bar/status/foo/state":    "…",
		dir + "commit/bar/status/a/state":      "directory",
		dir + "commit/bar/status/b/target_url": "target_url is a symlink",
		dir + "ref/heads/master/head":          `""`,
		dir + "ref/heads/link/head":            "symlink",
	})
	reports(t, map[datakit.Path]string{dir + ".monitor": "->x"}, map[datakit.Path]string{dir + ".monitor": ".monitor is a symlink"})
}

func TestGH65_OneMalformed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(repo, r1)
	w.files(map[datakit.Path]string{"test/test/ref/heads/master/head": " "})
	_, err := layout.ReadRef(t.Context(), w.headTree(), r1.ID())
	var m *layout.Malformed
	if !errors.As(err, &m) || m.ID != r1.ID() || m.Path != "test/test/ref/heads/master/head" || !strings.HasPrefix(err.Error(), string(m.Path)+": ") {
		t.Errorf("read a malformed ref: %v", err)
	}
	h := w.write(r1)
	if got := w.full(h); len(got.Malformed) > 0 {
		t.Errorf("corrected, and yet %v", got.Malformed)
	}
}

func TestGH57_TheOldLayoutIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.files(map[datakit.Path]string{
		"github.com/test/.monitor":                  "text",
		"github.com/test/test/pr/1/status/ci/state": "success",
		"github.com/test/test/events":               "text",
		"test/test/.monitor":                        "text",
		"test/test/commit/bar/status/ci/state":      "success",
		"test/test/commit/bar/status/ci/descr":      "text",
		"test/test/commit/bar/status/ci/url":        "http://x",
		"test/test/pr/1/status/ci/state":            "success",
	})
	want := github.NewSnapshot(repo, github.Repo{User: "github.com", Name: "test"}, github.NewStatus(bar, "ci", github.Success, "", ""))
	if got := w.full(h); !got.Snapshot.Equal(want) || got.Malformed != nil {
		t.Errorf("read %s", text(got))
	}
}
