package githubtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/datakit/datakit/github"
)

func (s *Server) setPR(q *query) answer {
	var sent struct{ Title, State, Base *string }
	pr, found := q.state.prs[q.number()]
	switch {
	case !found:
		return notFound
	case !q.decode(&sent):
		return malformed
	}
	if sent.State != nil {
		state, err := github.ParsePRState(*sent.State)
		if err != nil {
			return invalid("Validation Failed: state is not a valid value")
		}
		pr.State = state
	}
	if sent.Title != nil {
		pr.Title = github.Trim(*sent.Title)
	}
	if sent.Base != nil {
		pr.Base = *sent.Base
	}
	s.world.putPR(pr)
	return ok(prJSON(q.state.prs[pr.Number]))
}

func (s *Server) createRef(q *query) answer {
	var sent struct{ Ref, SHA string }
	if !q.decode(&sent) {
		return malformed
	}
	name, ok := strings.CutPrefix(sent.Ref, "refs/")
	_, exists := q.state.refs[name]
	switch {
	case !ok || strings.Count(name, "/") == 0:
		return invalid("Reference name must start with 'refs/' and have two slashes.")
	case exists:
		return invalid("Reference already exists")
	case !q.state.knows(sent.SHA):
		return invalid("Object does not exist")
	}
	s.world.putRef(q.repo, name, q.state.named(sent.SHA))
	return answer{status: http.StatusCreated, body: refJSON(name, q.state.refs[name])}
}

// named returns the object of that hash: an annotated tag, else a commit.
func (repo *repository) named(hash string) object {
	if _, ok := repo.tags[hash]; ok {
		return object{"tag", hash}
	}
	return object{"commit", hash}
}

func (s *Server) moveRef(q *query) answer {
	var sent struct {
		SHA   string
		Force bool
	}
	name := q.r.PathValue("name")
	_, exists := q.state.refs[name]
	switch {
	case !q.decode(&sent):
		return malformed
	case !exists:
		return invalid("Reference does not exist")
	case !q.state.knows(sent.SHA):
		return invalid("Object does not exist")
	case !sent.Force && !q.state.descends(sent.SHA, q.state.commitOf(name)):
		return invalid("Update is not a fast forward")
	}
	s.world.putRef(q.repo, name, q.state.named(sent.SHA))
	return ok(refJSON(name, q.state.refs[name]))
}

func (s *Server) removeRef(q *query) answer {
	if !s.world.dropRef(q.repo, q.r.PathValue("name")) {
		return invalid("Reference does not exist")
	}
	return answer{status: http.StatusNoContent}
}

func (s *Server) setStatus(q *query) answer {
	var sent struct {
		State, Context, Description string
		URL                         string `json:"target_url"`
	}
	hash := q.r.PathValue("sha")
	if !q.decode(&sent) {
		return malformed
	}
	_, err := github.ParseStatusState(sent.State)
	switch {
	case err != nil:
		return invalid("Validation Failed: state is not included in the list")
	case !q.state.knows(hash):
		return invalid("No commit found for SHA: %s", hash)
	case utf8.RuneCountInString(sent.Description) > github.MaxDescription:
		return invalid("Validation Failed: description is too long (maximum is 140 characters)")
	}
	if sent.Context == "" {
		sent.Context = string(github.DefaultContext)
	}
	raw := RawStatus{State: sent.State, Context: sent.Context, Description: sent.Description, URL: sent.URL}
	raw.ID = s.world.addStatus(github.Commit{Repo: q.repo, Hash: hash}, raw)
	return answer{status: http.StatusCreated, body: statusJSON(raw)}
}

// A hookBody is what is sent of a webhook, and what is answered.
type hookBody struct {
	ID     int64      `json:"id,omitempty"`
	Name   string     `json:"name,omitempty"`
	Type   string     `json:"type,omitempty"`
	Active *bool      `json:"active,omitempty"`
	Events []string   `json:"events,omitempty"`
	Config hookConfig `json:"config"`
}

type hookConfig struct {
	URL         string `json:"url,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	InsecureSSL string `json:"insecure_ssl,omitempty"`
	Secret      string `json:"secret,omitempty"`
}

// hookJSON shows stars for the secret, as GitHub does.
func hookJSON(h github.Hook) hookBody {
	b := hookBody{
		ID: h.ID, Name: "web", Type: "Repository", Active: &h.Active, Events: h.Events,
		Config: hookConfig{URL: h.URL, ContentType: h.ContentType, InsecureSSL: "0"},
	}
	if h.InsecureSSL {
		b.Config.InsecureSSL = "1"
	}
	if h.Secret != "" {
		b.Config.Secret = "********"
	}
	return b
}

// apply changes a webhook to what was sent; what was not stays.
func (b hookBody) apply(h *github.Hook) {
	if b.Active != nil {
		h.Active = *b.Active
	}
	if b.Events != nil {
		h.Events = b.Events
	}
	if b.Config == (hookConfig{}) {
		return
	}
	secret := b.Config.Secret
	if secret == "" {
		secret = h.Secret
	}
	h.URL, h.ContentType, h.InsecureSSL, h.Secret = b.Config.URL, b.Config.ContentType, b.Config.InsecureSSL == "1", secret
}

func (s *Server) listHooks(q *query) answer {
	return q.list(len(q.state.hooks), func(i int) any { return hookJSON(q.state.hooks[i]) })
}

func (s *Server) createHook(q *query) answer {
	var sent hookBody
	if !q.decode(&sent) {
		return malformed
	}
	h := github.Hook{Active: true, Events: []string{"push"}, ContentType: "form"}
	sent.apply(&h)
	if sent.Config.URL == "" || sent.Name != "web" {
		return invalid("Validation Failed: url is missing, or the name is not web")
	}
	if slices.ContainsFunc(q.state.hooks, func(g github.Hook) bool { return g.URL == h.URL }) {
		return invalid("Validation Failed: Hook already exists on this repository")
	}
	s.world.addHook(q.state, h)
	return answer{status: http.StatusCreated, body: hookJSON(q.state.hooks[len(q.state.hooks)-1])}
}

func (s *Server) updateHook(q *query) answer {
	var sent hookBody
	i := q.state.hook(q.id())
	switch {
	case i < 0:
		return notFound
	case !q.decode(&sent):
		return malformed
	}
	sent.apply(&q.state.hooks[i])
	return ok(hookJSON(q.state.hooks[i]))
}

func (s *Server) deleteHook(q *query) answer {
	i := q.state.hook(q.id())
	if i < 0 {
		return notFound
	}
	q.state.hooks = slices.Delete(q.state.hooks, i, i+1)
	return answer{status: http.StatusNoContent}
}

func (s *Server) pingHook(q *query) answer {
	if s.world.ping(q.repo, q.state, q.id()) != nil {
		return notFound
	}
	return answer{status: http.StatusNoContent}
}

// id returns the number of the webhook in the path, 0 if it is none.
func (q *query) id() int64 {
	id, err := strconv.ParseInt(q.r.PathValue("id"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}
