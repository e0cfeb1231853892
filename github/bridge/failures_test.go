package bridge

import (
	"context"
	"slices"
	"testing"

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
