package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/api"
)

// answers is a GitHub that gives the same answer to all.
func answers(h http.HandlerFunc) func(*env, *api.Config, http.Handler) http.Handler {
	return func(*env, *api.Config, http.Handler) http.Handler { return h }
}

// reads calls each operation that reads something, and returns the errors.
func reads(ctx context.Context, c *api.Client) map[string]error {
	errs := map[string]error{}
	_, _, errs["PRs"] = c.PRs(ctx, repo)
	_, _, errs["PR"] = c.PR(ctx, prID(1))
	_, errs["Comments"] = c.Comments(ctx, prID(1))
	_, _, errs["Refs"] = c.Refs(ctx, repo)
	_, _, errs["Ref"] = c.Ref(ctx, ref("heads/a", "").ID())
	_, errs["Statuses"] = c.Statuses(ctx, commit("foo"))
	_, errs["Hooks"] = c.Hooks(ctx, repo)
	_, errs["UserRepos"] = c.UserRepos(ctx, "test")
	return errs
}

// wantNonsense checks that all failed in a way that may pass: none may take such
// an answer for "nothing".
func wantNonsense(t *testing.T, name string, errs map[string]error) {
	t.Helper()
	for op, err := range errs {
		var e *github.APIError
		if !errors.As(err, &e) || !e.Temporary {
			t.Errorf("%s: %s: %v, want an answer that makes no sense", name, op, err)
		}
	}
}

func TestMalformedAnswers(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " ", "null", "{", "[", "7", `"text"`, "<html>", "[[]]", "[7]", "{\"statuses\": 7, \"number\": \"x\", \"ref\": []}", strings.Repeat("[", 100_000)} {
		e := start(t, answers(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(body)) }))
		e.FillLater()
		wantNonsense(t, fmt.Sprintf("%.20q", body), reads(t.Context(), e.Client))
	}
}

func TestOddStatusCodes(t *testing.T) {
	t.Parallel()
	for _, code := range []int{201, 202, 204, 206, 300, 303, 304, 599} {
		e := start(t, answers(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }))
		e.FillLater()
		wantNonsense(t, fmt.Sprint(code), reads(t.Context(), e.Client))
	}
}

// A carried answers requests without a network.
type carried func(*http.Request) *http.Response

func (c carried) RoundTrip(r *http.Request) (*http.Response, error) { return c(r), nil }

// over returns a client of a GitHub without a network.
func over(t *testing.T, c carried) *api.Client {
	t.Helper()
	client, err := api.NewOver(api.Config{Token: newSecret(secret)}, c)
	if err != nil {
		t.Fatal(err)
	}
	client.FillLater()
	return client
}

// blanks is a body of blanks without end.
type blanks struct{ read int }

func (b *blanks) Read(p []byte) (int, error) {
	n := copy(p, blankPiece)
	b.read += n
	return n, nil
}

var blankPiece = strings.Repeat(" ", 1<<20)

func (*blanks) Close() error { return nil }

// TestHugeAnswers proves that an answer without end is cut.
func TestHugeAnswers(t *testing.T) {
	t.Parallel()
	body := &blanks{}
	c, err := api.NewOver(api.Config{Token: newSecret(secret)}.WithMaxAnswer(1<<20), carried(func(r *http.Request) *http.Response {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: r}
	}))
	if err != nil {
		t.Fatal(err)
	}
	c.FillLater()
	_, err = c.Comments(t.Context(), prID(1))
	if err == nil || !strings.Contains(err.Error(), "an answer of more than 1048576 bytes") || body.read > 2<<20 {
		t.Errorf("Comments: %v after %d bytes", err, body.read)
	}
}

func TestGH169_SlowAnswer(t *testing.T) {
	t.Parallel()
	e := start(t, func(_ *env, cfg *api.Config, _ http.Handler) http.Handler {
		cfg.Timeout = 100 * time.Millisecond
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("["))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		})
	})
	e.FillLater()
	if _, err := e.Comments(t.Context(), prID(1)); err == nil || !strings.Contains(err.Error(), "no answer within 100ms") {
		t.Errorf("Comments: %v", err)
	}
}

func TestGH158_EndlessPages(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(page string) string{
		"the same page": func(page string) string { return page },
		"the first":     func(string) string { return "1" },
		"ever more":     func(page string) string { return page + page },
		"in turns":      func(page string) string { return map[string]string{"1": "2", "2": "3", "3": "2"}[page] },
	} {
		e := start(t, answers(func(w http.ResponseWriter, r *http.Request) {
			page := next(r.URL.Query().Get("page"))
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?page=%s>; rel="next"`, r.Host, r.URL.Path, page))
			w.Write([]byte(`[{"id": 1}]`))
		}))
		e.FillLater()
		_, err := e.Comments(t.Context(), prID(1))
		if err == nil || !strings.Contains(err.Error(), "does not end") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGH158_LinkIsFollowed pages by cursors, behind a proxy.
func TestGH158_LinkIsFollowed(t *testing.T) {
	t.Parallel()
	e := start(t, answers(func(w http.ResponseWriter, r *http.Request) {
		n := map[string]int{"": 1, "x%3D": 2, "y": 3}[strings.TrimPrefix(r.URL.RawQuery, "after=")]
		if r.URL.Query().Get("page") == "1" {
			n = 1
		}
		links := []string{"", `after=x%3D`, `after=y`}
		if n < 3 {
			w.Header().Set("Link", fmt.Sprintf(`<https://elsewhere/p?%s>; rel="next", <https://elsewhere/p?last>; rel="last"`, links[n]))
		} else {
			w.Header().Set("Link", `<https://elsewhere/p?first>; rel="first"`)
		}
		fmt.Fprintf(w, `[{"id": %d}]`, n)
	}))
	got, err := e.Comments(t.Context(), prID(1))
	if err != nil || len(got) != 3 || got[2].ID != 3 {
		t.Errorf("Comments = %v, %v", got, err)
	}
}

func TestGH158_TooManyPages(t *testing.T) {
	t.Parallel()
	n := 0
	c := over(t, func(r *http.Request) *http.Response {
		n++
		h := http.Header{"Link": {fmt.Sprintf(`<http://a.example/?page=%d>; rel="next"`, n+1)}}
		return &http.Response{StatusCode: 200, Header: h, Body: io.NopCloser(strings.NewReader("[]")), Request: r}
	})
	if _, err := c.Comments(t.Context(), prID(1)); err == nil || !strings.Contains(err.Error(), "does not end") || n > 2000 {
		t.Errorf("after %d pages: %v", n, err)
	}
}

// FuzzAnswers lets GitHub answer anything.
func FuzzAnswers(f *testing.F) {
	f.Add(200, "", []byte(`[{"number": 1, "state": "open", "head": {"sha": "foo"}, "user": {"login": "a"}, "id": 3, "ref": "refs/heads/a", "object": {"type": "tag", "sha": "x"}}]`))
	f.Add(200, `<http://a/?page=2>; rel="next"`, []byte(`{"statuses": [{"state": "success", "context": "a"}], "number": 1, "state": "open", "head": {"sha": "a"}, "ref": "refs/heads/a"}`))
	f.Add(403, "x", []byte(`{"message": "no", "errors": [{"field": "a", "code": "b"}, "c"]}`))
	f.Add(200, "", []byte(`[{"number": 1e99, "id": -1, "body": "\ud800", "updated_at": "x"}]`))
	f.Fuzz(func(t *testing.T, status int, link string, body []byte) {
		if status < 200 || status > 599 {
			t.Skip("no answer")
		}
		c := over(t, canned(status, link, body))
		prs, _, _ := c.PRs(t.Context(), repo)
		for _, p := range prs {
			checkPR(t, p)
		}
		if p, ok, err := c.PR(t.Context(), prID(1)); ok && err == nil {
			checkPR(t, p)
		}
		refs, _, _ := c.Refs(t.Context(), repo)
		for _, r := range refs {
			if _, err := github.ParseRefName(string(r.Name)); err != nil || r.Commit.Hash == "" {
				t.Errorf("ref %v: %v", r, err)
			}
		}
		list, _ := c.Statuses(t.Context(), commit("foo"))
		for _, s := range list {
			if _, err := github.ParseContext(string(s.Context)); err != nil || s.State.String() == "" {
				t.Errorf("status %v: %v", s, err)
			}
		}
		for op, err := range reads(t.Context(), c) {
			if err != nil && (strings.ContainsAny(err.Error(), "\n\r\x00") || len(err.Error()) > 3000) {
				t.Errorf("%s: the error is not in one short line: %q", op, err)
			}
		}
	})
}

// canned gives one answer to all requests; no page has a second one after it.
func canned(status int, link string, body []byte) carried {
	return func(r *http.Request) *http.Response {
		h := http.Header{"Location": {link}}
		if r.URL.Query().Get("page") == "1" {
			h.Set("Link", link)
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader(body)), Request: r}
	}
}

func checkPR(t *testing.T, p github.PR) {
	t.Helper()
	_, err := github.NewCommit(repo, p.Head.Hash)
	if err != nil || p.Number <= 0 || p.Owner == "" || p.Base == "" || len(p.Comments) == 0 || p.Comments[0].ID != 0 {
		t.Errorf("PR %v: %v", p, err)
	}
	for _, c := range p.Comments {
		if c.Author == "" {
			t.Errorf("PR %v: a comment without an author", p)
		}
	}
}
