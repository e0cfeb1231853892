package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
)

func TestGH168_Conditional(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for n := range 150 {
		p := pr(n+1, "foo", "x")
		p.Comments = append(p.Comments, github.Comment{ID: 7, Author: "ana", Body: fmt.Sprint(n)})
		e.world.PutPR(p)
	}
	e.world.PutRef(ref("heads/a", "foo"))
	e.world.AddStatus(status("foo", "ci", github.Success))
	resync := func() (all github.Snapshot) {
		t.Helper()
		prs, _, err1 := e.PRs(t.Context(), repo)
		refs, _, err2 := e.Refs(t.Context(), repo)
		list, err3 := e.Statuses(t.Context(), commit("foo"))
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		for _, p := range prs {
			all = all.Add(p)
		}
		for _, r := range refs {
			all = all.Add(r)
		}
		for _, s := range list {
			all = all.Add(s)
		}
		return all
	}
	first := resync()
	e.server.ResetRequests()
	e.server.SetLimit(100, time.Now().Add(time.Hour))
	if second := resync(); !second.Equal(first) {
		t.Error("what is unchanged is not what it was")
	}
	for r, n := range e.server.Requests() {
		if r.Status != http.StatusNotModified {
			t.Errorf("%d requests were %v, want conditional ones that find no change", n, r)
		}
	}
	e.server.SetLimit(5000, time.Now().Add(time.Hour))
	e.world.EditPR(prID(120), func(p *github.PR) { p.Title = "new" })
	if p, ok := resync().Find(prID(120)); !ok || p.(github.PR).Title != "new" {
		t.Errorf("after a change: %v", p)
	}
}

func TestGH168_CacheIsBounded(t *testing.T) {
	t.Parallel()
	e := start(t, func(_ *env, cfg *api.Config, h http.Handler) http.Handler {
		cfg.CacheBytes = 1000 // nothing of the list fits
		return h
	})
	for n := range 20 {
		e.world.PutPR(pr(n+1, "foo", strings.Repeat("x", 100)))
	}
	for range 2 {
		if got, _, err := e.PRs(t.Context(), repo); err != nil || len(got) != 20 {
			t.Fatalf("%d PRs, %v", len(got), err)
		}
	}
	if n := e.server.Requests()[githubtest.Request{Op: github.OpListPRs, Status: 200}]; n != 2 {
		t.Errorf("the list was read %d times, want 2", n)
	}
}
