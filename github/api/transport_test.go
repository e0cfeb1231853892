package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/internal/openapi"
)

func TestGH164_GH273_Headers(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	if _, err := e.RepoExists(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	h := e.header[0]
	for name, want := range map[string]string{
		"Accept": "application/vnd.github+json", "Authorization": "Bearer " + secret, "User-Agent": "datakit-github/1.2.3",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestGH155_Description holds all that the client sends, and what it is answered,
// against GitHub's description.
func TestGH155_Description(t *testing.T) {
	t.Parallel()
	doc := openapi.GitHub(t)
	e := start(t, func(_ *env, _ *api.Config, h http.Handler) http.Handler { return doc.Handler(t, h) })
	ctx := t.Context()
	p := pr(1, "foo", "x")
	p.Comments = append(p.Comments, github.Comment{ID: 7, Author: "ana"})
	e.world.PutPR(p)
	e.world.AddTag(repo, "t1", "commit", "foo")
	e.world.PutObject(repo, "tags/v1", "tag", "t1")
	title, base, state := "new", "next", github.Closed
	hook := github.Hook{URL: "http://a.example/", Active: true, ContentType: "json", Secret: "s", Events: []string{"push"}}
	full := github.NewStatus(commit("foo"), "ci/a", github.Pending, "text", "http://a.example/")
	for name, f := range map[string]func() error{
		"Check":      func() error { return e.Check(ctx) },
		"UserExists": func() error { _, err := e.UserExists(ctx, "test"); return err },
		"UserRepos":  func() error { _, err := e.UserRepos(ctx, "test"); return err },
		"RepoExists": func() error { _, err := e.RepoExists(ctx, repo); return err },
		"PRs":        func() error { _, _, err := e.PRs(ctx, repo); return err },
		"PR":         func() error { _, _, err := e.PR(ctx, prID(1)); return err },
		"Refs":       func() error { _, _, err := e.Refs(ctx, repo); return err },
		"Ref":        func() error { _, _, err := e.Ref(ctx, ref("tags/v1", "").ID()); return err },
		"Statuses":   func() error { _, err := e.Statuses(ctx, commit("foo")); return err },
		"SetStatus":  func() error { _, err := e.SetStatus(ctx, full); return err },
		"SetPR":      func() error { return e.SetPR(ctx, prID(1), github.PRChange{Title: &title, Base: &base, State: &state}) },
		"SetRef":     func() error { return e.SetRef(ctx, ref("heads/a/b", "foo"), false, true) },
		"RemoveRef":  func() error { return e.RemoveRef(ctx, ref("heads/a/c", "foo").ID()) },
		"hooks": func() error {
			h, err := e.CreateHook(ctx, repo, hook)
			if err != nil {
				return err
			}
			if _, err := e.Hooks(ctx, repo); err != nil {
				return err
			}
			if err := e.UpdateHook(ctx, repo, h); err != nil {
				return err
			}
			if err := e.PingHook(ctx, repo, h.ID); err != nil {
				return err
			}
			return e.DeleteHook(ctx, repo, h.ID)
		},
	} {
		if err := f(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGH165_Redirects follows a repository that was renamed.
func TestGH165_Redirects(t *testing.T) {
	t.Parallel()
	for _, code := range []int{301, 302, 307, 308} {
		e := start(t, func(_ *env, _ *api.Config, h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if rest, ok := strings.CutPrefix(r.URL.Path, "/repos/old/name"); ok {
					w.Header().Set("Location", "/repos/test/test"+rest)
					w.WriteHeader(code)
					return
				}
				h.ServeHTTP(w, r)
			})
		})
		old := github.Repo{User: "old", Name: "name"}
		e.world.PutPR(pr(1, "foo", "x"))
		title := "new"
		if err := e.SetPR(t.Context(), github.PRID{Repo: old, Number: 1}, github.PRChange{Title: &title}); err != nil {
			t.Errorf("%d: %v", code, err)
		}
		if got := e.world.Look(repo).PRs[0].Title; got != title {
			t.Errorf("%d: the title is %q: the method or the body was lost", code, got)
		}
		e.wantRequests(t, `PATCH /repos/old/name/pulls/1 {"title":"new"}`, `PATCH /repos/test/test/pulls/1 {"title":"new"}`)
		if ok, err := e.RepoExists(t.Context(), old); !ok || err != nil {
			t.Errorf("%d: %v, %v", code, ok, err)
		}
		for _, h := range e.header {
			if h.Get("Authorization") == "" {
				t.Errorf("%d: a request to the base host lacks the token", code)
			}
		}
	}
}

// TestSeeOther proves that a write is not taken for done when GitHub says to
// look elsewhere.
func TestSeeOther(t *testing.T) {
	t.Parallel()
	e := start(t, func(_ *env, _ *api.Config, h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				h.ServeHTTP(w, r)
				return
			}
			http.Redirect(w, r, "/repos/test/test", http.StatusSeeOther)
		})
	})
	e.FillLater()
	if err := e.SetPR(t.Context(), prID(1), github.PRChange{}); err == nil || github.Refused(err) {
		t.Errorf("SetPR: %v, want a temporary error", err)
	}
}

func TestGH165_TenRedirects(t *testing.T) {
	t.Parallel()
	for _, hops := range []int{10, 11, 1000} {
		n := 0
		e := start(t, func(_ *env, _ *api.Config, h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n++; n <= hops {
					http.Redirect(w, r, fmt.Sprintf("/repos/test/test?n=%d", n), http.StatusFound)
					return
				}
				h.ServeHTTP(w, r)
			})
		})
		e.SetPause(nil)
		e.FillLater() // no repetitions
		ok, err := e.RepoExists(t.Context(), repo)
		if ok != (hops <= 10) || (err == nil) != ok {
			t.Errorf("%d redirects: %v, %v", hops, ok, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "more than 10 redirects") || n != 11) {
			t.Errorf("%d redirects: %v after %d requests", hops, err, n)
		}
	}
}

// TestGH165_GH201_TokenStaysHome redirects to another host.
func TestGH165_GH201_TokenStaysHome(t *testing.T) {
	t.Parallel()
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprint(r.Method, r.Header, string(body)))
		w.Write([]byte(`{"name": "test"}`))
	}))
	defer other.Close()
	e := start(t, func(*env, *api.Config, http.Handler) http.Handler {
		return http.RedirectHandler(other.URL+"/x", http.StatusTemporaryRedirect)
	})
	e.FillLater()
	if ok, err := e.RepoExists(t.Context(), repo); !ok || err != nil || len(got) != 1 {
		t.Errorf("a GET that is redirected to another host: %v, %v", ok, err)
	}
	_, err := e.CreateHook(t.Context(), repo, github.Hook{URL: "http://a.example/", Secret: "datakit:0123"})
	if err == nil || len(got) != 1 {
		t.Errorf("a POST with a secret that is redirected to another host: %v, %q", err, got)
	}
	for _, r := range got {
		if strings.Contains(r, "hush") || strings.Contains(r, "Authorization") {
			t.Errorf("the other host has got %s", r)
		}
	}
}

func TestGH189_GH271_EnterpriseURL(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"/api/v3", "/api/v3/"} {
		e := &env{}
		e = start(t, func(e *env, cfg *api.Config, h http.Handler) http.Handler {
			return http.StripPrefix("/api/v3", h)
		})
		client := e.at(t, e.url+end)
		for n := range 120 {
			e.world.PutPR(pr(n+1, "foo", "x"))
		}
		if got, _, err := client.PRs(t.Context(), repo); err != nil || len(got) != 120 {
			t.Errorf("%s: %d PRs, %v", end, len(got), err)
		}
		for _, r := range e.requests() {
			if !strings.Contains(r, " /api/v3/repos/") {
				t.Errorf("%s: %s", end, r)
			}
		}
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"ftp://a.example", "a.example", "https://", "https://u:hush@a.example", "https://hush@a.example", "https://a.example?x=hush", "://hush"} {
		_, err := api.New(api.Config{BaseURL: base, Token: newSecret("x")})
		if err == nil || strings.Contains(err.Error(), "u:hush") || strings.Contains(err.Error(), "hush@") {
			t.Errorf("New with the URL %q: %v", base, err)
		}
	}
	for name, cfg := range map[string]api.Config{
		"no token": {}, "two": {Token: newSecret("x"), App: &api.App{}}, "no key": {App: &api.App{ID: 1, Installation: 1}},
	} {
		if _, err := api.New(cfg); err == nil {
			t.Errorf("New with %s succeeds", name)
		}
	}
}
