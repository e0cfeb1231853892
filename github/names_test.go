package github_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// refused fails unless err is of kind Invalid and names all of parts.
func refused(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, datakit.Invalid) {
		t.Errorf("%s: %v, want an error of kind Invalid", what, err)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want it to name %s", what, err, part)
		}
	}
}

func TestGH1_GH2_GH5_Names(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"moby": "moby", " \tAz09-_.\r\n": "Az09-_.", "...": "...", "-": "-"} {
		if got, err := github.ParseName(text); got != want || err != nil {
			t.Errorf("ParseName(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	for text, part := range map[string]string{"": `""`, " ": "empty", ".": `"."`, "..": `".."`, "a b": "' '", "a/b": "'/'", "é": "'é'", "dependabot[bot]": "'['", "a\u00a0": `'\u00a0'`} {
		_, err := github.ParseName(text)
		refused(t, text, err, part)
	}
}

func TestGH4_GH6_Repositories(t *testing.T) {
	t.Parallel()
	if r, err := github.ParseRepo("moby/datakit"); err != nil || r != (github.Repo{User: "moby", Name: "datakit"}) || r.String() != "moby/datakit" {
		t.Errorf("parsed %v, %v", r, err)
	}
	for _, text := range []string{"", "moby", "/", "moby/", "/datakit", "a/b/c", "a//b", "m by/x", "a/..", "./x"} {
		_, err := github.ParseRepo(text)
		refused(t, text, err, "not a repository")
	}
	repos := []github.Repo{{User: "b", Name: "a"}, {User: "a", Name: "b"}, {User: "B", Name: "a"}, {User: "a", Name: "B"}}
	slices.SortFunc(repos, github.Repo.Compare)
	if want := []github.Repo{{User: "B", Name: "a"}, {User: "a", Name: "B"}, {User: "a", Name: "b"}, {User: "b", Name: "a"}}; !slices.Equal(repos, want) {
		t.Errorf("order: %v, want %v", repos, want)
	}
}

func TestGH8_Commits(t *testing.T) {
	t.Parallel()
	c, err := github.NewCommit(alpha, " 0ab\n")
	if err != nil || c != commit(alpha, "0ab") || c.Short() != "0ab" || commit(alpha, "0123456789").Short() != "012345" {
		t.Errorf("made %v, %v", c, err)
	}
	for _, hash := range []string{"", " ", ".", "..", "a/b", strings.Repeat("x", 256), "a\x00"} {
		_, err := github.NewCommit(alpha, hash)
		refused(t, hash, err, alpha.String())
	}
	inOrder(t, github.Commit.Compare, commit(alpha, "1"), commit(alpha, "2"), commit(beta, "1"), commit(other, "0"))
}

// inOrder fails unless compare orders the values as they are given.
func inOrder[T any](t *testing.T, compare func(a, b T) int, values ...T) {
	t.Helper()
	for i, a := range values {
		for j, b := range values {
			if got := compare(a, b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("Compare(%v, %v) = %d", a, b, got)
			}
		}
	}
}

func TestGH9_GH11_PullRequests(t *testing.T) {
	t.Parallel()
	c, d := commit(alpha, "1"), commit(alpha, "2")
	said := func(cs ...github.Comment) github.PR { return github.PR{Head: c, Number: 2, Comments: cs} }
	inOrder(t, github.PR.Compare,
		github.PR{Head: d, Number: 1},
		said(),
		said(github.Comment{Author: "amy", Body: "x"}),
		said(github.Comment{Author: "amy", Body: "x "}),
		said(github.Comment{Author: "joe"}),
		said(github.Comment{Author: "joe"}, github.Comment{}),
		said(github.Comment{ID: 1}),
		github.PR{Head: c, Number: 2, Owner: "amy"},
		github.PR{Head: c, Number: 2, Base: "a"},
		github.PR{Head: c, Number: 2, Title: "a"},
		github.PR{Head: c, Number: 2, State: github.Closed},
		github.PR{Head: d, Number: 2},
		github.PR{Head: commit(beta, "0"), Number: 0},
	)
	if id := said().ID(); id != (github.PRID{Repo: alpha, Number: 2}) {
		t.Errorf("identity %v", id)
	}
	rapid.Check(t, func(t *rapid.T) {
		p, q := drawPR(t), drawPR(t)
		if p.Equal(q) != (p.Compare(q) == 0) {
			t.Fatalf("%v and %v: equal %v, order %d", p, q, p.Equal(q), p.Compare(q))
		}
	})
}

func TestGH10_Close(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPR(t)
		q := p.Close()
		if q.State != github.Closed {
			t.Fatalf("%v, closed, is %v", p, q)
		}
		if q.State = p.State; !q.Equal(p) {
			t.Fatalf("closing has changed %v to %v", p, q)
		}
	})
}

func TestGH13_GH15_Contexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]github.Context{"": github.DefaultContext, "default": github.DefaultContext, "ci/datakit": "ci/datakit", "CI: linux, x64/a.b": "CI: linux, x64/a.b"} {
		if got, err := github.ParseContext(text); got != want || err != nil {
			t.Errorf("ParseContext(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"a//b", "/ci", "ci/", "ci/state", "description", "target_url/x", ".x", "a/.x", ".", "a/..", "/", strings.Repeat("x", 256), "git~1"} {
		_, err := github.ParseContext(text)
		refused(t, text, err, text)
	}
}

func TestGH16_GH233_Descriptions(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 141)
	for text, want := range map[string]string{
		" text\n":                             "text",
		long:                                  long[:280],
		"  " + long:                           long[:280],
		strings.Repeat("x", 139) + "  tail":   strings.Repeat("x", 139),
		strings.Repeat("x", 140):              strings.Repeat("x", 140),
		strings.Repeat("x", 139) + "\xff\xfe": strings.Repeat("x", 139) + "\xff",
	} {
		if got := github.NewStatus(commit(alpha, "1"), "ci", github.Success, text, "").Description; got != want {
			t.Errorf("description %q is cut to %q, want %q", text, got, want)
		}
	}
}

func TestGH17_EmptyIsNone(t *testing.T) {
	t.Parallel()
	c := commit(alpha, "1")
	got, want := github.NewStatus(c, "ci", github.Success, " \n", "\t"), github.NewStatus(c, "ci", github.Success, "", "")
	if !got.Equal(want) || strings.Contains(got.String(), "=") {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestGH18_Statuses(t *testing.T) {
	t.Parallel()
	status := func(c github.Commit, context github.Context, url, description string, state github.StatusState) github.Status {
		return github.NewStatus(c, context, state, description, url)
	}
	c := commit(alpha, "1")
	inOrder(t, github.Status.Compare,
		status(c, "ci", "", "", github.Errored),
		status(c, "ci", "", "", github.Success),
		status(c, "ci", "", "text", github.Errored),
		status(c, "ci", "u", "", github.Errored),
		status(c, "ci/x", "", "", github.Errored),
		status(c, "ci.x", "", "", github.Errored), // step by step, and so after ci/x
		status(commit(alpha, "2"), "a", "", "", github.Errored),
		status(commit(beta, "0"), "a", "", "", github.Errored),
	)
	newer := status(c, "ci", "", "", github.Errored)
	newer.Serial = 7
	if !newer.Equal(status(c, "ci", "", "", github.Errored)) || newer.ID() != (github.StatusID{Commit: c, Context: "ci"}) {
		t.Error("the serial number counts, or the identity is wrong")
	}
}

func TestGH20_GH21_GH23_References(t *testing.T) {
	t.Parallel()
	c := commit(alpha, "1")
	inOrder(t, github.Ref.Compare,
		github.Ref{Commit: c, Name: "heads/a"}, github.Ref{Commit: commit(alpha, "2"), Name: "heads/a"},
		github.Ref{Commit: c, Name: "heads/a/b"}, github.Ref{Commit: c, Name: "heads/a.b"}, github.Ref{Commit: commit(beta, "0"), Name: "a"})
	for _, text := range []string{"heads/master", "heho", "heads/feature#1", "heads/größe/(x)", "tags/v1.0+build"} {
		if got, err := github.ParseRefName(text); string(got) != text || err != nil {
			t.Errorf("ParseRefName(%q) = %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "heads/", "/heads", "heads//x", "heads/.x", "..", "heads/" + strings.Repeat("x", 256)} {
		_, err := github.ParseRefName(text)
		refused(t, text, err, text)
	}
}

func TestGH19_StateWords(t *testing.T) {
	t.Parallel()
	for _, s := range []github.StatusState{github.Errored, github.Pending, github.Success, github.Failure} {
		if got, err := github.ParseStatusState(" " + s.String() + "\n"); got != s || err != nil {
			t.Errorf("%v is read as %v, %v", s, got, err)
		}
	}
	for _, s := range []github.PRState{github.Open, github.Closed} {
		if got, err := github.ParsePRState(" " + s.String() + "\n"); got != s || err != nil {
			t.Errorf("%v is read as %v, %v", s, got, err)
		}
	}
	for _, text := range []string{"", "Success", "merged", "failed"} {
		_, err := github.ParseStatusState(text)
		refused(t, text, err, text)
		_, err = github.ParsePRState(text)
		refused(t, text, err, text)
	}
}
