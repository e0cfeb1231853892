package githubtest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/datakit/datakit/github"
)

// object is a JSON object.
type jsonObject = map[string]any

func (s *Server) rateLimit(*query) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	core := jsonObject{"limit": s.limit, "used": s.used, "remaining": s.limit - s.used, "reset": s.reset.Unix()}
	return ok(jsonObject{"resources": jsonObject{"core": core, "search": core}, "rate": core})
}

func (s *Server) user(q *query) answer {
	name := q.r.PathValue("user")
	if len(s.reposOf(name)) == 0 {
		return notFound
	}
	return ok(jsonObject{"login": name, "type": "User"})
}

func (s *Server) userRepos(q *query) answer {
	repos := s.reposOf(q.r.PathValue("user"))
	if len(repos) == 0 {
		return notFound
	}
	return q.list(len(repos), func(i int) any { return repoJSON(repos[i]) })
}

// reposOf returns the repositories of a user in order. The World's lock is held.
func (s *Server) reposOf(user string) []github.Repo {
	var list []github.Repo
	for r := range s.world.repos {
		if r.User == user {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, github.Repo.Compare)
	return list
}

func (s *Server) repository(q *query) answer { return ok(repoJSON(q.repo)) }

func repoJSON(r github.Repo) jsonObject {
	return jsonObject{"name": r.Name, "full_name": r.String(), "private": false, "owner": userJSON(r.User)}
}

// userJSON is null where there is no account any more.
func userJSON(login string) any {
	if login == "" {
		return nil
	}
	return jsonObject{"login": login, "type": "User"}
}

func (s *Server) listPRs(q *query) answer {
	want := cmp.Or(q.r.URL.Query().Get("state"), "open")
	var list []github.PR
	for _, n := range slices.Sorted(maps.Keys(q.state.prs)) {
		if pr := q.state.prs[n]; want == "all" || pr.State.String() == want {
			list = append(list, pr)
		}
	}
	if q.r.URL.Query().Get("direction") != "asc" {
		slices.Reverse(list)
	}
	pad := strings.Repeat("x", s.Pad)
	return q.list(len(list), func(i int) any {
		pr := prJSON(list[i])
		pr["diff_url"] = pad
		return pr
	})
}

func (s *Server) readPR(q *query) answer {
	pr, found := q.state.prs[q.number()]
	if !found {
		return notFound
	}
	return ok(prJSON(pr))
}

func prJSON(pr github.PR) jsonObject {
	var body any
	if bodies(pr) == 1 {
		body = pr.Comments[0].Body
	}
	return jsonObject{
		"number": pr.Number, "state": pr.State.String(), "title": pr.Title, "body": body, "user": userJSON(pr.Owner),
		"head":       jsonObject{"ref": "topic", "sha": pr.Head.Hash, "repo": repoJSON(pr.Head.Repo)},
		"base":       jsonObject{"ref": pr.Base, "sha": strings.Repeat("0", 40), "repo": repoJSON(pr.Head.Repo)},
		"updated_at": pr.Updated.UTC().Format(time.RFC3339),
	}
}

func (s *Server) readComments(q *query) answer {
	pr, found := q.state.prs[q.number()]
	if !found {
		return notFound
	}
	list := pr.Comments[bodies(pr):]
	return q.list(len(list), func(i int) any { return commentJSON(list[i]) })
}

func commentJSON(c github.Comment) jsonObject {
	return jsonObject{"id": c.ID, "user": userJSON(c.Author), "body": c.Body}
}

func (s *Server) listRefs(q *query) answer {
	var names []string
	for name := range q.state.refs {
		if strings.HasPrefix(name, q.r.PathValue("name")) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return q.list(len(names), func(i int) any { return refJSON(names[i], q.state.refs[names[i]]) })
}

func (s *Server) readRef(q *query) answer {
	name := q.r.PathValue("name")
	o, found := q.state.refs[name]
	if !found {
		return notFound
	}
	return ok(refJSON(name, o))
}

func refJSON(name string, o object) jsonObject {
	return jsonObject{"ref": "refs/" + name, "object": objectJSON(o)}
}

func objectJSON(o object) jsonObject { return jsonObject{"type": o.Kind, "sha": o.Hash} }

func (s *Server) readTag(q *query) answer {
	sha := q.r.PathValue("sha")
	o, found := q.state.tags[sha]
	if !found {
		return notFound
	}
	return ok(jsonObject{"sha": sha, "tag": "a tag", "message": "a message", "object": objectJSON(o)})
}

// readStatuses answers the combined status: the newest of each context, the
// newest first.
func (s *Server) readStatuses(q *query) answer {
	hash := q.r.PathValue("sha")
	if !q.state.knows(hash) {
		return invalid("No commit found for SHA: %s", hash)
	}
	var list []RawStatus
	for _, raw := range slices.Backward(q.state.statuses[hash]) {
		if !slices.ContainsFunc(list, func(l RawStatus) bool { return l.Context == raw.Context }) {
			list = append(list, raw)
		}
	}
	a := q.list(len(list), func(i int) any { return statusJSON(list[i]) })
	a.body = jsonObject{"sha": hash, "state": combined(list), "total_count": len(list), "statuses": a.body, "repository": repoJSON(q.repo), "commit_url": strings.Repeat("x", s.Pad)}
	return a
}

// combined is failure if any of the statuses is one or an error, success if all
// are, else pending.
func combined(list []RawStatus) string {
	state := "success"
	if len(list) == 0 {
		state = "pending"
	}
	for _, s := range list {
		switch s.State {
		case "success":
		case "pending":
			state = "pending"
		default:
			return "failure"
		}
	}
	return state
}

func statusJSON(s RawStatus) jsonObject {
	return jsonObject{
		"id": s.ID, "state": s.State, "context": s.Context,
		"description": orNull(s.Description), "target_url": orNull(s.URL),
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
