package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/github/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "ghp_hushhushhush"

var repo = github.Repo{User: "test", Name: "test"}

func commit(hash string) github.Commit { return github.Commit{Repo: repo, Hash: hash} }

func pr(n int, head, title string) github.PR {
	return github.PR{
		Head: commit(head), Number: n, Title: title, Base: "master", Owner: "sam",
		Comments: []github.Comment{{Author: "sam", Body: "body"}},
	}
}

func prID(n int) github.PRID { return github.PRID{Repo: repo, Number: n} }

func ref(name github.RefName, hash string) github.Ref {
	return github.Ref{Commit: commit(hash), Name: name}
}

func status(hash string, ctx github.Context, state github.StatusState) github.Status {
	return github.NewStatus(commit(hash), ctx, state, "", "")
}

// An env is a client of a simulated GitHub.
type env struct {
	*api.Client
	world  *githubtest.World
	server *githubtest.Server
	url    string

	mu     sync.Mutex // guards what follows
	log    bytes.Buffer
	sent   []string // "METHOD path?query body" of each request
	seen   []api.Observation
	header []http.Header
	slept  []time.Duration
}

// start runs a GitHub with the repository test/test and a client, whose pauses
// take no time. before, if not nil, changes the configuration, and what is
// around the server.
func start(t *testing.T, before func(e *env, cfg *api.Config, h http.Handler) http.Handler) *env {
	t.Helper()
	e := &env{world: githubtest.New(repo)}
	e.server = githubtest.NewServer(e.world)
	e.server.Token = secret
	cfg := api.Config{
		Token: token.NewSecret(secret), Version: "1.2.3", Observe: e.observe,
		Timeout: 5 * time.Minute, // the machine may be busy
		Log:     slog.New(slog.NewTextHandler(writer{e}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	var h http.Handler = e.server
	if before != nil {
		h = before(e, &cfg, h)
	}
	hs := httptest.NewServer(e.record(h))
	e.url = hs.URL
	if cfg.BaseURL == "" {
		cfg.BaseURL = hs.URL
	}
	client, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	client.SetPause(e.pause)
	e.Client = client
	t.Cleanup(func() {
		client.Close()
		hs.Close()
		e.server.Close()
	})
	return e
}

// writer is the log of an env.
type writer struct{ e *env }

func (w writer) Write(p []byte) (int, error) {
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	return w.e.log.Write(p)
}

func (e *env) observe(o api.Observation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, o)
}

func (e *env) pause(ctx context.Context, d time.Duration) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.slept = append(e.slept, d)
	return ctx.Err()
}

// record notes each request.
func (e *env) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		e.mu.Lock()
		e.sent = append(e.sent, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), bytes.TrimSpace(body))))
		e.header = append(e.header, r.Header.Clone())
		e.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// requests returns what was sent since the last call.
func (e *env) requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.sent
	e.sent = nil
	return list
}

// results returns the observations since the last call, as "op result", sorted.
func (e *env) results() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []string
	for _, o := range e.seen {
		list = append(list, o.Op+": "+string(o.Result))
	}
	e.seen = nil
	slices.Sort(list)
	return list
}

func (e *env) logged() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.String()
}

// pauses returns how often the client has waited since the last call.
func (e *env) pauses() []time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.slept
	e.slept = nil
	return list
}

// wantRequests fails the test unless exactly these requests were sent since the
// last time, in whatever order.
func (e *env) wantRequests(t *testing.T, want ...string) {
	t.Helper()
	got := e.requests()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("requests\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// printed returns v in each of the forms of package fmt.
func printed(v any) string { return fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v) }
