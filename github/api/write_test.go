package api_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
	"github.com/datakit/datakit/github/githubtest"
)

func TestGH125_GH244_SetPR(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.PutPR(pr(1, "foo", "x"))
	title, base, closed := "new", "next", github.Closed
	for _, tt := range []struct {
		change github.PRChange
		body   string
	}{
		{github.PRChange{Title: &title}, `{"title":"new"}`},
		{github.PRChange{State: &closed}, `{"state":"closed"}`},
		{github.PRChange{Base: &base}, `{"base":"next"}`},
		{github.PRChange{Title: &title, State: &closed, Base: &base}, `{"title":"new","state":"closed","base":"next"}`},
	} {
		if err := e.SetPR(t.Context(), prID(1), tt.change); err != nil {
			t.Errorf("SetPR %s: %v", tt.body, err)
		}
		e.wantRequests(t, "PATCH /repos/test/test/pulls/1 "+tt.body)
	}
	want := pr(1, "foo", "new").Close()
	want.Base = "next"
	if got := e.world.Look(repo).PRs[0]; !got.Equal(want) {
		t.Errorf("GitHub has %v, want %v", got, want)
	}
	if err := e.SetPR(t.Context(), prID(2), github.PRChange{Title: &title}); !github.Refused(err) {
		t.Errorf("SetPR of one that is not there: %v, want a refusal", err)
	}
}

func TestGH162_GH14_SetStatus(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for _, tt := range []struct {
		status github.Status
		body   string
	}{
		{status("foo", github.DefaultContext, github.Success), `{"state":"success"}`},
		{github.NewStatus(commit("foo"), "ci/a/b", github.Pending, "half & done", "http://a.example/?x=1&y"), `{"state":"pending","context":"ci/a/b","description":"half & done","target_url":"http://a.example/?x=1&y"}`},
		{status("foo", "ci", github.Errored), `{"state":"error","context":"ci"}`},
		{status("foo", "ci", github.Failure), `{"state":"failure","context":"ci"}`},
	} {
		serial, err := e.SetStatus(t.Context(), tt.status)
		if err != nil || serial == 0 {
			t.Errorf("SetStatus %s = %d, %v", tt.body, serial, err)
		}
		e.wantRequests(t, "POST /repos/test/test/statuses/foo "+tt.body)
	}
	if got := e.world.Look(repo).Statuses; len(got) != 3 {
		t.Errorf("GitHub has %v", got)
	}
	e.world.AddCommit(repo, "bar")
	_, err := e.SetStatus(t.Context(), status("foo", "ci", github.Success))
	if !github.Refused(err) || err.Error() != "set status {{test/test foo} ci}: 422 No commit found for SHA: foo" {
		t.Errorf("SetStatus of an unknown commit: %v", err)
	}
}

func TestGH163_GH248_SetRef(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.AddCommit(repo, "a")
	e.world.AddCommit(repo, "b", "a")
	e.world.AddCommit(repo, "c")
	name := github.RefName("heads/feature#1")
	set := func(hash string, force bool) error { return e.SetRef(t.Context(), ref(name, hash), false, force) }
	at := func(want string) {
		t.Helper()
		if refs := e.world.Look(repo).Refs; len(refs) != 1 || refs[0] != ref(name, want) {
			t.Errorf("GitHub has %v, want %s", refs, want)
		}
	}
	if err := set("a", false); err != nil { // created
		t.Error(err)
	}
	at("a")
	e.requests()
	if err := set("b", false); err != nil { // moved, with one request
		t.Error(err)
	}
	at("b")
	e.wantRequests(t, `PATCH /repos/test/test/git/refs/heads/feature%231 {"sha":"b","force":false}`)
	if err := set("c", false); !github.Refused(err) || !strings.Contains(err.Error(), "422 Update is not a fast forward") {
		t.Errorf("a move that is no fast-forward: %v", err)
	}
	at("b")
	if err := set("c", true); err != nil { // forced
		t.Error(err)
	}
	at("c")
	if err := set("z", true); !github.Refused(err) {
		t.Errorf("a move to an unknown commit: %v", err)
	}
	if err := e.SetRef(t.Context(), ref("tags/v1", "z"), false, false); !github.Refused(err) {
		t.Errorf("the creation at an unknown commit: %v", err)
	}
	at("c")
}

func TestGH163_CreateOneThatExists(t *testing.T) {
	t.Parallel()
	e := start(t, func(e *env, _ *api.Config, h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost { // somebody is faster
				e.world.PutRef(ref("heads/same", "foo"))
				e.world.PutRef(ref("heads/other", "bar"))
			}
			h.ServeHTTP(w, r)
		})
	})
	if err := e.SetRef(t.Context(), ref("heads/same", "foo"), false, false); err != nil {
		t.Errorf("one that exists at the wanted commit: %v", err)
	}
	e.world.DropRef(repo, "heads/other")
	if err := e.SetRef(t.Context(), ref("heads/other", "foo"), false, false); !github.Refused(err) || !strings.Contains(err.Error(), "Reference already exists") {
		t.Errorf("one that exists at another commit: %v", err)
	}
}

// TestGH132_GH163_CreateRef: what is known to be missing takes one request, and
// what was taken for missing is found to be there.
func TestGH132_GH163_CreateRef(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	e.world.AddCommit(repo, "a")
	e.world.AddCommit(repo, "b", "a")
	e.world.AddCommit(repo, "c")
	set := func(hash string, force bool) error {
		return e.SetRef(t.Context(), ref("heads/x", hash), true, force)
	}
	at := func(want string) {
		t.Helper()
		if refs := e.world.Look(repo).Refs; len(refs) != 1 || refs[0] != ref("heads/x", want) {
			t.Errorf("GitHub has %v, want %s", refs, want)
		}
	}
	if err := set("z", false); !github.Refused(err) || !strings.Contains(err.Error(), "422") {
		t.Errorf("at an unknown commit: %v", err)
	}
	e.requests()
	if err := set("a", false); err != nil {
		t.Error(err)
	}
	at("a")
	e.wantRequests(t, `POST /repos/test/test/git/refs {"ref":"refs/heads/x","sha":"a"}`)
	if err := set("a", false); err != nil {
		t.Errorf("once more: %v", err)
	}
	e.wantRequests(t, `POST /repos/test/test/git/refs {"ref":"refs/heads/x","sha":"a"}`, "GET /repos/test/test/git/ref/heads/x")
	if err := set("b", false); err != nil {
		t.Errorf("one that is elsewhere: %v", err)
	}
	at("b")
	if err := set("c", false); !github.Refused(err) || !strings.Contains(err.Error(), "422 Update is not a fast forward") {
		t.Errorf("a move that is no fast-forward: %v", err)
	}
	at("b")
	if err := set("c", true); err != nil {
		t.Errorf("forced: %v", err)
	}
	at("c")
}

func TestGH163_RemoveRef(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	id := ref("tags/a/b", "").ID()
	e.world.PutRef(ref("tags/a/b", "foo"))
	if err := e.RemoveRef(t.Context(), id); err != nil || len(e.world.Look(repo).Refs) != 0 {
		t.Errorf("RemoveRef: %v, GitHub has %v", err, e.world.Look(repo).Refs)
	}
	e.wantRequests(t, "DELETE /repos/test/test/git/refs/tags/a/b")
	if err := e.RemoveRef(t.Context(), id); err != nil { // GitHub answers 422
		t.Errorf("RemoveRef of one that is gone: %v", err)
	}
	e.world.Inject(githubtest.Fault{Op: github.OpRemoveRef, Status: 404})
	if err := e.RemoveRef(t.Context(), id); err != nil {
		t.Errorf("RemoveRef of one that is gone, 404: %v", err)
	}
	e.world.PutRef(ref("tags/a/b", "foo"))
	if err := e.RemoveRef(t.Context(), id); !github.Refused(err) {
		t.Errorf("RemoveRef of one that is there but not to be removed: %v, want the refusal", err)
	}
}

func TestGH163_OnlyBranchesAndTags(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	for _, name := range []github.RefName{"heho", "pull/1/head", "heads2/a"} {
		if err := e.SetRef(t.Context(), ref(name, "foo"), false, true); !github.Refused(err) {
			t.Errorf("SetRef %s: %v, want a refusal", name, err)
		}
		if err := e.RemoveRef(t.Context(), ref(name, "").ID()); !github.Refused(err) {
			t.Errorf("RemoveRef %s: %v, want a refusal", name, err)
		}
	}
	e.wantRequests(t)
}

func TestGH155_GH177_Hooks(t *testing.T) {
	t.Parallel()
	e := start(t, nil)
	h := github.Hook{
		URL: "https://a.example/hooks/test/test", Active: true, ContentType: "json", Secret: "datakit:0123",
		Events: []string{"create", "delete", "push", "status", "pull_request", "issue_comment"},
	}
	made, err := e.CreateHook(t.Context(), repo, h)
	if err != nil || made.ID == 0 || made.URL != h.URL || made.Secret != "" || !slices.Equal(made.Events, h.Events) {
		t.Fatalf("CreateHook = %+v, %v", made, err)
	}
	e.wantRequests(t, `POST /repos/test/test/hooks {"name":"web","active":true,"events":["create","delete","push","status","pull_request","issue_comment"],`+
		`"config":{"url":"https://a.example/hooks/test/test","content_type":"json","insecure_ssl":"0","secret":"datakit:0123"}}`)
	again, err := e.CreateHook(t.Context(), repo, h)
	if err != nil || again.ID != made.ID {
		t.Errorf("CreateHook of one that is there = %+v, %v", again, err)
	}
	made.Events = []string{"push"}
	if err := e.UpdateHook(t.Context(), repo, made); err != nil {
		t.Error(err)
	}
	if got := e.world.HooksOf(repo); len(got) != 1 || got[0].Secret != h.Secret || !slices.Equal(got[0].Events, made.Events) {
		t.Errorf("GitHub has %+v", got)
	}
	if list, err := e.Hooks(t.Context(), repo); err != nil || len(list) != 1 || list[0].ID != made.ID || list[0].Secret != "" {
		t.Errorf("Hooks = %+v, %v", list, err)
	}
	if err := e.PingHook(t.Context(), repo, made.ID); err != nil {
		t.Error(err)
	}
	for range 2 { // the second finds it gone
		if err := e.DeleteHook(t.Context(), repo, made.ID); err != nil {
			t.Error(err)
		}
	}
	if err := e.PingHook(t.Context(), repo, made.ID); !github.Refused(err) {
		t.Errorf("PingHook of one that is gone: %v", err)
	}
}

// TestGH190_Requests proves that what a dry run shows is what is sent.
func TestGH190_Requests(t *testing.T) {
	t.Parallel()
	state := github.Open
	for _, tt := range []struct {
		got  api.Request
		want string
	}{
		{api.SetPRRequest(prID(7), github.PRChange{State: &state}), "PATCH repos/test/test/pulls/7"},
		{api.CreateRefRequest(ref("heads/a#b", "foo")), "POST repos/test/test/git/refs"},
		{api.MoveRefRequest(ref("heads/a#b", "foo"), true), "PATCH repos/test/test/git/refs/heads/a%23b"},
		{api.RemoveRefRequest(ref("tags/v1", "").ID()), "DELETE repos/test/test/git/refs/tags/v1"},
		{api.SetStatusRequest(status("f/o?o", "a", github.Success)), "POST repos/test/test/statuses/f%2Fo%3Fo"},
	} {
		if got := tt.got.Method + " " + tt.got.Path; got != tt.want || (tt.got.Body == nil) != (tt.got.Method == "DELETE") {
			t.Errorf("%s %v, want %s", got, tt.got.Body, tt.want)
		}
	}
}

func TestGH113_Refusals(t *testing.T) {
	t.Parallel()
	for code, temporary := range map[int]bool{
		0: true, 401: true, 429: true, 500: true, 502: true, 503: true, 504: true,
		400: false, 403: false, 404: false, 405: false, 409: false, 410: false, 422: false, 451: false,
	} {
		e := start(t, nil)
		e.world.Inject(githubtest.Fault{Op: github.OpSetStatus, Status: code, Message: "why"})
		_, err := e.SetStatus(t.Context(), status("foo", "a", github.Success))
		var apiErr *github.APIError
		if !errors.As(err, &apiErr) || apiErr.Temporary != temporary || apiErr.Status != code || github.Refused(err) == temporary {
			t.Errorf("%d: %+v, temporary must be %v", code, err, temporary)
		}
		if apiErr.Op != github.OpSetStatus || apiErr.Subject != "{{test/test foo} a}" || code != 0 && !strings.Contains(apiErr.Message, "why") {
			t.Errorf("%d: %+v", code, apiErr)
		}
	}
}
