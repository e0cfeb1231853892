package bridge

import (
	"errors"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

// listening is mirrored with webhooks.
func listening(t testing.TB, elements ...github.Element) (*env, *githubtest.Source) {
	e := mirrored(t, elements...)
	return e, e.source(testRepo)
}

func TestGH100_GH27_EventsInOrder(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p1, p4, r1, s3)
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "one" })
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "two" })
	e.fill(r2, github.NewStatus(foo, "ci", github.Pending, "", ""), github.NewStatus(foo, "ci", github.Success, "", ""))
	e.world.DropRef(testRepo, "heads/master")
	e.sync()
	e.wantCalls("")
	e.wantInSync("after the events", testRepo)
	e.wantFiles("test/test/pr/2/title", "two\n", "test/test/ref/heads/master/head", "-")
}

func TestGH101_StatusesOfNewCommits(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, r1)
	e.fill(s3) // of a commit that nobody needs yet
	e.sync()
	e.wantFiles("test/test/commit/foo/status/foo/bar/baz/state", "-")
	e.fill(r2, github.NewStatus(foo, "later", github.Pending, "", ""))
	e.sync()
	e.wantCalls("read statuses 1")
	e.wantInSync("the ref moved to foo", testRepo)
	e.fill(p4) // of bar, which is no longer known
	e.sync()
	e.wantCalls("read statuses 1")
	e.fill(github.Ref{Commit: bar, Name: "heads/second"})
	e.sync()
	e.wantCalls("")
	e.wantInSync("bar is known", testRepo)
}

func TestGH102_GH234_StatusesOfACommitThatTheBranchNeeds(t *testing.T) {
	t.Parallel()
	e := mirrored(t, r1, s1, s3)
	e.write("test/test/ref/heads/master/head", "foo\n")
	e.sync()
	e.wantCalls("read statuses 1, set ref 1")
	e.wantInSync("a user moved the ref", testRepo)
	e.wantFiles("test/test/commit/foo/status/foo/bar/baz/state", "success\n", "test/test/commit/bar/status/foo/bar/baz/state", "-")
}

func TestGH103_GH241_EventsOfOthersAreDropped(t *testing.T) {
	t.Parallel()
	e, src := listening(t, r1)
	c := github.Commit{Repo: otherRepo, Hash: "abc"}
	head := e.head()
	src.Queue(
		github.RefEvent{Ref: github.Ref{Commit: c, Name: "heads/master"}},
		github.PREvent{PR: github.PR{Head: c, Number: 1, Owner: "x"}, Unread: github.Comments},
		github.StatusEvent{Status: github.NewStatus(c, "ci", github.Success, "", "")},
		github.OtherEvent{Repo: testRepo, Label: "star"})
	e.sync()
	e.wantCalls("")
	if e.head() != head {
		t.Errorf("a commit was made: %q", e.message())
	}
	if events, _ := src.Events(); len(events) != 0 {
		t.Errorf("%d events are left", len(events))
	}
}

func TestGH104_EventsOfAFirstImportAreSuperseded(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:rw")
	e.fill(r1, p4, s1)
	src := e.source(testRepo)
	src.Queue(github.RefEvent{Ref: r2}, github.RefRemoved{Ref: r1.ID()})
	e.sync()
	e.wantCalls("create hook 1, " + firstCalls + "1")
	e.wantInSync("imported", testRepo)
}

func TestGH105_MonitoredByEvent(t *testing.T) {
	t.Parallel()
	e, src := listening(t, r1)
	e.world.PutRepo(otherRepo)
	c := github.Commit{Repo: otherRepo, Hash: "abc"}
	there := github.Ref{Commit: c, Name: "heads/master"}
	e.fill(there, github.NewStatus(c, "ci", github.Success, "", ""))
	e.put(github.Ref{Commit: c, Name: "heads/stale"})
	src.Queue(github.RepoEvent{Repo: otherRepo, Monitored: true})
	e.sync()
	e.wantCalls("create hook 1, " + firstCalls + "1")
	e.wantInSync("monitored by an event", testRepo, otherRepo)
	head := e.head()
	e.sync()
	e.wantCalls("")
	if e.head() != head {
		t.Errorf("another commit: %q", e.message())
	}
	src.Queue(github.RepoEvent{Repo: otherRepo})
	e.sync()
	e.sync()
	e.wantCalls("delete hook 1")
	e.wantInSync("ignored by an event", testRepo)
	if got := e.list("test"); got != "test" {
		t.Errorf("test has %q", got)
	}
}

func TestGH106_EventsThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	e := prepared(t, "*:")
	e.can("*:,status[ci]:r,commit:r")
	e.fill(r1, p1)
	e.put(r1)
	e.sync()
	src := e.source(testRepo)
	e.fill(r2, s1)
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Title = "x" })
	src.Queue(github.StatusEvent{Status: github.NewStatus(bar, "ci/x", github.Success, "", "")})
	e.calls()
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/commit/bar/status/ci/x/state", "success\n", "test/test/pr/1/title", "-",
		"test/test/commit/bar/status/foo/bar/baz/state", "-", "test/test/ref/heads/master/head", "bar\n")
}

func TestGH108_GH245_LateEvents(t *testing.T) {
	t.Parallel()
	e, src := listening(t, p4, r1, s1)
	late := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	newer := p4
	newer.Title, newer.Updated = "newer", late
	older := p4
	older.Title, older.Updated = "older", late.Add(-time.Minute)
	first, second := s1, s1
	first.State, first.Serial = github.Errored, 1000
	second.State, second.Serial = github.Success, 1001
	src.Queue(github.PREvent{PR: newer}, github.StatusEvent{Status: second})
	e.sync()
	src.Queue(github.PREvent{PR: older}, github.StatusEvent{Status: first})
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/pr/2/title", "newer\n", "test/test/commit/bar/status/foo/bar/baz/state", "success\n")

	// A push that does not follow the known one: the ref is read.
	src.Queue(github.RefEvent{Ref: r2, Before: "xxx"})
	e.sync()
	e.wantCalls("read ref 1, read statuses 1")
	e.wantFiles("test/test/ref/heads/master/head", "bar\n")
	src.Queue(github.RefRemoved{Ref: r1.ID(), Before: "xxx"})
	e.sync()
	e.wantCalls("read ref 1")
	e.wantFiles("test/test/ref/heads/master/head", "bar\n")
}

// TestGH108_OwnEcho changes everything twice on the branch, and then has
// GitHub's webhooks of the first changes come in.
func TestGH108_OwnEcho(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p4, r1, s1)
	for _, title := range []string{"one", "two", "three"} {
		e.write("test/test/pr/2/title", title+"\n",
			"test/test/commit/bar/status/foo/bar/baz/description", title+"\n",
			"test/test/ref/heads/"+title+"/head", "bar\n")
		before := e.opts.Source
		e.opts.Source = nil // the deliveries are late
		e.sync()
		e.opts.Source = before
	}
	e.calls()
	e.sync()
	e.wantFiles("test/test/pr/2/title", "three\n", "test/test/commit/bar/status/foo/bar/baz/description", "three\n")
	e.wantInSync("after the echo", testRepo)
	head := e.head()
	e.calls()
	e.sync()
	e.wantCalls("")
	if e.head() != head {
		t.Errorf("another commit: %q", e.message())
	}
}

// TestGH108_EchoOfAnOlderWrite has the webhook of the first of two changes of
// the branch come in after both were sent.
func TestGH108_EchoOfAnOlderWrite(t *testing.T) {
	t.Parallel()
	e, src := listening(t, p4, r1)
	src.Lose(func(c githubtest.Change) bool { return c.PR.Title == "two" })
	e.opts.Source = nil
	for _, title := range []string{"one", "two"} {
		e.write("test/test/pr/2/title", title+"\n")
		e.sync()
	}
	e.opts.Source = src
	e.calls()
	e.sync()
	e.wantCalls("read PR 1")
	e.wantFiles("test/test/pr/2/title", "two\n")
	e.wantInSync("after the echo", testRepo)
}

func TestGH171_CommentsAreReadForAnEvent(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p1, r1)
	e.world.AddComment(p1.ID(), "joe", " hello ")
	e.sync()
	e.wantFiles("test/test/pr/1/comments/2/body", " hello ")
	e.wantInSync("after the comment", testRepo)
}

// TestGH174_GH235_OneEventFails has the comments for one event not be read.
func TestGH174_GH235_OneEventFails(t *testing.T) {
	t.Parallel()
	e, src := listening(t, p1, p4, r1)
	remove := e.world.Inject(githubtest.Fault{Subject: "{test/test 1}", Status: 500})
	e.world.AddComment(p1.ID(), "joe", "hello")
	e.world.EditPR(p1.ID(), func(pr *github.PR) { pr.Base = "other" })
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "new" })
	e.sync()
	e.wantFiles("test/test/pr/2/title", "new\n", "test/test/pr/1/comments/2/body", "-", "test/test/pr/1/comments/1/body", comments[1].Body)
	if events, _ := src.Events(); len(events) != 0 || e.last.Pending[PendingRead] == 0 {
		t.Errorf("%d events are left, pending: %v", len(events), e.last.Pending)
	}
	remove()
	e.sync()
	e.wantInSync("the comments were read", testRepo)
}

func TestGH107_EventsStayUntilTheCommit(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(r1)
	e.write("test/test/.monitor", "")
	e.sync()
	src := e.source(testRepo)
	e.fill(r2)
	db.atCommit(func() error { return errors.New("out of order") })
	if err := Once(t.Context(), e.opts, e.state); err == nil {
		t.Fatal("the sync has not failed")
	}
	if events, _ := src.Events(); len(events) != 1 {
		t.Fatalf("%d events are left, want 1", len(events))
	}
	db.atCommit(nil)
	e.sync()
	e.wantFiles("test/test/ref/heads/master/head", "foo\n")
	if events, _ := src.Events(); len(events) != 0 {
		t.Errorf("%d events are left", len(events))
	}
}

// TestGH107_LostEventsAreCaughtUpWith has the source lose what happened.
func TestGH107_LostEventsAreCaughtUpWith(t *testing.T) {
	t.Parallel()
	e, src := listening(t, p1, r1, s1)
	src.Lose(func(githubtest.Change) bool { return true })
	e.fill(p4, r2, s3)
	e.world.DropRef(testRepo, "heads/other")
	src.Queue(github.EventsLost{Repo: otherRepo}, github.EventsLost{Repo: testRepo})
	remove := e.fault(github.OpListRefs, 500)
	e.sync()
	if events, _ := src.Events(); len(events) != 0 {
		t.Errorf("%d events are left", len(events))
	}
	remove()
	e.sync()
	e.wantInSync("read as a whole", testRepo)
	e.calls()
	e.sync()
	e.wantCalls("")
}

// TestGH178_RemovedWebhookIsMissedAtTheResync has somebody remove the webhook
// while the bridge runs.
func TestGH178_RemovedWebhookIsMissedAtTheResync(t *testing.T) {
	t.Parallel()
	e, src := listening(t, r1)
	e.resync()
	e.wantCalls("create hook 1, list PRs 1, list refs 1, read statuses 1")
	src.Unhook(testRepo)
	e.fill(p4)
	remove := e.fault(github.OpCreateHook, 500)
	e.resync()
	if n := e.last.Pending[PendingWebhook]; n != 1 {
		t.Errorf("%d webhooks are pending", n)
	}
	remove()
	e.calls()
	e.sync()
	e.wantCalls("create hook 1, list PRs 1, list refs 1, read statuses 1")
	e.fill(r2)
	e.sync()
	e.wantInSync("events come again", testRepo)
	e.wantCalls("read statuses 1")
}
