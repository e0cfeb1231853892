package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/datakit/datakit/github"
)

// routes sets up all requests of GH-155.
func (s *Server) routes() {
	const repo = "/repos/{owner}/{repo}"
	s.handle("GET /rate_limit", github.OpCheckToken, s.rateLimit)
	s.handle("POST /app/installations/{id}/access_tokens", github.OpMakeToken, s.makeToken)
	s.handle("GET /users/{user}", github.OpUserExists, s.user)
	s.handle("GET /users/{user}/repos", github.OpUserRepos, s.userRepos)
	s.handle("GET "+repo, github.OpRepoExists, s.repository)
	s.handle("GET "+repo+"/pulls", github.OpListPRs, s.listPRs)
	s.handle("GET "+repo+"/pulls/{number}", github.OpReadPR, s.readPR)
	s.handle("PATCH "+repo+"/pulls/{number}", github.OpSetPR, s.setPR)
	s.handle("GET "+repo+"/issues/{number}/comments", github.OpReadComments, s.readComments)
	s.handle("GET "+repo+"/git/matching-refs/{name...}", github.OpListRefs, s.listRefs)
	s.handle("GET "+repo+"/git/ref/{name...}", github.OpReadRef, s.readRef)
	s.handle("GET "+repo+"/git/tags/{sha}", github.OpResolveTag, s.readTag)
	s.handle("POST "+repo+"/git/refs", github.OpSetRef, s.createRef)
	s.handle("PATCH "+repo+"/git/refs/{name...}", github.OpSetRef, s.moveRef)
	s.handle("DELETE "+repo+"/git/refs/{name...}", github.OpRemoveRef, s.removeRef)
	s.handle("GET "+repo+"/commits/{sha}/status", github.OpReadStatuses, s.readStatuses)
	s.handle("POST "+repo+"/statuses/{sha}", github.OpSetStatus, s.setStatus)
	s.handle("GET "+repo+"/hooks", github.OpListHooks, s.listHooks)
	s.handle("POST "+repo+"/hooks", github.OpCreateHook, s.createHook)
	s.handle("PATCH "+repo+"/hooks/{id}", github.OpUpdateHook, s.updateHook)
	s.handle("DELETE "+repo+"/hooks/{id}", github.OpDeleteHook, s.deleteHook)
	s.handle("POST "+repo+"/hooks/{id}/pings", github.OpPingHook, s.pingHook)
}

// name returns what the query is about in the form of GH-27.
func (q *query) name() string {
	var sent struct{ Ref, Context string }
	json.Unmarshal(q.body, &sent) // what is no JSON is found by the handler
	sha := github.Commit{Repo: q.repo, Hash: q.r.PathValue("sha")}
	switch q.op {
	case github.OpReadPR, github.OpSetPR, github.OpReadComments:
		return github.PRID{Repo: q.repo, Number: q.number()}.String()
	case github.OpReadRef, github.OpSetRef, github.OpRemoveRef:
		name := q.r.PathValue("name") + strings.TrimPrefix(sent.Ref, "refs/")
		return github.RefID{Repo: q.repo, Name: github.RefName(name)}.String()
	case github.OpReadStatuses, github.OpResolveTag:
		return sha.String()
	case github.OpSetStatus:
		ctx := github.Context(sent.Context)
		if ctx == "" {
			ctx = github.DefaultContext
		}
		return github.StatusID{Commit: sha, Context: ctx}.String()
	}
	return q.repo.String()
}

// number returns the number of the pull request in the path, 0 if it is none.
func (q *query) number() int {
	n, err := strconv.Atoi(q.r.PathValue("number"))
	if err != nil {
		return 0
	}
	return n
}

// decode reads the body of the query into v, and reports whether it is JSON.
func (q *query) decode(v any) bool { return json.Unmarshal(q.body, v) == nil }

var (
	notFound  = refuse(http.StatusNotFound, "Not Found")
	malformed = refuse(http.StatusBadRequest, "Problems parsing JSON")
)

// invalid is GitHub's answer to a value that it refuses.
func invalid(format string, args ...any) answer {
	return refuse(http.StatusUnprocessableEntity, fmt.Sprintf(format, args...))
}

func ok(body any) answer { return answer{status: http.StatusOK, body: body} }

// from and to return which entries of n are on the page that the query asks
// for: 30, or as many as it says, at most 100.
func (q *query) page(n int) (from, to int, link string) {
	v := q.r.URL.Query()
	size, err := strconv.Atoi(v.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	page, err := strconv.Atoi(v.Get("page"))
	if err != nil || page < 1 {
		page = 1
	}
	from, to = min((page-1)*size, n), min(page*size, n)
	if to == n {
		return from, to, ""
	}
	path, _, _ := strings.Cut(q.r.RequestURI, "?") // with what a proxy has put before it
	at := func(page int, rel string) string {
		v.Set("page", strconv.Itoa(page))
		return fmt.Sprintf(`<http://%s%s?%s>; rel="%s"`, q.r.Host, path, v.Encode(), rel)
	}
	return from, to, at(page+1, "next") + ", " + at((n+size-1)/size, "last")
}

// list is a page of n entries, of which entry makes one.
func (q *query) list(n int, entry func(i int) any) answer {
	from, to, link := q.page(n)
	body := make([]any, 0, to-from)
	for i := from; i < to; i++ {
		body = append(body, entry(i))
	}
	return answer{status: http.StatusOK, body: body, link: link}
}
