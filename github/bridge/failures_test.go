package bridge

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

// TestGH117_HangingWebhookHoldsUpItsRepositoryOnly has the registration of one
// webhook hang while another repository is imported.
func TestGH117_HangingWebhookHoldsUpItsRepositoryOnly(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo, otherRepo)
	e.source()
	e.write("test/test/.monitor", "", "test/other/.monitor", "")
	e.world.Inject(githubtest.Fault{Op: github.OpCreateHook, Repo: testRepo, Hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Once(ctx, e.opts, e.state)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	listed := func(r github.Repo) bool {
		return slices.ContainsFunc(e.world.Log(), func(c githubtest.Call) bool {
			return c.Op == github.OpListRefs && c.Subject == r.String()
		})
	}
	eventually(t, "the other repository is imported", func() bool { return listed(otherRepo) })
	if listed(testRepo) {
		t.Error("a repository was read before its webhook was set")
	}
}

// TestGH98_GH109_LateWebhookAsksForWhatMayBeRead has a webhook be registered
// after the import, where pull requests may not be read.
func TestGH98_GH109_LateWebhookAsksForWhatMayBeRead(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:,ref:r,webhook:w")
	e.source()
	e.fill(r1)
	remove := e.fault(github.OpCreateHook, 500)
	e.sync()
	remove()
	e.calls()
	e.sync()
	e.wantCalls("create hook 1, list refs 1")
	if due := e.state.due(); !due.IsZero() {
		t.Errorf("something is due for ever, at %v", due)
	}
}

// TestGH54_GH110_DirtyInARefusedRepository stains what a repository has while
// GitHub refuses all of it, or only to list its pull requests.
func TestGH54_GH110_DirtyInARefusedRepository(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"", github.OpListPRs} {
		e := mirrored(t, p4, r1, s1)
		remove := e.world.Inject(githubtest.Fault{Repo: testRepo, Op: op, Status: 403})
		e.resync()
		e.fill(r2)
		e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "new" })
		e.calls()
		e.stain(p4.ID(), r1.ID())
		e.sync()
		if n := e.world.Calls()[github.OpListPRs]; n != 1 {
			t.Errorf("%s: the pull requests were asked for %d times, want once", op, n)
		}
		e.wantFiles("test/test/pr/2/.dirty", "", "test/test/ref/heads/master/.dirty", "")
		e.calls()
		e.sync()
		e.wantCalls("")
		remove()
		e.resync()
		e.wantFiles("test/test/pr/2/.dirty", "-", "test/test/ref/heads/master/.dirty", "-",
			"test/test/pr/2/title", "new\n", "test/test/ref/heads/master/head", "foo\n")
	}
}

// TestGH54_DirtyAsksAgainWhereARefusalHasEnded has GitHub show a repository
// again, of which nobody knows until a pull request is stained.
func TestGH54_DirtyAsksAgainWhereARefusalHasEnded(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p4, r1, s1)
	remove := e.world.Inject(githubtest.Fault{Repo: testRepo, Status: 404})
	e.resync()
	remove()
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "new" })
	e.stain(p4.ID())
	e.sync()
	e.wantFiles("test/test/pr/2/title", "new\n", "test/test/pr/2/.dirty", "-", "test/test/.error", "-")
	e.wantInSync("it is back", testRepo)
}

// TestGH98_DirtyKindOfARefusedRepositoryThatMayNotBeRead: it is only removed.
func TestGH98_DirtyKindOfARefusedRepositoryThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:,ref:r")
	e.world.Inject(githubtest.Fault{Status: 403})
	e.sync()
	e.stain(p4.ID())
	e.sync()
	e.wantFiles("test/test/pr/2/.dirty", "-")
}

// TestGH139_DirtyAfterTheRead stains a pull request that the sync has read
// already when the branch moves: it is read again, by the next sync.
func TestGH139_DirtyAfterTheRead(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p4, r1)
	e.write("test/test/.monitor", "")
	e.sync()
	title := func(title string) { e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = title }) }
	title("one")
	e.stain(p4.ID())
	db.atCommit(func() error {
		db.atCommit(nil)
		title("two")
		e.write("test/test/pr/2/.dirty", "-")
		e.write("test/test/pr/2/title", "mine\n", "test/test/pr/2/.dirty", "again")
		return nil
	})
	e.sync()
	e.wantFiles("test/test/pr/2/.dirty", "again")
	e.calls()
	e.sync()
	e.wantCalls("read PR 1, read statuses 1")
	e.wantFiles("test/test/pr/2/.dirty", "-")
}

// TestGH56_GH141_ReportOfACommitThatFails has the commit fail that changes what
// an .error file says.
func TestGH56_GH141_ReportOfACommitThatFails(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p4, r1)
	e.write("test/test/.monitor", "")
	e.sync()
	refuse := func(why string) (remove func()) {
		return e.world.Inject(githubtest.Fault{Op: github.OpSetPR, Status: 422, Message: why})
	}
	remove := refuse("first")
	e.write("test/test/pr/2/title", "one\n")
	e.sync()
	remove()
	refuse("second")
	e.write("test/test/pr/2/title", "two\n")
	db.atCommit(func() error { return errors.New("the database is away") })
	if err := Once(t.Context(), e.opts, e.state); err == nil {
		t.Fatal("the sync has not failed")
	}
	db.atCommit(nil)
	e.wantFiles("test/test/pr/2/.error", "set PR: 422 first\n")
	e.sync()
	e.wantFiles("test/test/pr/2/.error", "set PR: 422 second\n")
}

// TestGH203_StopIsNoFailure has the bridge stop while calls are under way, of
// the client of GitHub's REST API, whose errors are not those of the simulation.
func TestGH203_StopIsNoFailure(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo, otherRepo)
	e.overHTTP()
	e.fill(p1, p4, r1, r2, s1)
	e.write("test/test/.monitor", "", "test/other/.monitor", "")
	for _, op := range []string{github.OpListPRs, github.OpReadComments, github.OpReadStatuses, github.OpSetPR} {
		if op == github.OpSetPR {
			e.sync()
			e.changeAll()
		}
		var log bytes.Buffer
		e.opts.Log = slog.New(slog.NewTextHandler(&log, nil))
		remove := e.world.Inject(githubtest.Fault{Op: op, Hang: true})
		ctx, cancel := context.WithCancel(t.Context())
		e.world.SetLatency(func(called string) time.Duration {
			if called == op {
				cancel()
			}
			return 0
		})
		if err := Once(ctx, e.opts, e.state); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Once: %v", op, err)
		}
		cancel()
		remove()
		e.world.SetLatency(nil)
		if strings.Contains(log.String(), "level=WARN") {
			t.Errorf("%s: %s", op, log.String())
		}
	}
}

// TestGH167_OneWarningForALimit has a rate limit strike many calls.
func TestGH167_OneWarningForALimit(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1)
	var log bytes.Buffer
	e.opts.Log = slog.New(slog.NewTextHandler(&log, nil))
	e.world.Inject(githubtest.Fault{Status: 403, RetryAt: time.Now().Add(time.Hour)})
	e.changeAll()
	e.resync()
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "rate limit") {
		t.Errorf("%d warnings, want one: %s", n, log.String())
	}
	if n := e.last.Pending[PendingRead] + e.last.Pending[PendingSend]; n < 5 {
		t.Errorf("%d are pending, want all", n)
	}
}

// TestGH205_RefusedWebhookIsPending: it is worth an alert, as one that fails.
func TestGH205_RefusedWebhookIsPending(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:rw")
	e.source()
	e.fault(github.OpCreateHook, 403)
	e.sync()
	if n := e.last.Pending[PendingWebhook]; n != 1 {
		t.Errorf("%d webhooks are pending, want 1", n)
	}
	if due := e.state.due(); !due.IsZero() {
		t.Errorf("a refused webhook is due at %v", due)
	}
}

// TestGH205_RefusedRepositories: a report counts each once.
func TestGH205_RefusedRepositories(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	e.write("test/test/.monitor", "", "test/other/.monitor", "")
	e.sync()
	if e.last.Refused != 1 || e.last.Pending[PendingRead] != 0 {
		t.Errorf("%d repositories are refused, want 1; pending: %v", e.last.Refused, e.last.Pending)
	}
}

// TestGH115_SubjectsOfReports: what cannot be understood was not refused.
func TestGH115_SubjectsOfReports(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1)
	want := func(subject string) {
		t.Helper()
		e.sync()
		if e.message() != subject {
			t.Errorf("the message is %q, want %q", e.message(), subject)
		}
	}
	const status = "test/test/commit/bar/status/foo/bar/baz/state"
	e.write("test/test/pr/1/state", "opne\n")
	want("1 error reported")
	e.write("test/test/pr/1/state", "open\n")
	want("1 error cleared")
	e.write("test/test/pr/1/state", "opne\n", status, "fine\n")
	want("2 errors reported")
	e.world.Inject(githubtest.Fault{Op: github.OpSetPR, Status: 422, Message: "no"})
	e.write("test/test/pr/2/title", "mine\n")
	want("1 item refused by GitHub")
}
