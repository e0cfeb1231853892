package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/datakit/datakit/github"
)

// A Request is one that changes GitHub, as it is sent (GH-155) and as a dry run
// shows it (GH-190).
type Request struct {
	Method string
	Path   string // below the base URL, escaped, without a slash at the start
	Body   any    // becomes the JSON body; nil for none
}

// SetPRRequest changes the fields of a pull request that are set (GH-125).
func SetPRRequest(id github.PRID, change github.PRChange) Request {
	type body struct {
		Title *string `json:"title,omitempty"`
		State *string `json:"state,omitempty"`
		Base  *string `json:"base,omitempty"`
	}
	b := body{Title: change.Title, Base: change.Base}
	if change.State != nil {
		b.State = new(change.State.String())
	}
	return Request{http.MethodPatch, prPath(id), b}
}

// CreateRefRequest creates a reference.
func CreateRefRequest(ref github.Ref) Request {
	type body struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	}
	return Request{http.MethodPost, "repos/" + ref.Commit.Repo.String() + "/git/refs", body{"refs/" + string(ref.Name), ref.Commit.Hash}}
}

// MoveRefRequest moves a reference, with force also if that is no
// fast-forward.
func MoveRefRequest(ref github.Ref, force bool) Request {
	type body struct {
		SHA   string `json:"sha"`
		Force bool   `json:"force"`
	}
	return Request{http.MethodPatch, refPath(ref.ID(), "refs"), body{ref.Commit.Hash, force}}
}

// RemoveRefRequest removes a reference.
func RemoveRefRequest(id github.RefID) Request {
	return Request{http.MethodDelete, refPath(id, "refs"), nil}
}

// SetStatusRequest sets a status. What is absent is left out, and so is the
// context "default" (GH-162).
func SetStatusRequest(s github.Status) Request {
	type body struct {
		State       string `json:"state"`
		Context     string `json:"context,omitempty"`
		Description string `json:"description,omitempty"`
		TargetURL   string `json:"target_url,omitempty"`
	}
	b := body{State: s.State.String(), Context: string(s.Context), Description: s.Description, TargetURL: s.URL}
	if s.Context == github.DefaultContext {
		b.Context = ""
	}
	path := "repos/" + s.Commit.Repo.String() + "/statuses/" + url.PathEscape(s.Commit.Hash)
	return Request{http.MethodPost, path, b}
}

// write sends a request whose answer does not matter; look is asked before it
// is repeated, see call.
func (c *Client) write(ctx context.Context, op string, subject fmt.Stringer, r Request, look func(context.Context) (bool, error)) error {
	k := call{op: op, subject: subject, method: r.Method, path: r.Path, body: r.Body, look: look}
	_, err := c.send(ctx, k, nil)
	return err
}
