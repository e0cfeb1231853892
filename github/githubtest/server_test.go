package githubtest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/internal/openapi"
)

// serve runs a server of the world.
func serve(t *testing.T, w *githubtest.World, set func(*githubtest.Server)) (*githubtest.Server, *client) {
	t.Helper()
	s := githubtest.NewServer(w)
	if set != nil {
		set(s)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.Close()
		s.Close()
	})
	return s, &client{t: t, http: h.Client(), base: h.URL}
}

// A client asks a server.
type client struct {
	t      *testing.T
	http   *http.Client
	base   string
	header http.Header
}

// do sends a request, and decodes the answer into v unless that is nil.
func (c *client) do(method, path, body string, v any) *http.Response {
	c.t.Helper()
	resp, err := c.try(method, path, body, v)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp
}

func (c *client) try(method, path, body string, v any) (*http.Response, error) {
	if !strings.HasPrefix(path, "http") {
		path = c.base + path
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range c.header {
		req.Header[k] = v
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && v != nil {
		err = json.Unmarshal(data, v)
	}
	return resp, err
}

func TestServerPages(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	for n := range 70 {
		w.PutPR(pr(n+1, "foo", "x"))
	}
	_, c := serve(t, w, nil)
	var got []int
	path := "/repos/test/test/pulls?state=open&sort=created&direction=asc"
	for pages := 1; path != ""; pages++ {
		var list []struct{ Number int }
		resp := c.do("GET", path, "", &list)
		for _, p := range list {
			got = append(got, p.Number)
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(resp.Header.Get("Link"), "<"), `>; rel="next"`)
		if pages > 3 {
			t.Fatal("more than three pages of 30")
		}
	}
	if len(got) != 70 || !slices.IsSorted(got) {
		t.Errorf("PRs %v", got)
	}
	var list []any
	if c.do("GET", "/repos/test/test/pulls?per_page=100", "", &list); len(list) != 70 {
		t.Errorf("%d PRs on a page of 100", len(list))
	}
}

func TestServerConditional(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	s, c := serve(t, w, nil)
	first := c.do("GET", "/repos/test/test/pulls", "", nil)
	c.header = http.Header{"If-None-Match": {first.Header.Get("ETag")}}
	second := c.do("GET", "/repos/test/test/pulls", "", nil)
	if second.StatusCode != http.StatusNotModified || second.Header.Get("X-RateLimit-Remaining") != "4999" {
		t.Errorf("unchanged: %s, %s left", second.Status, second.Header.Get("X-RateLimit-Remaining"))
	}
	w.PutPR(pr(1, "foo", "x"))
	third := c.do("GET", "/repos/test/test/pulls", "", nil)
	if third.StatusCode != http.StatusOK || third.Header.Get("X-RateLimit-Remaining") != "4998" {
		t.Errorf("changed: %s, %s left", third.Status, third.Header.Get("X-RateLimit-Remaining"))
	}
	want := map[githubtest.Request]int{{Op: github.OpListPRs, Status: 200}: 2, {Op: github.OpListPRs, Status: 304}: 1}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
}

func TestServerLimit(t *testing.T) {
	t.Parallel()
	s, c := serve(t, githubtest.New(repo), nil)
	s.SetLimit(1, time.Now().Add(time.Hour))
	for i, want := range []int{http.StatusOK, http.StatusForbidden} {
		resp := c.do("GET", "/repos/test/test", "", nil)
		if resp.StatusCode != want || resp.Header.Get("X-RateLimit-Remaining") != "0" {
			t.Errorf("request %d: %s, %v", i, resp.Status, resp.Header)
		}
	}
	s.SetLimit(0, time.Now().Add(-time.Second))
	if resp := c.do("GET", "/repos/test/test", "", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("after the reset: %s", resp.Status)
	}
}

func TestServerToken(t *testing.T) {
	t.Parallel()
	_, c := serve(t, githubtest.New(repo), func(s *githubtest.Server) { s.Token = "secret" })
	for header, want := range map[string]int{"": 401, "Bearer wrong": 401, "Bearer secret": 200, "token secret": 200} {
		c.header = http.Header{"Authorization": {header}}
		if resp := c.do("GET", "/repos/test/test", "", nil); resp.StatusCode != want {
			t.Errorf("Authorization %q: %s, want %d", header, resp.Status, want)
		}
	}
}

func TestServerFaults(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	s, c := serve(t, w, nil)
	w.Inject(githubtest.Fault{Subject: "{{test/test foo} a}", Times: 1, Status: 403, RetryAt: time.Now().Add(7 * time.Second)})
	w.Inject(githubtest.Fault{Op: github.OpSetStatus, Times: 1, Late: true})
	body := `{"state": "success", "context": "a"}`
	resp := c.do("POST", "/repos/test/test/statuses/foo", body, nil)
	if got := resp.Header.Get("Retry-After"); resp.StatusCode != 403 || got != "7" && got != "6" {
		t.Errorf("secondary limit: %s, %v", resp.Status, resp.Header)
	}
	if _, err := c.try("POST", "/repos/test/test/statuses/foo", body, nil); err == nil {
		t.Error("the connection was not broken")
	}
	if got := w.Look(repo).Statuses; len(got) != 1 {
		t.Errorf("statuses %v, want the one whose answer was lost", got)
	}
	want := map[githubtest.Request]int{{Op: github.OpSetStatus, Status: 403}: 1, {Op: github.OpSetStatus}: 1}
	for deadline := time.Now().Add(30 * time.Second); !cmp.Equal(want, s.Requests()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("requests %v, want %v", s.Requests(), want)
		}
	}
}

// A receiver is where webhooks go.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []string // the event and whether the signature is right
}

func receive(t *testing.T, secret string) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		signed := req.Header.Get("X-Hub-Signature-256") == "sha256="+hex.EncodeToString(mac.Sum(nil))
		r.mu.Lock()
		r.got = append(r.got, fmt.Sprint(req.Header.Get("X-GitHub-Event"), " ", signed, " ", json.Valid(body)))
		r.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

// wait returns what has come as soon as that is n deliveries.
func (r *receiver) wait(t *testing.T, n int) []string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		got := slices.Clone(r.got)
		r.mu.Unlock()
		if len(got) >= n || time.Now().After(deadline) {
			return got
		}
	}
}

func TestServerDeliveries(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	s, c := serve(t, w, nil)
	r := receive(t, "shh")
	hook := `{"name": "web", "active": true, "events": ["push", "create", "pull_request", "issue_comment", "status"],
		"config": {"url": "` + r.URL + `", "content_type": "json", "secret": "shh"}}`
	var made struct {
		ID     int64
		Config struct{ Secret string }
	}
	if resp := c.do("POST", "/repos/test/test/hooks", hook, &made); resp.StatusCode != 201 || made.Config.Secret == "shh" {
		t.Fatalf("create: %s, %+v", resp.Status, made)
	}
	if resp := c.do("POST", "/repos/test/test/hooks", hook, nil); resp.StatusCode != 422 {
		t.Errorf("create again: %s", resp.Status)
	}
	c.do("POST", fmt.Sprintf("/repos/test/test/hooks/%d/pings", made.ID), "", nil)
	w.PutPR(pr(1, "foo", "x"))
	w.AddComment(pr(1, "", "").ID(), "ana", "hi")
	w.PutRef(ref("heads/a", "foo"))
	s.Lose(func(c githubtest.Change) bool { return c.Kind == "push" })
	w.DropRef(repo, "heads/a")
	s.Lose(nil)
	w.AddStatus(status("foo", "a", github.Success))
	want := []string{"ping true true", "pull_request true true", "issue_comment true true", "push true true", "create true true", "status true true"}
	if got := r.wait(t, len(want)); !slices.Equal(got, want) {
		t.Errorf("deliveries %q, want %q", got, want)
	}
	s.Redeliver(s.Deliveries()[0])
	if got := r.wait(t, len(want)+1); len(got) != len(want)+1 || got[len(want)] != want[0] {
		t.Errorf("after a redelivery: %q", got)
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	w := githubtest.New(repo)
	h := github.Hook{URL: "http://a.example/x", Active: true, Events: []string{"push"}, ContentType: "json", Secret: "s"}
	made, err := w.CreateHook(t.Context(), repo, h)
	again, err2 := w.CreateHook(t.Context(), repo, h)
	if err != nil || err2 != nil || made.ID == 0 || made.ID != again.ID || made.Secret != "" {
		t.Fatalf("CreateHook = %+v, %v, then %+v, %v", made, err, again, err2)
	}
	made.Events = []string{"status"}
	if err := w.UpdateHook(t.Context(), repo, made); err != nil {
		t.Fatal(err)
	}
	if got := w.HooksOf(repo); len(got) != 1 || got[0].Secret != "s" || got[0].Events[0] != "status" {
		t.Errorf("hooks %+v", got)
	}
	if list, err := w.Hooks(t.Context(), repo); err != nil || len(list) != 1 || list[0].Secret != "" {
		t.Errorf("Hooks = %+v, %v", list, err)
	}
	for range 2 {
		if err := w.DeleteHook(t.Context(), repo, made.ID); err != nil {
			t.Error(err)
		}
	}
	var e *github.APIError
	if err := w.PingHook(t.Context(), repo, made.ID); !errors.As(err, &e) || e.Status != 404 {
		t.Errorf("PingHook of one that is gone: %v", err)
	}
}

// TestDescription holds one answer of each kind against GitHub's description.
func TestDescription(t *testing.T) {
	t.Parallel()
	doc := openapi.GitHub(t)
	w := githubtest.New(repo)
	p := pr(1, "foo", "x")
	p.Comments = []github.Comment{{Author: "sam", Body: "body"}, {ID: 1, Author: "ana", Body: "hi"}}
	w.PutPR(p)
	w.AddTag(repo, "t1", "commit", "foo")
	w.PutObject(repo, "tags/v1", "tag", "t1")
	w.AddStatus(github.NewStatus(commit("foo"), "ci/a", github.Pending, "text", "http://a.example/"))
	w.AddStatus(status("foo", "ci/b", github.Success))
	s := githubtest.NewServer(w)
	defer s.Close()
	h := httptest.NewServer(doc.Handler(t, s))
	defer h.Close()
	c := &client{t: t, http: h.Client(), base: h.URL}
	const r = "/repos/test/test"
	hook := `{"name": "web", "events": ["push"], "config": {"url": "http://a.example/h", "secret": "s"}}`
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/rate_limit", "", 200},
		{"GET", "/users/test", "", 200},
		{"GET", "/users/none", "", 404},
		{"GET", "/users/test/repos", "", 200},
		{"GET", r, "", 200},
		{"GET", "/repos/no/where", "", 404},
		{"GET", r + "/pulls", "", 200},
		{"GET", r + "/pulls/1", "", 200},
		{"PATCH", r + "/pulls/1", `{"title": "y", "state": "closed", "base": "next"}`, 200},
		{"GET", r + "/issues/1/comments", "", 200},
		{"POST", r + "/git/refs", `{"ref": "refs/heads/a", "sha": "foo"}`, 201},
		{"POST", r + "/git/refs", `{"ref": "refs/heads/a", "sha": "foo"}`, 422},
		{"GET", r + "/git/matching-refs/heads/", "", 200},
		{"GET", r + "/git/ref/tags/v1", "", 200},
		{"GET", r + "/git/ref/tags/v2", "", 404},
		{"GET", r + "/git/tags/t1", "", 200},
		{"PATCH", r + "/git/refs/heads/a", `{"sha": "bar", "force": true}`, 200},
		{"PATCH", r + "/git/refs/heads/b", `{"sha": "bar"}`, 422},
		{"DELETE", r + "/git/refs/heads/a", "", 204},
		{"DELETE", r + "/git/refs/heads/a", "", 422},
		{"GET", r + "/commits/foo/status", "", 200},
		{"POST", r + "/statuses/foo", `{"state": "success"}`, 201},
		{"POST", r + "/statuses/foo", `{"state": "success", "description": "` + strings.Repeat("x", 141) + `"}`, 422},
		{"POST", r + "/hooks", hook, 201},
		{"GET", r + "/hooks", "", 200},
		{"PATCH", r + "/hooks/4", `{"active": false}`, 200},
		{"POST", r + "/hooks/4/pings", "", 204},
		{"DELETE", r + "/hooks/4", "", 204},
		{"DELETE", r + "/hooks/4", "", 404},
	} {
		if resp := c.do(tt.method, tt.path, tt.body, nil); resp.StatusCode != tt.status {
			t.Errorf("%s %s: %s, want %d", tt.method, tt.path, resp.Status, tt.status)
		}
	}
}
