package bridge

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

// A runner is a bridge that runs.
type runner struct {
	*env
	stop func()

	mu      sync.Mutex
	reports []Report
}

// run starts Repeat. It is stopped at the end of the test, if not before.
func (e *env) run() *runner {
	r := &runner{env: e}
	e.opts.Observe = func(rep Report) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reports = append(r.reports, rep)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Repeat(ctx, e.opts, e.state)
	}()
	r.stop = func() {
		cancel()
		<-done
	}
	e.t.Cleanup(r.stop)
	return r
}

// eventually waits until f is true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 30 seconds: %s", what)
		}
	}
}

func (r *runner) syncs(reason Reason) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rep := range r.reports {
		if reason == "" || rep.Reason == reason {
			n++
		}
	}
	return n
}

func (r *runner) inSync(repos ...github.Repo) func() bool {
	return func() bool {
		return !r.head().IsZero() && r.onGitHub(repos...).Equal(r.content().Snapshot)
	}
}

func TestGH84_GH133_WakeUps(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	e.fill(p1, p4, r1, s1)
	src := e.source()
	r := e.run()
	eventually(t, "the branch is created", func() bool { return !e.head().IsZero() })
	e.write("test/test/.monitor", "")
	eventually(t, "the repository is imported", r.inSync(testRepo))
	eventually(t, "the webhook is registered", func() bool { return len(src.Watched()) == 1 })
	e.write("test/test/pr/2/title", "mine\n")
	eventually(t, "the title is sent", func() bool { return e.world.Look(testRepo).PRs[1].Title == "mine" })
	e.world.PutRef(r2)
	eventually(t, "the event has reached the branch", r.inSync(testRepo))
	if r.syncs(ReasonBranch) == 0 || r.syncs(ReasonEvents) == 0 || r.syncs(ReasonResync) != 0 {
		t.Errorf("reasons: %+v", r.reports)
	}
	r.stop()
	if e.state.repos[testRepo] == nil {
		t.Error("the state is not that of the last sync")
	}
}

func TestGH84_Timer(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, r1)
	e.opts.Resync = 20 * time.Millisecond
	e.fill(p4)
	r := e.run()
	eventually(t, "a resync brings the PR", r.inSync(testRepo))
}

func TestGH85_GH251_WakeUpsAreJoined(t *testing.T) {
	t.Parallel()
	branch, events, resync := make(chan struct{}, 1), make(chan struct{}, 1), make(chan time.Time, 1)
	w := &waker{branch: branch, events: events, resync: resync, retry: time.NewTimer(time.Hour)}
	defer w.stop()
	for range 100 { // which of them is seen first is a matter of chance
		branch <- struct{}{}
		events <- struct{}{}
		resync <- time.Now()
		if reason := w.wait(t.Context()); reason != ReasonResync {
			t.Fatalf("the reason is %q: the resync is lost", reason)
		}
		if len(branch)+len(events)+len(resync) > 0 {
			t.Fatal("there would be another sync")
		}
	}
}

func TestGH85_ResyncOutlivesAFailedSync(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(r1)
	e.write("test/test/.monitor", "")
	e.sync()
	e.fill(p1)
	db.fail(errors.New("unreachable"))
	if err := once(t.Context(), e.opts, e.state, ReasonResync); err == nil {
		t.Fatal("the sync has not failed")
	}
	db.fail(nil)
	if err := once(t.Context(), e.opts, e.state, ReasonBranch); err != nil {
		t.Fatal(err)
	}
	e.wantInSync("the resync was made up for", testRepo)
}

func TestGH109_RetryWakesTheEngine(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1)
	e.world.Inject(githubtest.Fault{Op: github.OpSetPR, Status: 500, Times: 1})
	r := e.run()
	e.write("test/test/pr/2/title", "mine\n")
	eventually(t, "the title is sent", func() bool { return e.world.Look(testRepo).PRs[1].Title == "mine" })
	eventually(t, "a retry is reported", func() bool { return r.syncs(ReasonRetry) > 0 })
}

// TestGH109_BlocksNothingElse has the sending of one value fail for ever.
func TestGH109_BlocksNothingElse(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p1, p4, r1, s1)
	e.world.Inject(githubtest.Fault{Op: github.OpSetPR, Status: 503})
	r := e.run()
	e.write("test/test/pr/2/title", "mine\n")
	eventually(t, "the first attempt", func() bool { return e.world.Calls()[github.OpSetPR] > 0 })
	e.write("test/test/commit/bar/status/ci/state", "success\n")
	id := github.StatusID{Commit: bar, Context: "ci"}
	eventually(t, "the status is sent", func() bool { return e.githubStatus(id) == "success" })
	e.world.PutRef(r2)
	eventually(t, "the event has reached the branch", func() bool { return e.read("test/test/ref/heads/master/head") == "foo\n" })
	if n := e.world.Calls()[github.OpSetPR]; n > 4 {
		t.Errorf("the value was sent %d times: other wake-ups do not make it due", n)
	}
	r.stop()
}

func TestGH141_GH252_ConnectionIsLost(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p4, r1, s1)
	e.write("test/test/.monitor", "")
	src := e.source()
	r := e.run()
	eventually(t, "the repository is imported", r.inSync(testRepo))
	eventually(t, "the webhook is registered", func() bool { return len(src.Watched()) == 1 })
	e.world.ResetCalls()
	before := r.syncs("")
	db.fail(errors.New("the connection is lost"))
	e.world.PutRef(r2)
	eventually(t, "a sync fails", func() bool { return r.syncs("") > before })
	db.fail(nil)
	eventually(t, "the event has reached the branch", r.inSync(testRepo))
	e.write("test/test/pr/2/title", "mine\n")
	eventually(t, "the watch is back", func() bool { return e.world.Look(testRepo).PRs[0].Title == "mine" })
	if n := e.world.Calls()[github.OpListPRs]; n != 0 {
		t.Errorf("PRs were listed %d times: the state was not kept", n)
	}
}

func TestGH79_OneSyncAtATime(t *testing.T) {
	t.Parallel()
	e := mirrored(t, r1)
	e.world.SetLatency(constantly)
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			if err := Once(t.Context(), e.opts, e.state); err != nil {
				t.Error(err)
			}
		})
	}
	e.write("test/test/ref/heads/new/head", "foo\n")
	work.Wait()
	e.sync()
	e.wantCalls("read statuses 1, set ref 1")
}

func TestGH205_Report(t *testing.T) {
	t.Parallel()
	e, _ := listening(t, p4, r1, s1)
	e.write("test/test/pr/2/title", "mine\n")
	e.world.PutRef(r2)
	e.sync()
	rep := e.last
	if rep.Reason != ReasonOnce || rep.Monitored != 1 || len(rep.EventToCommit) != 1 || len(rep.CommitToGitHub) != 1 ||
		rep.Message != e.message() || rep.Took <= 0 || rep.Err != nil {
		t.Errorf("report %+v", rep)
	}
}

// TestGH109_NoSyncAfterTheOther has reads be due that are pointless for now, as
// GitHub refuses the repository, and a database that cannot be used.
func TestGH109_NoSyncAfterTheOther(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p1, r1)
	e.write("test/test/.monitor", "")
	e.world.Inject(githubtest.Fault{Op: github.OpReadStatuses, Status: 500})
	e.sync()
	e.world.Inject(githubtest.Fault{Op: github.OpListPRs, Status: 403})
	e.state.resync = true
	e.sync()
	if next := e.state.nextDue(); !next.IsZero() {
		t.Errorf("something is due at %v", next)
	}
	e.state.reads[statusesOf(bar)].due = time.Now().Add(-time.Hour)
	db.fail(errors.New("unreachable"))
	r := e.run()
	eventually(t, "two syncs fail", func() bool { return r.syncs("") >= 2 })
	r.stop()
	if n := r.syncs(""); n > 5 {
		t.Errorf("there were %d syncs in a second", n)
	}
}
