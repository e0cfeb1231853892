package bridge

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

func TestGH39_GH80_BranchIsCreated(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.sync()
	if e.message() != "Initial commit" || e.list("") != "README.md" {
		t.Errorf("the branch has %q, by %q", e.list(""), e.message())
	}
	e.wantFiles("README.md", "### DataKit -- GitHub bridge\n")
	head := e.head()
	e.sync()
	if e.head() != head {
		t.Errorf("there is a second commit: %q", e.message())
	}
	if err := e.branch().Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.sync()
	if e.message() != "Initial commit" {
		t.Errorf("after the branch was removed there is %q", e.message())
	}
}

func TestGH39_BranchWithAHeadStays(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.write("some/file", "x")
	head := e.head()
	e.sync()
	if e.head() != head {
		t.Errorf("a commit was made: %q", e.message())
	}
}

func TestGH81_NothingMonitored(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	e.fill(p1, r1)
	e.write("test/test/pr/1/title", "x")
	e.sync()
	e.resync()
	e.wantCalls("")
	if !strings.HasPrefix(e.message(), "a user's") {
		t.Errorf("a commit was made: %q", e.message())
	}
}

func TestGH83_GH86_QuietSyncs(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.calls()
	head := e.head()
	for range 3 {
		e.sync()
	}
	e.wantCalls("")
	if e.head() != head {
		t.Errorf("a commit was made: %q", e.message())
	}
}

func TestGH78_OlderHistoryIsNoChangeOfTheBranch(t *testing.T) {
	t.Parallel()
	e := preparedU(t)
	e.sync()
	e.calls()
	if err := e.branch().Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.write("test/test/.monitor", "")
	e.sync()
	e.wantCalls(firstCalls + "2")
	if refs := e.world.Look(testRepo).Refs; len(refs) != 1 {
		t.Errorf("GitHub has %v", refs)
	}
	e.wantInSync("on another history", testRepo)
}

func TestGH92_GH250_NoTransactionIsLeaked(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p1, p4, r1, s1)
	e.write("test/test/.monitor", "")
	check := func(when string) {
		t.Helper()
		if n := db.open.Load(); n != 0 {
			t.Errorf("%s: %d transactions are open", when, n)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Once(ctx, e.opts, e.state); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled sync: %v", err)
	}
	check("after a cancelled sync")
	failure := errors.New("the disk is on fire")
	db.atCommit(func() error { return failure })
	if err := Once(t.Context(), e.opts, e.state); !errors.Is(err, failure) {
		t.Errorf("a sync whose commit fails: %v", err)
	}
	db.atCommit(nil)
	db.fail(failure)
	if err := Once(t.Context(), e.opts, e.state); !errors.Is(err, failure) {
		t.Errorf("a sync without a database: %v", err)
	}
	db.fail(nil)
	check("after failures")
	e.sync()
	check("after a commit")
	e.sync()
	check("after a sync with nothing to commit")
}

// TestGH139_GH246_ConflictingCommit has a user change what the sync is about to
// write, which does not merge.
func TestGH139_GH246_ConflictingCommit(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p1, p4, r1, s3)
	e.write("test/test/.monitor", "")
	e.sync()
	e.calls()

	// GitHub gets a new title, and a user another one while the sync commits.
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "of GitHub" })
	e.calls()
	db.atCommit(func() error {
		db.atCommit(nil)
		e.write("test/test/pr/2/title", "of a user\n")
		return nil
	})
	e.resync()
	e.wantCalls(firstCalls + "2, set PR 1")
	e.wantFiles("test/test/pr/2/title", "of a user\n")
	if title := e.world.Look(testRepo).PRs[1].Title; title != "of a user" {
		t.Errorf("GitHub has the title %q", title)
	}
	e.sync()
	e.wantCalls("")
}

func TestGH139_FiveAttempts(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.can("*:r")
	e.fill(r1)
	e.write("test/test/.monitor", "")
	e.sync()
	e.fill(r2)
	n := 0
	db.atCommit(func() error {
		n++
		e.write("test/test/ref/heads/master/head", strings.Repeat("x", n)+"\n")
		return nil
	})
	e.state.resync = true
	err := Once(t.Context(), e.opts, e.state)
	if !errors.Is(err, datakit.Conflict) || n != 5 {
		t.Fatalf("after %d attempts: %v, want a conflict after 5", n, err)
	}
	e.wantCalls("list PRs 1, list refs 1, read statuses 1")
	db.atCommit(nil)
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/ref/heads/master/head", "foo\n")
}

// TestGH140_MergedCommit has somebody commit something else meanwhile: it is
// seen by the next sync.
func TestGH140_MergedCommit(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p1, r1, s3)
	e.write("test/test/.monitor", "")
	db.atCommit(func() error {
		db.atCommit(nil)
		e.put(github.NewStatus(foo, "new", github.Success, "", ""))
		return nil
	})
	e.sync()
	e.calls()
	e.sync()
	e.wantCalls("set status 1")
	e.sync()
	e.wantCalls("")
	e.wantInSync("after the merge", testRepo)
}

func TestGH141_StateSurvivesAFailedSync(t *testing.T) {
	t.Parallel()
	db := newFaultyDB()
	e := newEnvOn(t, datakit.New(db), testRepo)
	e.fill(p1, p4, r1, s3)
	e.write("test/test/.monitor", "")
	e.sync()
	src := e.source(testRepo)
	e.world.EditPR(p4.ID(), func(pr *github.PR) { pr.Title = "new" })
	e.put(github.NewStatus(foo, "new", github.Success, "", ""))
	e.world.ResetCalls()
	db.atCommit(func() error { return errors.New("the connection is lost") })
	if err := Once(t.Context(), e.opts, e.state); err == nil {
		t.Fatal("the sync has not failed")
	}
	db.atCommit(nil)
	if events, _ := src.Events(); len(events) == 0 {
		t.Error("the events of the failed sync are lost (GH-107)")
	}
	e.wantCalls("set status 1")
	e.sync()
	e.wantCalls("")
	e.wantFiles("test/test/pr/2/title", "new\n")
	e.wantInSync("after the database came back", testRepo)
}
