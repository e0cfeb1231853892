package githubtest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var repo = github.Repo{User: "test", Name: "test"}

func commit(hash string) github.Commit { return github.Commit{Repo: repo, Hash: hash} }

func pr(n int, head, title string) github.PR {
	return github.PR{Head: commit(head), Number: n, Title: title, Base: "master", Owner: "sam"}
}

func status(hash string, ctx github.Context, state github.StatusState) github.Status {
	return github.NewStatus(commit(hash), ctx, state, "", "")
}

func ref(name github.RefName, hash string) github.Ref {
	return github.Ref{Commit: commit(hash), Name: name}
}

// changes returns a world with the repository, and the changes that it tells.
func changes(t *testing.T) (*githubtest.World, func() []githubtest.Change) {
	t.Helper()
	w := githubtest.New(repo)
	var list []githubtest.Change
	t.Cleanup(w.Listen(func(c githubtest.Change) { list = append(list, c) }))
	return w, func() []githubtest.Change {
		defer func() { list = nil }()
		return list
	}
}

func TestPRs(t *testing.T) {
	t.Parallel()
	w, told := changes(t)
	closed := pr(1, "foo", "one").Close()
	open := pr(2, "bar", "two")
	open.Comments = []github.Comment{{Author: "sam", Body: "body"}}
	w.PutPR(open)
	w.PutPR(closed)
	w.PutPR(closed)
	id := w.AddComment(open.ID(), "ana", " hi ")
	if !w.EditComment(open.ID(), id, "ho") || w.EditComment(open.ID(), 0, "") {
		t.Error("EditComment has not found the comment, or has found the body")
	}
	var actions []string
	for _, c := range told() {
		actions = append(actions, c.Kind+" "+c.Action)
	}
	want := []string{"pull_request opened", "pull_request opened", "issue_comment created", "issue_comment edited"}
	if !slices.Equal(actions, want) {
		t.Errorf("changes %q, want %q", actions, want)
	}
	open.Comments = append(open.Comments, github.Comment{ID: id, Author: "ana", Body: "ho"})
	prs, partial, err := w.PRs(t.Context(), repo)
	if err != nil || len(partial) != 0 || len(prs) != 1 || !prs[0].Equal(open) {
		t.Errorf("PRs = %v, %v, %v, want the open one: %v", prs, partial, err, open)
	}
	if got, ok, err := w.PR(t.Context(), closed.ID()); !ok || err != nil || !got.Equal(closed) {
		t.Errorf("PR 1 = %v, %v, %v, want %v", got, ok, err, closed)
	}
	if _, ok, err := w.PR(t.Context(), github.PRID{Repo: repo, Number: 3}); ok || err != nil {
		t.Errorf("PR 3: %v, %v, want none", ok, err)
	}
	if !w.DropComment(open.ID(), id) {
		t.Error("DropComment has not found the comment")
	}
	if list, err := w.Comments(t.Context(), open.ID()); err != nil || len(list) != 0 {
		t.Errorf("Comments = %v, %v, want none beside the body", list, err)
	}
}

func TestPRActions(t *testing.T) {
	t.Parallel()
	w, told := changes(t)
	id := pr(1, "foo", "one").ID()
	w.PutPR(pr(1, "foo", "one"))
	for _, edit := range []func(*github.PR){
		func(p *github.PR) { p.State = github.Closed },
		func(p *github.PR) { p.State = github.Open },
		func(p *github.PR) { p.Head.Hash = "bar" },
		func(p *github.PR) { p.Title = "uno" },
		func(p *github.PR) {},
	} {
		if !w.EditPR(id, edit) {
			t.Fatal("EditPR has not found the PR")
		}
	}
	var actions []string
	last := time.Time{}
	for _, c := range told() {
		actions = append(actions, c.Action)
		if !c.PR.Updated.After(last) {
			t.Errorf("%s was updated at %s, not after %s", c.Action, c.PR.Updated, last)
		}
		last = c.PR.Updated
	}
	if want := []string{"opened", "closed", "reopened", "synchronize", "edited"}; !slices.Equal(actions, want) {
		t.Errorf("actions %q, want %q", actions, want)
	}
}

func TestRefs(t *testing.T) {
	t.Parallel()
	w, told := changes(t)
	w.PutRef(ref("heho", "bar"))
	w.PutRef(ref("heho", "foo"))
	w.AddTag(repo, "t1", "commit", "foo")
	w.AddTag(repo, "t2", "tag", "t1")
	w.PutObject(repo, "tags/v1", "tag", "t2")
	w.PutObject(repo, "tags/tree", "tree", "abc")
	w.PutObject(repo, "heads/.odd", "commit", "foo")
	refs, _, err := w.Refs(t.Context(), repo)
	want := []github.Ref{ref("heho", "foo"), ref("tags/v1", "foo")}
	if diff := cmp.Diff(want, refs); err != nil || diff != "" {
		t.Errorf("Refs: %v, (-want +got)\n%s", err, diff)
	}
	if !w.DropRef(repo, "heho") || w.DropRef(repo, "heho") {
		t.Error("DropRef does not tell what was there")
	}
	if _, ok, err := w.Ref(t.Context(), want[0].ID()); ok || err != nil {
		t.Errorf("Ref of one that is gone: %v, %v", ok, err)
	}
	var got []string
	for _, c := range told() {
		got = append(got, c.Ref+" "+c.Before+">"+c.After)
	}
	if want := []string{"heho >bar", "heho bar>foo", "tags/v1 >foo", "heads/.odd >foo", "heho foo>"}; !slices.Equal(got, want) {
		t.Errorf("pushes %q, want %q", got, want)
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	w.AddStatus(status("foo", "ci/b", github.Pending))
	w.AddStatus(status("foo", "ci/a", github.Success))
	w.AddRawStatus(commit("foo"), githubtest.RawStatus{State: "success", Context: "a//b"})
	serial, err := w.SetStatus(t.Context(), status("foo", "ci/b", github.Failure))
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Statuses(t.Context(), commit("foo"))
	if err != nil || len(got) != 2 || !got[0].Equal(status("foo", "ci/a", github.Success)) ||
		!got[1].Equal(status("foo", "ci/b", github.Failure)) || got[1].Serial != serial || got[0].Serial >= serial {
		t.Errorf("Statuses = %+v, %v", got, err)
	}
	if got := w.Look(repo).Statuses; len(got) != 2 {
		t.Errorf("Look sees the statuses %v", got)
	}
}

func TestSets(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	w.PutPR(pr(1, "foo", "one"))
	title, state := "uno", github.Closed
	if err := w.SetPR(t.Context(), pr(1, "", "").ID(), github.PRChange{Title: &title, State: &state}); err != nil {
		t.Fatal(err)
	}
	if got := w.Look(repo).PRs[0]; !got.Equal(pr(1, "foo", "uno").Close()) {
		t.Errorf("the PR is now %v", got)
	}
	for range 2 {
		if err := w.SetRef(t.Context(), ref("heads/a", "foo"), false, false); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := w.RemoveRef(t.Context(), ref("heads/a", "").ID()); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int{github.OpSetPR: 1, github.OpSetRef: 2, github.OpRemoveRef: 2}
	if diff := cmp.Diff(want, w.Calls()); diff != "" {
		t.Errorf("calls (-want +got)\n%s", diff)
	}
	if log := w.Log(); len(log) != 5 || log[0].Subject != "{test/test 1}" || log[1].Subject != "{test/test heads/a}" {
		t.Errorf("log %v", log)
	}
	w.ResetCalls()
	if len(w.Calls())+len(w.Log()) != 0 {
		t.Error("ResetCalls forgets nothing")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	w.AddCommit(repo, "a")
	w.AddCommit(repo, "b", "a")
	ctx := t.Context()
	other := github.Repo{User: "no", Name: "where"}
	missing := pr(9, "foo", "")
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	ok(w.SetRef(ctx, ref("heads/x", "a"), false, false))
	ok(w.SetRef(ctx, ref("heads/x", "b"), false, false))
	var errs []error
	errs = append(errs,
		w.SetRef(ctx, ref("heads/x", "a"), false, false),
		w.SetRef(ctx, ref("heads/x", "c"), false, true),
		w.SetRef(ctx, ref("heho", "a"), false, true),
		w.SetPR(ctx, missing.ID(), github.PRChange{}),
	)
	ok(w.SetRef(ctx, ref("heads/x", "a"), false, true))
	_, err := w.SetStatus(ctx, status("c", "x", github.Success))
	errs = append(errs, err)
	_, _, err = w.Refs(ctx, other)
	errs = append(errs, err)
	var got []string
	for _, err := range errs {
		if !github.Refused(err) {
			t.Errorf("%v is not a refusal", err)
		}
		got = append(got, err.Error())
	}
	want := []string{
		"set ref {test/test heads/x}: 422 Update is not a fast forward",
		"set ref {test/test heads/x}: 422 Object does not exist",
		"set ref {test/test heho}: 422 Reference name must start with 'refs/heads/' or 'refs/tags/'.",
		"set PR {test/test 9}: 404 Not Found",
		"set status {{test/test c} x}: 422 No commit found for SHA: c",
		"list refs no/where: 404 Not Found",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got)\n%s", diff)
	}
	if exists, err := w.RepoExists(ctx, other); exists || err != nil {
		t.Errorf("RepoExists = %v, %v for one that does not", exists, err)
	}
	if exists, err := w.RepoExists(ctx, repo); !exists || err != nil {
		t.Errorf("RepoExists = %v, %v for one that does", exists, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	w.PutPR(pr(1, "foo", "one"))
	s := status("foo", "a", github.Success)
	at := time.Now().Add(time.Minute)
	w.Inject(githubtest.Fault{Op: github.OpSetStatus, Times: 1, Status: http.StatusForbidden})
	w.Inject(githubtest.Fault{Op: github.OpSetStatus, Times: 1, Status: http.StatusForbidden, RetryAt: at})
	w.Inject(githubtest.Fault{Subject: "{{test/test foo} a}", Times: 1, Late: true})
	for i, want := range []struct {
		refused bool
		stored  int
		at      time.Time
	}{{true, 0, time.Time{}}, {false, 0, at}, {false, 1, time.Time{}}} {
		_, err := w.SetStatus(t.Context(), s)
		var e *github.APIError
		if !errors.As(err, &e) || github.Refused(err) != want.refused || !e.RetryAt.Equal(want.at) || e.Op != github.OpSetStatus {
			t.Errorf("call %d: %+v", i, err)
		}
		if got := len(w.Look(repo).Statuses); got != want.stored {
			t.Errorf("call %d: %d statuses, want %d", i, got, want.stored)
		}
	}
	if _, err := w.SetStatus(t.Context(), s); err != nil {
		t.Errorf("the faults are used up, but: %v", err)
	}
	remove := w.Inject(githubtest.Fault{Repo: repo, Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, _, err := w.PRs(ctx, repo); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call that hangs: %v", err)
	}
	remove()
	if _, _, err := w.PRs(t.Context(), repo); err != nil {
		t.Errorf("after the fault was removed: %v", err)
	}
}

func TestPartial(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	p := pr(1, "foo", "one")
	p.Comments = []github.Comment{{Author: "sam"}, {ID: 1, Author: "ana"}}
	w.PutPR(p)
	w.PutRef(ref("heads/a", "foo"))
	w.PutRef(ref("tags/b", "foo"))
	w.Inject(githubtest.Fault{Op: github.OpReadComments, Subject: "{test/test 1}", Status: 502})
	w.Inject(githubtest.Fault{Op: github.OpResolveTag, Subject: "{test/test tags/b}", Status: 502})
	prs, missing, err := w.PRs(t.Context(), repo)
	if err != nil || len(prs) != 1 || len(prs[0].Comments) != 1 || missing[p.ID()] == nil {
		t.Errorf("PRs = %v, %v, %v", prs, missing, err)
	}
	var e *github.CommentsError
	if got, ok, err := w.PR(t.Context(), p.ID()); !errors.As(err, &e) || !ok || len(got.Comments) != 1 {
		t.Errorf("PR = %v, %v, %v", got, ok, err)
	}
	refs, unresolved, err := w.Refs(t.Context(), repo)
	if err != nil || len(refs) != 1 || unresolved[ref("tags/b", "").ID()] == nil {
		t.Errorf("Refs = %v, %v, %v", refs, unresolved, err)
	}
}

func TestOverlapsAndFlight(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	gate := make(chan struct{})
	w.SetLatency(func(string) time.Duration {
		<-gate
		return 0
	})
	done := make(chan error)
	for range 2 {
		go func() {
			_, err := w.SetStatus(t.Context(), status("foo", "a", github.Success))
			done <- err
		}()
	}
	for deadline := time.Now().Add(30 * time.Second); w.MaxInFlight() < 2; {
		if time.Now().After(deadline) {
			t.Fatal("the calls do not run at once")
		}
		time.Sleep(time.Millisecond)
	}
	close(gate)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := w.Overlaps(); !slices.Equal(got, []string{"{{test/test foo} a}"}) {
		t.Errorf("overlaps %q", got)
	}
}
