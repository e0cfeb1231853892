package api_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
)

// wantLimited checks that err is a limit that ends about d from now.
func wantLimited(t *testing.T, err error, d time.Duration) {
	t.Helper()
	var e *github.APIError
	if !errors.As(err, &e) || !e.Temporary || e.RetryAt.IsZero() {
		t.Errorf("%v is not about a limit", err)
		return
	}
	if in := time.Until(e.RetryAt); in > d+time.Second || in < d-30*time.Second {
		t.Errorf("%v: the next call is allowed in %s, want %s", err, in, d)
	}
}

func TestGH167_GH249_PrimaryLimit(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.server.SetLimit(1, time.Now().Add(20*time.Minute))
	if _, err := e.RepoExists(t.Context(), repo); err != nil { // the last one
		t.Fatal(err)
	}
	e.requests()
	for range 3 {
		_, err := e.RepoExists(t.Context(), repo)
		wantLimited(t, err, 20*time.Minute)
	}
	e.wantRequests(t) // none
	if len(e.pauses()) != 0 {
		t.Error("the call has waited")
	}
}

func TestGH167_LimitReachedByOthers(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.server.SetLimit(0, time.Now().Add(10*time.Minute))
	for range 2 {
		_, err := e.SetStatus(t.Context(), status("foo", "a", github.Success))
		wantLimited(t, err, 10*time.Minute)
	}
	if got := len(e.requests()); got != 1 {
		t.Errorf("%d requests, want the one that found the limit", got)
	}
	if got := e.results(); !slices.Equal(got, []string{"set status: limited"}) {
		t.Errorf("results %q", got)
	}
}

func TestGH167_LimitEnds(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.server.SetLimit(0, time.Now().Add(2*time.Second))
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, err := e.RepoExists(t.Context(), repo)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the end of the limit: %v", err)
		}
	}
}

func TestGH167_SecondaryLimit(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.Inject(githubtest.Fault{Op: github.OpReadPR, Times: 1, Status: 403, RetryAt: time.Now().Add(100 * time.Second), Message: "You have exceeded a secondary rate limit."})
	for range 2 {
		_, _, err := e.PR(t.Context(), prID(1))
		wantLimited(t, err, 100*time.Second)
	}
	if got := len(e.requests()); got != 1 {
		t.Errorf("%d requests, want the one that found the limit", got)
	}
}

func TestGH167_SecondaryLimitWithoutTime(t *testing.T) {
	t.Parallel()
	for i, tt := range []struct {
		status int
		body   string
	}{
		{429, `{"message": "too many"}`},
		{403, `{"message": "You have exceeded a secondary rate limit. Please wait."}`},
		{403, `{"message": "no", "documentation_url": "https://docs.github.com/rest/overview/resources-in-the-rest-api#secondary-rate-limits"}`},
	} {
		e := start(t, func(*env, *api.Config, http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(tt.status)
				w.Write([]byte(tt.body))
			})
		})
		_, err := e.RepoExists(t.Context(), repo)
		wantLimited(t, err, time.Minute)
		if t.Failed() {
			t.Fatalf("case %d", i)
		}
	}
}

func TestGH167_HostileTimes(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"reset":       {"X-RateLimit-Remaining": {"0"}, "X-RateLimit-Reset": {strconv.FormatInt(time.Now().Add(1000*time.Hour).Unix(), 10)}},
		"retry after": {"Retry-After": {"999999999999"}},
	} {
		e := start(t, func(*env, *api.Config, http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for k, v := range header {
					w.Header().Set(k, v[0])
				}
				w.WriteHeader(403)
			})
		})
		_, err := e.RepoExists(t.Context(), repo)
		wantLimited(t, err, time.Hour)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// TestGH167_PartialList proves that what was read before the limit counts.
func TestGH167_PartialList(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for n := range 20 {
		e.world.PutPR(pr(n+1, "foo", "x"))
	}
	e.server.SetLimit(11, time.Now().Add(time.Hour))
	got, partial, err := e.PRs(t.Context(), repo)
	if err != nil || len(got) != 20 || len(partial) == 0 {
		t.Errorf("%d PRs, %d of them partial, %v", len(got), len(partial), err)
	}
	for _, err := range partial {
		wantLimited(t, err, time.Hour)
	}
}

func TestGH169_GH249_Timeout(t *testing.T) {
	t.Parallel()
	e := start(t, func(_ *env, cfg *api.Config, h http.Handler) http.Handler {
		cfg.Timeout = 50 * time.Millisecond
		return h
	})
	e.world.Inject(githubtest.Fault{Op: github.OpRepoExists, Hang: true})
	_, err := e.RepoExists(t.Context(), repo)
	var apiErr *github.APIError
	if !errors.As(err, &apiErr) || !apiErr.Temporary || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("a request that hangs: %v", err)
	}
}

// TestGH109_TimeoutsAreNotRepeated has a call hang: were it repeated, the sync,
// and with it every other repository, would wait for each timeout.
func TestGH109_TimeoutsAreNotRepeated(t *testing.T) {
	t.Parallel()
	e := start(t, func(_ *env, cfg *api.Config, h http.Handler) http.Handler {
		cfg.Timeout = 50 * time.Millisecond
		return h
	})
	e.world.Inject(githubtest.Fault{Op: github.OpRepoExists, Hang: true})
	e.world.Inject(githubtest.Fault{Op: github.OpSetStatus, Hang: true})
	if _, err := e.RepoExists(t.Context(), repo); err == nil || github.Refused(err) {
		t.Errorf("a read that hangs: %v, want a temporary error", err)
	}
	if _, err := e.SetStatus(t.Context(), status("foo", "a", github.Success)); err == nil || github.Refused(err) {
		t.Errorf("a write that hangs: %v, want a temporary error", err)
	}
	if got := e.requests(); len(got) > 2 || len(e.pauses()) > 0 {
		t.Errorf("requests: %q, want none repeated", got)
	}
}

func TestContextEndsCalls(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.Inject(githubtest.Fault{Hang: true})
	e.world.PutPR(pr(1, "foo", "x"))
	for name, f := range map[string]func(context.Context) error{
		"PRs":       func(ctx context.Context) error { _, _, err := e.PRs(ctx, repo); return err },
		"Refs":      func(ctx context.Context) error { _, _, err := e.Refs(ctx, repo); return err },
		"SetStatus": func(ctx context.Context) error { _, err := e.SetStatus(ctx, status("foo", "a", 1)); return err },
		"SetRef":    func(ctx context.Context) error { return e.SetRef(ctx, ref("heads/a", "foo"), false, false) },
		"Check":     func(ctx context.Context) error { return e.Check(ctx) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := f(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		if err := f(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s after the end: %v", name, err)
		}
	}
}

func TestGH170_GH249_Retries(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.PutPR(pr(1, "foo", "x"))
	e.world.PutRef(ref("heads/gone", "foo"))
	e.world.PutRef(ref("heads/moved", "foo"))
	title := "new"
	for op, f := range map[string]func() error{
		github.OpReadPR:    func() error { _, _, err := e.PR(t.Context(), prID(1)); return err },
		github.OpSetPR:     func() error { return e.SetPR(t.Context(), prID(1), github.PRChange{Title: &title}) },
		github.OpRemoveRef: func() error { return e.RemoveRef(t.Context(), ref("heads/gone", "").ID()) },
		github.OpSetRef:    func() error { return e.SetRef(t.Context(), ref("heads/moved", "bar"), false, true) },
		github.OpSetStatus: func() error { _, err := e.SetStatus(t.Context(), status("foo", "a", 1)); return err },
	} {
		for _, status := range []int{500, 503} {
			e.pauses()
			remove := e.world.Inject(githubtest.Fault{Op: op, Times: 3, Status: status})
			if err := f(); err != nil {
				t.Errorf("%s, after 3 times %d: %v", op, status, err)
			}
			remove()
			checkPauses(t, op, e.pauses())
		}
		for _, status := range []int{0, 502} { // 0: no answer
			remove := e.world.Inject(githubtest.Fault{Op: op, Status: status})
			if err := f(); err == nil || github.Refused(err) {
				t.Errorf("%s, always %d: %v, want a temporary error", op, status, err)
			}
			checkPauses(t, op, e.pauses())
			remove()
		}
	}
}

// checkPauses wants the delays of GH-109: 1, 2 and 4 seconds, and up to a quarter
// more.
func checkPauses(t *testing.T, op string, got []time.Duration) {
	t.Helper()
	want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}
	if len(got) != len(want) {
		t.Errorf("%s: paused %v", op, got)
		return
	}
	for i, d := range want {
		if got[i] < d || got[i] > d*5/4 {
			t.Errorf("%s: paused %v", op, got)
		}
	}
}

func TestGH170_RefusalsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range []int{401, 403, 404, 409, 422} {
		e := start(t, nil)
		e.world.Inject(githubtest.Fault{Status: code})
		_, err := e.SetStatus(t.Context(), status("foo", "a", github.Success))
		if err == nil || len(e.requests()) != 1 || len(e.pauses()) != 0 {
			t.Errorf("%d: %v, it was repeated", code, err)
		}
	}
}

// TestGH170_LookBeforeRepeating lets the answer to each POST get lost after it
// had its effect.
func TestGH170_LookBeforeRepeating(t *testing.T) {
	t.Parallel()
	posts := 0
	e := start(t, func(e *env, _ *api.Config, h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git/refs") {
				posts++
				e.world.PutRef(ref("heads/a", "foo"))
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		})
	})
	e.world.Inject(githubtest.Fault{Op: github.OpCreateHook, Times: 1, Late: true})
	h, err := e.CreateHook(t.Context(), repo, github.Hook{URL: "http://a.example/"})
	if err != nil || h.ID == 0 || len(e.world.HooksOf(repo)) != 1 {
		t.Errorf("CreateHook = %+v, %v, GitHub has %v", h, err, e.world.HooksOf(repo))
	}
	e.wantRequests(t, "GET /repos/test/test/hooks?per_page=100&page=1",
		`POST /repos/test/test/hooks {"name":"web","active":false,"config":{"url":"http://a.example/","insecure_ssl":"0"}}`)

	if err := e.SetRef(t.Context(), ref("heads/a", "foo"), false, false); err != nil {
		t.Errorf("SetRef: %v", err)
	}
	if posts != 1 {
		t.Errorf("%d POSTs, want the one that had its effect", posts)
	}
}

// TestGH117_DownIsTold proves that few calls wait while GitHub is down.
func TestGH117_DownIsTold(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.Inject(githubtest.Fault{Status: 500})
	e.FillLater()
	if _, err := e.RepoExists(t.Context(), repo); err == nil || github.Refused(err) {
		t.Errorf("while others wait: %v, want a temporary error", err)
	}
	if len(e.pauses()) != 0 {
		t.Error("one more waits")
	}
}

func TestGH79_JobsAreBounded(t *testing.T) {
	t.Parallel()
	e := start(t, func(_ *env, cfg *api.Config, h http.Handler) http.Handler {
		cfg.Jobs = 3
		return h
	})
	for n := range 30 {
		e.world.PutPR(pr(n+1, "foo", "x"))
	}
	e.world.SetLatency(func(string) time.Duration { return 5 * time.Millisecond })
	if _, _, err := e.PRs(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	if n := e.server.MaxInFlight(); n != 3 {
		t.Errorf("%d requests at once, want 3", n)
	}
}

func TestGH205_Observations(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.AddCommit(repo, "foo")
	for range 2 {
		e.RepoExists(t.Context(), repo)
	}
	e.RepoExists(t.Context(), github.Repo{User: "no", Name: "where"})
	e.SetStatus(t.Context(), status("foo", "a", github.Success))
	e.SetStatus(t.Context(), status("bar", "a", github.Success))
	e.world.Inject(githubtest.Fault{Op: github.OpListHooks, Status: 500})
	e.Hooks(t.Context(), repo)
	want := []string{
		"list hooks: failed", "list hooks: failed", "list hooks: failed", "list hooks: failed",
		"look for repository: absent", "look for repository: ok", "look for repository: unchanged",
		"set status: ok", "set status: refused",
	}
	e.mu.Lock()
	if left := e.seen[0].Remaining; left != 4999 {
		t.Errorf("%d requests left after the first, want 4999", left)
	}
	e.mu.Unlock()
	if got := e.results(); !slices.Equal(got, want) {
		t.Errorf("results %q, want %q", got, want)
	}
}
