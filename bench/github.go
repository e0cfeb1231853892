package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/bridge"
	"github.com/datakit/datakit/github/capability"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/github/token"
)

// callsAtOnce is how many calls of GitHub's API are under way at once at most.
const callsAtOnce = 16

// A hub is a simulated GitHub that is reached over HTTP.
type hub struct {
	world  *githubtest.World
	server *githubtest.Server
	http   *httptest.Server
}

func newHub() *hub {
	w := githubtest.New()
	s := githubtest.NewServer(w)
	s.SetLimit(1_000_000, time.Now().Add(24*time.Hour))
	return &hub{w, s, httptest.NewServer(s)}
}

func (h *hub) close() {
	h.http.CloseClientConnections()
	h.http.Close()
	h.server.Close()
}

// takes makes each request take that time.
func (h *hub) takes(d time.Duration) {
	h.world.SetLatency(func(string) time.Duration { return d })
}

func (h *hub) client() (*api.Client, error) {
	return api.New(api.Config{BaseURL: h.http.URL, Token: token.NewSecret("secret"), Jobs: callsAtOnce})
}

// requests returns how many requests there were since the last call, and how
// many of them were answered with "not modified".
func (h *hub) requests() (all, unchanged int) {
	for r, n := range h.server.Requests() {
		all += n
		if r.Status == http.StatusNotModified {
			unchanged += n
		}
	}
	h.server.ResetRequests()
	return all, unchanged
}

func benchRepo(i int) github.Repo {
	return github.Repo{User: "bench", Name: fmt.Sprintf("repo-%04d", i)}
}

func benchCommit(r github.Repo, i int) github.Commit {
	return github.Commit{Repo: r, Hash: fmt.Sprintf("%040x", i+1)}
}

// fill gives a repository pull requests and references, each of a commit of its
// own, and shares statuses out among the commits of the pull requests.
func (h *hub) fill(r github.Repo, prs, refs, statuses int) {
	for i := range prs {
		h.world.PutPR(github.PR{
			Head: benchCommit(r, i), Number: i + 1, Title: fmt.Sprintf("Change number %d", i), Base: "master", Owner: "somebody",
			Comments: []github.Comment{{Author: "somebody", Body: "Please have a look at this change."}},
		})
	}
	for i := range refs {
		h.world.PutRef(github.Ref{Commit: benchCommit(r, prs+i), Name: github.RefName(fmt.Sprintf("heads/branch-%d", i))})
	}
	for i := range statuses {
		h.world.AddStatus(github.NewStatus(benchCommit(r, i%max(prs, 1)), github.Context(fmt.Sprintf("ci/test-%d", i/max(prs, 1))),
			github.Success, "All tests have passed", "https://ci.example.org/builds/1"))
	}
}

// mirror opens a database whose branch asks for the repositories to be mirrored,
// and returns the options of a bridge to the hub. close ends what it has opened.
func (e *env) mirror(h *hub, repos int) (o bridge.Options, close func(), err error) {
	c, err := h.client()
	if err != nil {
		return o, nil, err
	}
	db, err := e.openNew("github")
	if err != nil {
		c.Close()
		return o, nil, err
	}
	close = func() { db.Close(); c.Close() }
	o = bridge.Options{DB: db, Branch: layout.DefaultBranch, API: c, Capabilities: capability.All(), Jobs: callsAtOnce}
	err = db.Branch(o.Branch).Update(e.ctx, "monitor", func(tx *datakit.Tx) error {
		for i := range repos {
			if err := layout.Write(e.ctx, tx, benchRepo(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		close()
		return o, nil, err
	}
	return o, close, nil
}

// githubFirst measures the first sync of a large repository beside the calls
// that it makes.
func githubFirst(e *env) ([]row, error) {
	h := newHub()
	defer h.close()
	s := e.size
	h.fill(benchRepo(0), s.prs, s.refs, s.statuses)
	h.takes(s.latency)
	alone, err := h.readAll(e.ctx, benchRepo(0))
	if err != nil {
		return nil, err
	}
	h.requests()
	o, close, err := e.mirror(h, 1)
	if err != nil {
		return nil, err
	}
	defer close()
	commits := 0
	o.Observe = func(r bridge.Report) {
		if r.Message != "" {
			commits++
		}
	}
	var state bridge.State
	peak := watchHeap(e.ctx)
	start := time.Now()
	err = bridge.Once(e.ctx, o, &state)
	took := time.Since(start)
	heap := peak()
	if err != nil {
		return nil, err
	}
	calls, _ := h.requests()
	what := fmt.Sprintf("first sync, %d PRs, %d refs, %d statuses", s.prs, s.refs, s.statuses)
	return []row{
		{name: what, unit: "s", ours: took.Seconds(), alt: alone.Seconds(), altName: "the calls alone", goal: within(1.5),
			note: fmt.Sprintf("%d requests of %v, %d at once", calls, s.latency, callsAtOnce)},
		{name: "the same, heap at most", unit: "MiB", ours: heap, goal: below(256), note: "with the simulated GitHub"},
		{name: "the same", unit: "commits", ours: float64(commits), goal: atMost(1)},
	}, nil
}

// readAll makes the calls of a first import and nothing else, and returns how
// long they take.
func (h *hub) readAll(ctx context.Context, r github.Repo) (time.Duration, error) {
	c, err := h.client()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	var prs []github.PR
	var refs []github.Ref
	g.Go(func() (err error) { prs, _, err = c.PRs(ctx, r); return err })
	g.Go(func() (err error) { refs, _, err = c.Refs(ctx, r); return err })
	if err := g.Wait(); err != nil {
		return 0, err
	}
	g, ctx = errgroup.WithContext(context.WithoutCancel(ctx))
	g.SetLimit(callsAtOnce)
	for _, pr := range prs {
		g.Go(func() error { _, err := c.Statuses(ctx, pr.Head); return err })
	}
	for _, ref := range refs {
		g.Go(func() error { _, err := c.Statuses(ctx, ref.Commit); return err })
	}
	err = g.Wait()
	return time.Since(start), err
}

// githubResync measures a resync in which nothing has changed.
func githubResync(e *env) ([]row, error) {
	h := newHub()
	defer h.close()
	n := e.size.resynced
	for i := range n {
		h.fill(benchRepo(i), 5, 5, 10)
	}
	o, close, err := e.mirror(h, n)
	if err != nil {
		return nil, err
	}
	defer close()
	var state bridge.State
	if err := bridge.Once(e.ctx, o, &state); err != nil {
		return nil, err
	}
	h.requests()
	commits := 0
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	done := make(chan time.Duration, 1)
	o.Resync = time.Millisecond
	o.Observe = func(r bridge.Report) {
		if r.Message != "" {
			commits++
		}
		if r.Reason == bridge.ReasonResync {
			cancel()
			select {
			case done <- r.Took:
			default:
			}
		}
	}
	bridge.Repeat(ctx, o, &state)
	if err := e.ctx.Err(); err != nil {
		return nil, err
	}
	all, unchanged := h.requests()
	what := fmt.Sprintf("unchanged resync of %d repositories", n)
	return []row{
		{name: what, unit: "s", ours: (<-done).Seconds(), note: fmt.Sprintf("%d requests", all)},
		{name: what + ", unconditional", unit: "requests", ours: float64(all - unchanged), goal: atMost(0)},
		{name: what, unit: "commits", ours: float64(commits), goal: atMost(0)},
	}, nil
}
