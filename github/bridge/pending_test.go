package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

// changeAll has the user change one element of each kind that can be sent.
func (e *env) changeAll() {
	e.write("test/test/pr/2/title", "mine\n", "test/test/ref/heads/new/head", "foo\n",
		"test/test/commit/foo/status/foo/bar/baz/state", "failure\n", "test/test/ref/heads/master", "-")
}

const allSent = "remove ref 1, set PR 1, set ref 1, set status 1"

func TestGH109_GH111_GH113_GH247_TemporaryFailures(t *testing.T) {
	t.Parallel()
	for _, f := range []githubtest.Fault{
		{Status: 0}, {Status: 500}, {Status: 503}, {Status: 429}, {Status: 401},
		{Status: 403, RetryAt: time.Now().Add(time.Hour)},
	} {
		e := mirrored(t, p1, p4, r1, s1, s3)
		e.changeAll()
		remove := e.world.Inject(f)
		before := e.content().Snapshot
		e.sync()
		e.calls()
		if diff := github.Compute(e.content().Snapshot, before); !diff.IsEmpty() {
			t.Errorf("%+v: the branch was changed: %s", f, diff.Message())
		}
		if n := e.last.Pending[PendingSend]; n != 4 {
			t.Errorf("%+v: %d values are pending, want 4", f, n)
		}
		if e.list("test/test/pr/2") != "base head owner state title" {
			t.Errorf("%+v: pr/2 has %q", f, e.list("test/test/pr/2"))
		}
		remove()
		e.sync()
		e.wantCalls(allSent)
		e.wantInSync("sent", testRepo)
		e.sync()
		e.wantCalls("")
	}
}

func TestGH111_OnlyTheNewestIsSent(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p4, r1, s1)
	remove := e.fault(github.OpSetPR, 500)
	for _, title := range []string{"one", "two", "three"} {
		e.write("test/test/pr/2/title", title+"\n")
		e.sync()
	}
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
	e.sync()
	e.wantFiles("test/test/pr/2/title", "three\n")
	remove()
	e.calls()
	e.sync()
	e.wantCalls("set PR 1")
	e.wantInSync("sent", testRepo)
	e.wantFiles("test/test/pr/2/title", "three\n")
}

func TestGH111_RevertedBeforeItWasSent(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p4, r1, s1)
	remove := e.fault(github.OpSetPR, 500)
	e.write("test/test/pr/2/title", "one\n")
	e.sync()
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
	e.write("test/test/pr/2/title", "toto\n")
	remove()
	e.calls()
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/pr/2/title", "of GitHub\n")
	if n := e.last.Pending[PendingSend]; n != 0 {
		t.Errorf("%d values are pending", n)
	}
}

func TestGH112_PendingIsNotPruned(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p4, r2, s1)
	remove := e.world.Inject(githubtest.Fault{Status: 500})
	e.write("test/test/pr/2/state", "closed\n", "test/test/commit/xyz/status/ci/state", "success\n")
	e.sync()
	e.wantFiles("test/test/pr/2/state", "closed\n", "test/test/commit/xyz/status/ci/state", "success\n",
		"test/test/commit/bar/status/foo/bar/baz/state", "pending\n")
	remove()
	e.sync()
	if got := e.list("test/test") + "; " + e.list("test/test/ref/heads"); got != ".monitor ref; master" {
		t.Errorf("test/test has %q", got)
	}
	if st := (github.StatusID{Commit: github.Commit{Repo: testRepo, Hash: "xyz"}, Context: "ci"}); e.githubStatus(st) != "success" {
		t.Error("the status was not sent")
	}
}

func TestGH114_Refusal(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p4, r1, s1)
	e.world.AddCommit(testRepo, "bar")
	e.world.AddCommit(testRepo, "baz", "bar")
	bad := github.NewStatus(foo, "ci", github.Success, "", "")
	e.put(bad)
	e.write("test/test/ref/heads/new/head", "nothing\n")
	e.sync()
	e.wantCalls("read statuses 1, set ref 1, set status 1")
	const dir = "test/test/commit/foo/status/ci/"
	e.wantFiles(dir+"state", "success\n", dir+".error", "set status: 422 No commit found for SHA: foo\n",
		"test/test/ref/heads/new/head", "nothing\n", "test/test/ref/heads/new/.error", "set ref: 422 Object does not exist\n")
	if e.message() != "2 items refused by GitHub" {
		t.Errorf("the message is %q (GH-115)", e.message())
	}
	head := e.head()
	for range 3 {
		e.sync()
		e.resync()
	}
	if calls := e.world.Calls(); calls[github.OpSetStatus]+calls[github.OpSetRef] > 0 {
		t.Errorf("sent again: %v", calls)
	}
	if e.head() != head {
		t.Errorf("a commit was made: %q", e.message())
	}
	e.world.ResetCalls()
	e.write(dir+"state", "failure\n") // changed: sent again
	e.sync()
	e.wantCalls("set status 1")
	e.stain(testRepo) // sent again, both
	e.sync()
	if calls := e.world.Calls(); calls[github.OpSetStatus] != 1 || calls[github.OpSetRef] != 1 {
		t.Errorf("after .dirty: %v", calls)
	}
	e.world.ResetCalls()
	e.write(dir+"state", "-", "test/test/ref/heads/new/head", "baz\n")
	e.sync()
	e.wantCalls("read statuses 1, set ref 1")
	e.wantFiles(dir+".error", "-", "test/test/ref/heads/new/.error", "-")
	e.wantInSync("corrected", testRepo)
}

func TestGH115_ErrorsCleared(t *testing.T) {
	t.Parallel()
	e := mirrored(t, r1)
	remove := e.world.Inject(githubtest.Fault{Op: github.OpSetRef, Status: 422})
	e.write("test/test/ref/heads/a/head", "bar\n", "test/test/ref/heads/b/head", "bar\n")
	e.sync()
	remove()
	e.write("test/test/ref/heads/a/.dirty", "")
	e.sync()
	if e.message() != "Cleaning up .dirty files" {
		t.Errorf("the message is %q", e.message())
	}
	e.fill(github.Ref{Commit: bar, Name: "heads/b"})
	e.resync()
	if e.message() != "1 error cleared" {
		t.Errorf("the message is %q", e.message())
	}
	e.wantInSync("all is well", testRepo)
}

func TestGH114_GitHubChangesMeanwhile(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p4, r1)
	e.world.Inject(githubtest.Fault{Op: github.OpSetPR, Status: 422, Message: "no"})
	e.write("test/test/pr/2/title", "refused\n")
	e.sync()
	e.wantFiles("test/test/pr/2/.error", "set PR: 422 no\n", "test/test/pr/2/title", "refused\n")
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
	e.calls()
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/pr/2/.error", "-", "test/test/pr/2/title", "of GitHub\n")
	e.wantInSync("GitHub has won", testRepo)
}

func TestGH114_GH56_RestartSendsAgainOrClears(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p4, r1)
	remove := e.world.Inject(githubtest.Fault{Op: github.OpSetPR, Status: 422, Message: "no"})
	e.write("test/test/pr/2/title", "refused\n")
	e.sync()
	e.can("*:x")
	e.restart()
	head := e.head()
	e.sync()
	if e.head() != head {
		t.Errorf("the report of the same refusal was written again: %q", e.message())
	}
	remove()
	e.can("*:rw")
	e.restart()
	e.sync()
	e.wantFiles("test/test/pr/2/.error", "-", "test/test/pr/2/title", "toto\n")
}

func TestGH142_RestartBetweenWriteAndCommit(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p1, p4, r1, s1, s3)
	e.write("test/test/.monitor", "")
	e.sync()
	e.changeAll()
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
	db.atCommit(func() error { return errors.New("killed") })
	e.state.resync = true
	if err := Once(t.Context(), e.opts, e.state); err == nil {
		t.Fatal("the sync has not failed")
	}
	db.atCommit(nil)
	e.restart()
	e.calls()
	e.sync()
	e.wantInSync("after the restart", testRepo)
	e.wantFiles("test/test/pr/2/title", "mine\n", "test/test/commit/foo/status/foo/bar/baz/state", "failure\n")
	e.wantRefs("heads/new=foo")
	e.wantCalls(firstCalls + "2")
}

// TestGH142_LostAnswers has GitHub take what is sent while the answer gets lost.
func TestGH142_LostAnswers(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p1, p4, r1, s1, s3)
	e.changeAll()
	e.world.Inject(githubtest.Fault{Late: true, Times: 4})
	e.sync()
	e.sync()
	e.wantInSync("sent twice", testRepo)
	e.sync()
	e.calls()
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/pr/2/title", "mine\n", "test/test/commit/foo/status/foo/bar/baz/state", "failure\n")
}

func TestGH109_WebhooksArePending(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:rw")
	src := e.source()
	e.fill(r1)
	remove := e.fault(github.OpCreateHook, 500)
	e.sync()
	if e.last.Pending[PendingWebhook] != 1 {
		t.Errorf("pending: %v", e.last.Pending)
	}
	e.wantInSync("without a webhook (GH-263)", testRepo)
	remove()
	e.sync()
	if len(src.Watched()) != 1 || e.last.Pending[PendingWebhook] != 0 {
		t.Errorf("watched: %v, pending: %v", src.Watched(), e.last.Pending)
	}
	e.calls()
	e.sync()
	e.wantCalls("")
	remove = e.fault(github.OpDeleteHook, 500)
	e.write("test/test/.monitor", "-")
	e.sync()
	remove()
	e.sync()
	if len(src.Watched()) != 0 {
		t.Errorf("watched: %v", src.Watched())
	}
}

func TestGH109_WhenPendingIsDue(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var r retry
	r.fail(now, &github.APIError{Temporary: true, RetryAt: now.Add(time.Hour)})
	if !r.due.Equal(now.Add(time.Hour)) {
		t.Errorf("after a rate limit: due at %v", r.due)
	}
	r.fail(now, &github.APIError{Temporary: true, Err: context.DeadlineExceeded})
	if !r.due.After(now) {
		t.Errorf("after a timeout: due at %v", r.due)
	}
	if news := r.fail(now, &github.CommentsError{Err: context.Canceled}); news || !r.due.Equal(now) {
		t.Errorf("after the end of a context: due at %v, and logged: %t", r.due, news)
	}
	r.fail(now, &github.APIError{Status: 422})
	if !r.due.IsZero() || r.isDue(now.Add(24*time.Hour)) {
		t.Errorf("after a refusal: due at %v", r.due)
	}
}

// TestGH117_ManyFailuresAreNoFlood has GitHub be out of reach for many
// repositories.
func TestGH117_ManyFailuresAreNoFlood(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for i := range 50 {
		e.put(github.Repo{User: "many", Name: fmt.Sprint(i)})
	}
	var log bytes.Buffer
	e.opts.Log = slog.New(slog.NewTextHandler(&log, nil))
	e.world.Inject(githubtest.Fault{Status: 0})
	e.sync()
	if n := strings.Count(log.String(), "level=WARN"); n != maxWarnings {
		t.Errorf("%d warnings, want %d", n, maxWarnings)
	}
	if n := e.last.Pending[PendingRead]; n != 100 {
		t.Errorf("%d reads are pending, want 100", n)
	}
}

func TestGH203_StopMakesNoNewCalls(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	for i := range 100 {
		e.fill(github.Ref{Commit: github.Commit{Repo: testRepo, Hash: fmt.Sprint("c", i)}, Name: github.RefName(fmt.Sprint("heads/b", i))})
	}
	e.write("test/test/.monitor", "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e.world.SetLatency(func(op string) time.Duration {
		if op == github.OpReadStatuses {
			cancel()
		}
		return time.Millisecond
	})
	if err := Once(ctx, e.opts, e.state); !errors.Is(err, context.Canceled) {
		t.Fatalf("Once: %v", err)
	}
	if n := e.world.Calls()[github.OpReadStatuses]; n > DefaultJobs {
		t.Errorf("%d calls, of which at most %d had begun", n, DefaultJobs)
	}
	e.sync()
	e.wantInSync("after the next start", testRepo)
}

// TestGH31_GH129_CommitOfAMalformedStatusThatIsGone has a status that was never
// agreed upon keep its commit while it cannot be understood, and no longer.
func TestGH31_GH129_CommitOfAMalformedStatusThatIsGone(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, r1, s1, github.Ref{Commit: foo, Name: "heads/other"}, s3)
	remove := e.fault(github.OpSetStatus, 500)
	const state = "test/test/commit/foo/status/new/state"
	e.write(state, "error\n")
	e.sync()
	e.write(state, "nonsense\n")
	e.sync()
	remove()
	e.world.DropRef(testRepo, "heads/other")
	e.sync()
	e.wantFiles(state, "nonsense\n")
	e.write("test/test/commit/foo/status/new", "-")
	e.sync()
	if got := e.list("test/test/commit"); got != "bar" {
		t.Errorf("the commits are %q", got)
	}
}
