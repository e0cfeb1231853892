package bridge

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
)

// A gate is a GitHub that does not answer calls of some kinds for some
// repositories before it is told to.
type gate struct {
	github.API

	mu     sync.Mutex
	closed map[group]chan struct{}
	wait   int // calls that wait, or have waited
}

// shut returns a function that lets the calls through.
func (g *gate) shut(of ...group) (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = map[group]chan struct{}{}
	}
	c := make(chan struct{})
	for _, of := range of {
		g.closed[of] = c
	}
	return func() { close(c) }
}

// pass waits until a call may go on. Like the client it knows no other end than
// that of the context.
func (g *gate) pass(ctx context.Context, of group) error {
	g.mu.Lock()
	c := g.closed[of]
	if c != nil {
		g.wait++
	}
	g.mu.Unlock()
	if c == nil {
		return nil
	}
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waiting returns how many calls wait, or have waited.
func (g *gate) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.wait
}

// forget lets later calls through.
func (g *gate) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = nil
}

func (g *gate) PRs(ctx context.Context, r github.Repo) ([]github.PR, map[github.PRID]error, error) {
	if err := g.pass(ctx, group{r, callRead}); err != nil {
		return nil, nil, err
	}
	return g.API.PRs(ctx, r)
}

func (g *gate) Refs(ctx context.Context, r github.Repo) ([]github.Ref, map[github.RefID]error, error) {
	if err := g.pass(ctx, group{r, callRead}); err != nil {
		return nil, nil, err
	}
	return g.API.Refs(ctx, r)
}

func (g *gate) SetStatus(ctx context.Context, s github.Status) (int64, error) {
	if err := g.pass(ctx, group{s.Commit.Repo, callSend}); err != nil {
		return 0, err
	}
	return g.API.SetStatus(ctx, s)
}

// gated has the calls of a bridge go through a gate. A sync waits for so short
// a time that others than those at the gate may be taken for hanging, too,
// which must not matter.
func (e *env) gated() *gate {
	g := &gate{API: e.opts.API}
	e.opts.API, e.opts.patience = g, 20*time.Millisecond
	return g
}

// TestGH109_GH117_HangingReadHoldsUpNothingElse has GitHub not answer what is
// read of one repository until everything else has been done.
func TestGH109_GH117_HangingReadHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo, otherRepo)
	e.fill(p1, p4, r1, s1)
	c := github.Commit{Repo: otherRepo, Hash: "abc"}
	e.world.PutRef(github.Ref{Commit: c, Name: "heads/x"})
	e.source()
	g := e.gated()
	open := g.shut(group{otherRepo, callRead})
	e.write("test/test/.monitor", "", "test/other/.monitor", "")
	r := e.run()
	eventually(t, "the one repository is imported", func() bool { return e.read("test/test/ref/heads/master/head") == "bar\n" })
	e.write("test/test/pr/2/title", "mine\n")
	eventually(t, "what the branch says is sent", func() bool { return e.world.Look(testRepo).PRs[1].Title == "mine" })
	e.world.PutRef(r2)
	eventually(t, "an event has reached the branch", func() bool { return e.read("test/test/ref/heads/master/head") == "foo\n" })
	if got := e.list("test/other/ref"); got != "-" {
		t.Errorf("the other repository has %q", got)
	}
	open()
	eventually(t, "the other repository is imported", r.inSync(testRepo, otherRepo))
}

// TestGH109_GH111_GH131_HangingSendHoldsUpNothingElse has GitHub not answer the
// setting of a status until everything else has been done. Its value changes
// meanwhile.
func TestGH109_GH111_GH131_HangingSendHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1, s3)
	e.opts.Jobs = 64 // so that no call is given up, however slow the machine is
	g := e.gated()
	open := g.shut(group{testRepo, callSend})
	r := e.run()
	const state = "test/test/commit/foo/status/foo/bar/baz/state"
	e.write(state, "failure\n")
	e.write("test/test/pr/2/title", "mine\n")
	eventually(t, "the title is sent", func() bool { return e.world.Look(testRepo).PRs[1].Title == "mine" })
	e.write(state, "error\n", "test/test/ref/heads/new/head", "foo\n")
	eventually(t, "the ref is sent", func() bool { return len(e.world.Look(testRepo).Refs) == 2 })
	if got := e.githubStatus(s3.ID()); got != "success" {
		t.Errorf("GitHub has the status %q", got)
	}
	e.wantFiles(state, "error\n")
	open()
	eventually(t, "the newest value is sent", func() bool { return e.githubStatus(s3.ID()) == "error" })
	eventually(t, "nothing is pending", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		n := r.reports[len(r.reports)-1].Pending
		return n[PendingSend]+n[PendingRead] == 0
	})
	e.wantFiles(state, "error\n")
	if overlaps := e.world.Overlaps(); len(overlaps) > 0 {
		t.Errorf("calls overlap: %q", overlaps)
	}
	if n := e.world.Calls()[github.OpSetStatus]; n > 2 {
		t.Errorf("the status was set %d times", n)
	}
}

// TestGH109_HangingWebhookHoldsUpNothing has the registration of a webhook
// hang: the repository is imported nevertheless.
func TestGH109_HangingWebhookHoldsUpNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo)
	e.fill(p1, r1, s1)
	e.source()
	e.gated()
	e.world.Inject(githubtest.Fault{Op: github.OpCreateHook, Hang: true})
	e.write("test/test/.monitor", "")
	eventually(t, "the repository is imported", e.run().inSync(testRepo))
}

// TestGH79_GH109_HangingCallsLeaveRoom has more calls hang than may go on in the
// background.
func TestGH79_GH109_HangingCallsLeaveRoom(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testRepo, otherRepo)
	e.opts.Jobs = 2
	e.fill(p1, r1, s1)
	g := e.gated()
	open := g.shut(group{otherRepo, callRead})
	e.write("test/test/.monitor", "", "test/other/.monitor", "")
	r := e.run()
	eventually(t, "the one repository is imported", func() bool { return e.read("test/test/ref/heads/master/head") == "bar\n" })
	open()
	eventually(t, "the other repository is imported", r.inSync(testRepo, otherRepo))
}

// TestGH109_ManyAfterOneThatHangs has a status hang and many others of its
// repository follow it, which is not held against them for long.
func TestGH109_ManyAfterOneThatHangs(t *testing.T) {
	t.Parallel()
	e := mirrored(t, p1, p4, r1, s1, s3)
	g := e.gated()
	open := g.shut(group{testRepo, callSend})
	defer open()
	e.run()
	const state = "test/test/commit/foo/status/foo/bar/baz/state"
	e.write(state, "failure\n")
	eventually(t, "the status hangs", func() bool { return g.waiting() > 0 })
	g.forget()
	var files []string
	for i := range 100 {
		files = append(files, fmt.Sprintf("test/test/commit/foo/status/many/%d/state", i), "success\n")
	}
	e.write(files...)
	eventually(t, "the others are sent", func() bool { return len(e.world.Look(testRepo).Statuses) == 102 })
	if got := e.githubStatus(s3.ID()); got != "success" {
		t.Errorf("GitHub has the status %q", got)
	}
}
