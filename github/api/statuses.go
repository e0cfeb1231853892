package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/datakit/datakit/github"
)

// A build is a status in answers.
type build struct {
	ID          int64   `json:"id"`
	State       string  `json:"state"`
	Context     string  `json:"context"`
	Description *string `json:"description"`
	TargetURL   *string `json:"target_url"`
}

// Statuses is part of github.API. Those that the model does not hold are left
// out, which the log tells once for a repository and context (GH-15, GH-19).
// That GitHub does not have a commit is the answer 404 or, for what is no hash
// of one, 422.
func (c *Client) Statuses(ctx context.Context, commit github.Commit) ([]github.Status, error) {
	type combined struct {
		Statuses []build `json:"statuses"`
	}
	newest := map[github.Context]github.Status{}
	path := "repos/" + commit.Repo.String() + "/commits/" + url.PathEscape(commit.Hash) + "/status"
	err := pages(ctx, c, github.OpReadStatuses, commit, path, "", func(page combined) error {
		if page.Statuses == nil {
			return c.nonsense(call{op: github.OpReadStatuses, subject: commit}, "it has no list of statuses")
		}
		for _, b := range page.Statuses {
			s, ok := c.status(commit, b)
			if ok && s.Serial >= newest[s.Context].Serial {
				newest[s.Context] = s
			}
		}
		return nil
	})
	if err != nil {
		return nil, c.exists(ctx, commit.Repo, err, http.StatusUnprocessableEntity)
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b github.Status) int { return a.ID().Compare(b.ID()) }), nil
}

// status returns a status of the model; ok is false if it does not hold it.
func (c *Client) status(commit github.Commit, b build) (s github.Status, ok bool) {
	r := commit.Repo
	name, err := github.ParseContext(b.Context)
	if err != nil {
		c.report("context "+r.String()+" "+b.Context, "status", r, err)
		return s, false
	}
	state, err := github.ParseStatusState(b.State)
	if err != nil {
		c.report("state "+r.String()+" "+b.Context+" "+b.State, fmt.Sprintf("status, %q,", b.Context), r, err)
		return s, false
	}
	s = github.NewStatus(commit, name, state, text(b.Description), text(b.TargetURL))
	s.Serial = b.ID
	return s, true
}

// text returns "" for null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// SetStatus is part of github.API.
func (c *Client) SetStatus(ctx context.Context, s github.Status) (serial int64, err error) {
	r := SetStatusRequest(s)
	var made build
	k := call{op: github.OpSetStatus, subject: s.ID(), method: r.Method, path: r.Path, body: r.Body}
	if _, err := c.send(ctx, k, &made); err != nil {
		return 0, err
	}
	return made.ID, nil
}
