package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
)

func TestGH155_GH227_Exists(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for name, want := range map[string]bool{"test": true, "nobody": false} {
		if got, err := e.UserExists(t.Context(), name); got != want || err != nil {
			t.Errorf("UserExists(%s) = %v, %v", name, got, err)
		}
		if got, err := e.RepoExists(t.Context(), github.Repo{User: name, Name: "test"}); got != want || err != nil {
			t.Errorf("RepoExists(%s/test) = %v, %v", name, got, err)
		}
	}
	e.world.Inject(githubtest.Fault{Op: github.OpRepoExists, Status: 451})
	if ok, err := e.RepoExists(t.Context(), repo); ok || !github.Refused(err) {
		t.Errorf("RepoExists of one that is withheld = %v, %v", ok, err)
	}
}

func TestGH155_UserRepos(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	var want []github.Repo
	for i := range 120 {
		r := github.Repo{User: "many", Name: fmt.Sprintf("r%03d", i)}
		e.world.PutRepo(r)
		want = append(want, r)
	}
	got, err := e.UserRepos(t.Context(), "many")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("UserRepos = %v, %v", got, err)
	}
}

func TestGH12_GH157_PRs(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	full := pr(1, "foo", " one ")
	full.Comments[0].Body = "  body\n"
	full.Comments = append(full.Comments, github.Comment{ID: 42, Author: "ana", Body: " hi "}, github.Comment{ID: 18, Author: "joe"})
	bare := pr(2, "bar", "two")
	bare.Comments = nil
	closed := pr(3, "foo", "three").Close()
	for _, p := range []github.PR{full, bare, closed} {
		e.world.PutPR(p)
	}
	full.Title = "one"
	bare.Comments = []github.Comment{{Author: "sam"}} // the body, which is null
	got, partial, err := e.PRs(t.Context(), repo)
	if err != nil || len(partial) != 0 || !slices.EqualFunc(got, []github.PR{full, bare}, github.PR.Equal) {
		t.Errorf("PRs = %v, %v, %v", got, partial, err)
	}
	if got[0].Updated.IsZero() {
		t.Error("the time of the last change is lost")
	}
	e.wantRequests(t,
		"GET /repos/test/test/pulls?state=open&sort=created&direction=asc&per_page=100&page=1",
		"GET /repos/test/test/issues/1/comments?per_page=100&page=1",
		"GET /repos/test/test/issues/2/comments?per_page=100&page=1",
	)
	one, ok, err := e.PR(t.Context(), prID(1))
	if err != nil || !ok || !one.Equal(full) {
		t.Errorf("PR 1 = %v, %v, %v", one, ok, err)
	}
	if three, ok, err := e.PR(t.Context(), prID(3)); err != nil || !ok || !three.Equal(closed) {
		t.Errorf("PR 3 = %v, %v, %v", three, ok, err)
	}
}

func TestGH158_GH230_AllPages(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	p := pr(1, "foo", "x")
	for i := range 205 {
		p.Comments = append(p.Comments, github.Comment{ID: int64(i + 1), Author: "ana", Body: fmt.Sprint(i)})
		e.world.PutRef(ref(github.RefName(fmt.Sprintf("heads/b%d", i)), "foo"))
		e.world.AddStatus(status("foo", github.Context(fmt.Sprintf("ci/%d", i)), github.Success))
	}
	e.world.PutPR(p)
	for n := range 204 {
		e.world.PutPR(pr(n+2, "foo", "x"))
	}
	prs, _, err := e.PRs(t.Context(), repo)
	if err != nil || len(prs) != 205 || !prs[0].Equal(p) {
		t.Errorf("%d PRs, %v", len(prs), err)
	}
	if !slices.IsSortedFunc(prs, func(a, b github.PR) int { return a.Number - b.Number }) {
		t.Error("the PRs are not in the order of creation")
	}
	if refs, _, err := e.Refs(t.Context(), repo); err != nil || len(refs) != 205 {
		t.Errorf("%d refs, %v", len(refs), err)
	}
	if list, err := e.Statuses(t.Context(), commit("foo")); err != nil || len(list) != 205 {
		t.Errorf("%d statuses, %v", len(list), err)
	}
	for _, r := range e.requests() {
		if !strings.Contains(r, "per_page=100") {
			t.Errorf("not 100 on a page: %s", r)
		}
	}
}

func TestGH3_GH229_Accounts(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	p := pr(1, "foo", "x")
	p.Owner = "dependabot[bot]"
	p.Comments[0].Author = p.Owner
	p.Comments = append(p.Comments, github.Comment{ID: 1, Body: "of a deleted user"})
	q := pr(2, "foo", "x")
	q.Owner = ""
	e.world.PutPR(p)
	e.world.PutPR(q)
	got, _, err := e.PRs(t.Context(), repo)
	if err != nil || len(got) != 2 {
		t.Fatalf("PRs = %v, %v", got, err)
	}
	if got[0].Owner != p.Owner || got[0].Comments[1].Author != github.Ghost || got[1].Owner != github.Ghost || got[1].Comments[0].Author != github.Ghost {
		t.Errorf("the accounts are lost: %+v", got)
	}
}

func TestGH156_GH158_Statuses(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.AddStatus(status("foo", "ci/a", github.Pending))
	e.world.AddStatus(github.NewStatus(commit("foo"), "ci/a", github.Failure, "text", "http://a.example/"))
	serial := e.world.AddStatus(status("foo", github.DefaultContext, github.Success))
	got, err := e.Statuses(t.Context(), commit("foo"))
	want := []github.Status{github.NewStatus(commit("foo"), "ci/a", github.Failure, "text", "http://a.example/"), status("foo", "default", github.Success)}
	if err != nil || !slices.EqualFunc(got, want, github.Status.Equal) || got[1].Serial != serial {
		t.Errorf("Statuses = %+v, %v", got, err)
	}
	e.wantRequests(t, "GET /repos/test/test/commits/foo/status?per_page=100&page=1")
}

func TestGH15_GH19_GH229_OddStatuses(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for _, ctx := range []string{"a//b", "/ci", "ci/state", ".x", "ok"} {
		e.world.AddRawStatus(commit("foo"), githubtest.RawStatus{State: "success", Context: ctx})
	}
	e.world.AddRawStatus(commit("foo"), githubtest.RawStatus{State: "skipped", Context: "odd"})
	for range 2 {
		got, err := e.Statuses(t.Context(), commit("foo"))
		if err != nil || len(got) != 1 || got[0].Context != "ok" {
			t.Errorf("Statuses = %v, %v", got, err)
		}
	}
	if lines := strings.Count(e.logged(), "\n"); lines != 5 {
		t.Errorf("%d lines in the log, want one for each that was left out:\n%s", lines, e.logged())
	}
}

func TestGH16_GH233_LongDescriptionFromGitHub(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.AddRawStatus(commit("foo"), githubtest.RawStatus{State: "success", Context: "a", Description: strings.Repeat("ü", 150)})
	got, err := e.Statuses(t.Context(), commit("foo"))
	if err != nil || len(got) != 1 || got[0].Description != strings.Repeat("ü", 140) {
		t.Errorf("Statuses = %v, %v", got, err)
	}
}

func TestGH20_GH21_GH23_Refs(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for _, name := range []string{"heads/master", "heads/feature#1", "heads/a/b", "heads/ü", "heads/.hidden", "pull/1/head", "tags/v1"} {
		e.world.PutObject(repo, name, "commit", "foo")
	}
	want := []github.Ref{ref("heads/a/b", "foo"), ref("heads/feature#1", "foo"), ref("heads/master", "foo"), ref("heads/ü", "foo"), ref("tags/v1", "foo")}
	got, partial, err := e.Refs(t.Context(), repo)
	slices.SortFunc(got, func(a, b github.Ref) int { return a.ID().Compare(b.ID()) })
	if diff := cmp.Diff(want, got); err != nil || len(partial) != 0 || diff != "" {
		t.Errorf("Refs: %v, %v (-want +got)\n%s", partial, err, diff)
	}
	for _, r := range want {
		if got, ok, err := e.Ref(t.Context(), r.ID()); err != nil || !ok || got != r {
			t.Errorf("Ref(%s) = %v, %v, %v", r.ID(), got, ok, err)
		}
	}
	if _, _, err := e.Refs(t.Context(), repo); err != nil || strings.Count(e.logged(), "left out a") != 1 {
		t.Errorf("%v; the log must name the ref that was left out once:\n%s", err, e.logged())
	}
}

func TestGH22_GH229_AnnotatedTags(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.AddTag(repo, "t1", "commit", "foo")
	for i := 2; i <= 12; i++ {
		e.world.AddTag(repo, fmt.Sprint("t", i), "tag", fmt.Sprint("t", i-1))
	}
	e.world.AddTag(repo, "tree", "tree", "abc")
	for _, tag := range []string{"t1", "t2", "t10", "t11", "tree"} {
		e.world.PutObject(repo, "tags/"+tag, "tag", tag)
	}
	e.world.PutObject(repo, "tags/blob", "blob", "abc")
	want := []github.Ref{ref("tags/t1", "foo"), ref("tags/t10", "foo"), ref("tags/t2", "foo")}
	for range 2 {
		got, partial, err := e.Refs(t.Context(), repo)
		slices.SortFunc(got, func(a, b github.Ref) int { return a.ID().Compare(b.ID()) })
		if diff := cmp.Diff(want, got); err != nil || len(partial) != 0 || diff != "" {
			t.Errorf("Refs: %v, %v (-want +got)\n%s", partial, err, diff)
		}
	}
	if got, ok, err := e.Ref(t.Context(), want[2].ID()); err != nil || !ok || got != want[2] {
		t.Errorf("Ref(%s) = %v, %v, %v", want[2].ID(), got, ok, err)
	}
	if _, ok, err := e.Ref(t.Context(), ref("tags/tree", "").ID()); err != nil || ok {
		t.Errorf("Ref of a tree: %v, %v", ok, err)
	}
	counts := map[string]int{}
	for _, r := range e.requests() {
		counts[r]++
	}
	if n := counts["GET /repos/test/test/git/tags/t2"]; n > 3 { // several may ask before the first answer
		t.Errorf("the tag t2, which never changes, was asked for %d times", n)
	}
}

func TestGH161_UnresolvedTag(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.AddTag(repo, "t1", "commit", "foo")
	e.world.PutObject(repo, "tags/bad", "tag", "gone")
	e.world.PutObject(repo, "tags/good", "tag", "t1")
	got, partial, err := e.Refs(t.Context(), repo)
	if err != nil || len(got) != 1 || got[0] != ref("tags/good", "foo") || len(partial) != 1 || partial[ref("tags/bad", "").ID()] == nil {
		t.Errorf("Refs = %v, %v, %v", got, partial, err)
	}
}

func TestGH159_GH226_Absent(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.PutPR(pr(1, "foo", "x"))
	e.world.PutRef(ref("heads/a", "foo"))
	e.world.AddCommit(repo, "foo")
	if _, ok, err := e.PR(t.Context(), prID(2)); ok || err != nil {
		t.Errorf("PR 2: %v, %v, want none", ok, err)
	}
	if _, ok, err := e.Ref(t.Context(), ref("heads/b", "").ID()); ok || err != nil {
		t.Errorf("Ref b: %v, %v, want none", ok, err)
	}
	if list, err := e.Comments(t.Context(), prID(2)); len(list) != 0 || err != nil {
		t.Errorf("comments of PR 2: %v, %v, want none", list, err)
	}
	if list, err := e.Statuses(t.Context(), commit("bar")); len(list) != 0 || err != nil {
		t.Errorf("statuses of an unknown commit: %v, %v, want none", list, err)
	}
	for _, code := range []int{410, 409} {
		remove := e.world.Inject(githubtest.Fault{Op: github.OpReadRef, Status: code})
		if _, ok, err := e.Ref(t.Context(), ref("heads/a", "").ID()); ok || err != nil {
			t.Errorf("Ref with %d: %v, %v, want none", code, ok, err)
		}
		remove()
	}
	for _, code := range []int{0, 401, 403, 409, 429, 451, 500, 502} {
		for _, op := range []string{github.OpReadPR, github.OpReadRef, github.OpReadStatuses} {
			if code == 409 && op == github.OpReadRef {
				continue
			}
			remove := e.world.Inject(githubtest.Fault{Op: op, Status: code})
			var err error
			switch op {
			case github.OpReadPR:
				_, _, err = e.PR(t.Context(), prID(1))
			case github.OpReadRef:
				_, _, err = e.Ref(t.Context(), ref("heads/a", "").ID())
			default:
				_, err = e.Statuses(t.Context(), commit("foo"))
			}
			remove()
			var apiErr *github.APIError
			if !errors.As(err, &apiErr) || apiErr.Op != op || apiErr.Status != code {
				t.Errorf("%s with %d: %v", op, code, err)
			}
			if code == 429 {
				return // the limit holds for all further calls
			}
		}
	}
}

func TestGH159_RepositoryGone(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.DropRepo(repo)
	_, _, err1 := e.PR(t.Context(), prID(1))
	_, _, err2 := e.Ref(t.Context(), ref("heads/a", "").ID())
	_, err3 := e.Statuses(t.Context(), commit("foo"))
	_, _, err4 := e.Refs(t.Context(), repo)
	_, _, err5 := e.PRs(t.Context(), repo)
	for i, err := range []error{err1, err2, err3, err4, err5} {
		var apiErr *github.APIError
		if !errors.As(err, &apiErr) || apiErr.Status != 404 || apiErr.Temporary {
			t.Errorf("call %d: %v: that all is gone must not pass for absence", i+1, err)
		}
	}
}

func TestGH160_NoRefs(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for _, code := range []int{404, 409} {
		remove := e.world.Inject(githubtest.Fault{Op: github.OpListRefs, Status: code})
		if got, partial, err := e.Refs(t.Context(), repo); len(got) != 0 || len(partial) != 0 || err != nil {
			t.Errorf("Refs with %d = %v, %v, %v", code, got, partial, err)
		}
		remove()
	}
}

func TestGH225_FailedListIsAnError(t *testing.T) {
	t.Parallel()
	for _, code := range []int{0, 403, 500} {
		e := start(t, nil)
		e.world.PutPR(pr(1, "foo", "x"))
		e.world.Inject(githubtest.Fault{Op: github.OpListPRs, Status: code})
		e.world.Inject(githubtest.Fault{Op: github.OpListRefs, Status: code})
		e.world.Inject(githubtest.Fault{Op: github.OpReadStatuses, Status: code})
		if got, _, err := e.PRs(t.Context(), repo); err == nil {
			t.Errorf("PRs with %d = %v", code, got)
		}
		if got, _, err := e.Refs(t.Context(), repo); err == nil {
			t.Errorf("Refs with %d = %v", code, got)
		}
		if got, err := e.Statuses(t.Context(), commit("foo")); err == nil {
			t.Errorf("Statuses with %d = %v", code, got)
		}
	}
}

func TestGH228_CommentsFail(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for n := range 3 {
		p := pr(n+1, "foo", "x")
		p.Comments = append(p.Comments, github.Comment{ID: 7, Author: "ana"})
		e.world.PutPR(p)
	}
	e.world.Inject(githubtest.Fault{Op: github.OpReadComments, Subject: "{test/test 2}", Status: 500})
	got, partial, err := e.PRs(t.Context(), repo)
	if err != nil || len(got) != 3 || len(got[0].Comments) != 2 || len(got[1].Comments) != 1 || len(partial) != 1 || partial[prID(2)] == nil {
		t.Errorf("PRs = %v, %v, %v", got, partial, err)
	}
	var commentsErr *github.CommentsError
	p, ok, err := e.PR(t.Context(), prID(2))
	if !errors.As(err, &commentsErr) || commentsErr.PR != prID(2) || !ok || len(p.Comments) != 1 {
		t.Errorf("PR = %v, %v, %v", p, ok, err)
	}
}

func TestMalformedPRIsIsolated(t *testing.T) {
	t.Parallel()
	e := start(t, func(e *env, _ *api.Config, h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/comments") {
				w.Write([]byte("[]"))
				return
			}
			json.NewEncoder(w).Encode([]any{
				map[string]any{"number": 1, "state": "open", "head": map[string]any{"sha": ""}},
				map[string]any{"number": -1, "state": "open", "head": map[string]any{"sha": "foo"}},
				map[string]any{"number": 2, "state": "odd", "head": map[string]any{"sha": "foo"}},
				map[string]any{"number": 3, "state": "closed", "head": map[string]any{"sha": "foo"}},
				map[string]any{"number": 4, "state": "open", "head": map[string]any{"sha": "old"}},
				map[string]any{"number": 4, "state": "open", "head": map[string]any{"sha": "foo"}},
			})
		})
	})
	got, _, err := e.PRs(t.Context(), repo)
	if err != nil || len(got) != 1 || got[0].Number != 4 || got[0].Head.Hash != "foo" || got[0].Base != "master" || got[0].Owner != "ghost" {
		t.Errorf("PRs = %+v, %v", got, err)
	}
	if n := strings.Count(e.logged(), "left out a"); n != 3 {
		t.Errorf("the log tells of %d that were left out:\n%s", n, e.logged())
	}
}

// TestGH109_CallsTellTheirProgress lets whoever waits for a call see that it
// goes on.
func TestGH109_CallsTellTheirProgress(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for i := range 250 {
		e.world.PutRef(ref(github.RefName(fmt.Sprintf("heads/b%d", i)), "foo"))
	}
	var answers atomic.Int32
	ctx := github.WithProgress(t.Context(), func() { answers.Add(1) })
	if _, _, err := e.Refs(ctx, repo); err != nil {
		t.Fatal(err)
	}
	if n, sent := int(answers.Load()), len(e.requests()); n != sent || n < 4 {
		t.Errorf("told of %d answers, want %d", n, sent)
	}
}
