package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit/github"
)

// maxTagLevels is how many tags of tags are followed (GH-22).
const maxTagLevels = 10

// An object is what a ref or an annotated tag points to, in answers.
type object struct {
	Type string `json:"type"`
	SHA  string `json:"sha"`
}

// A reference is a ref in answers.
type reference struct {
	Ref    string `json:"ref"`
	Object object `json:"object"`
}

// Refs is part of github.API. A ref whose name the model does not hold, or that
// ends in no commit, is left out; of the former the log tells once (GH-21,
// GH-22).
func (c *Client) Refs(ctx context.Context, r github.Repo) (refs []github.Ref, partial map[github.RefID]error, err error) {
	l := &refListing{client: c, repo: r, partial: map[github.RefID]error{}}
	g, groupCtx := errgroup.WithContext(ctx)
	for _, kind := range []string{"heads", "tags"} {
		g.Go(func() error { return l.read(groupCtx, kind) })
	}
	if err := g.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, c.exists(ctx, r, err, http.StatusConflict) // 409: there is no commit yet (GH-160)
	}
	if err := l.resolve(ctx); err != nil {
		return nil, nil, err
	}
	return l.refs, l.partial, nil
}

// A refListing collects refs and resolves annotated tags.
type refListing struct {
	client *Client
	repo   github.Repo

	mu      sync.Mutex // guards what follows
	refs    []github.Ref
	tags    []reference // not resolved yet
	partial map[github.RefID]error
}

// read lists the refs of one kind, "heads" or "tags".
func (l *refListing) read(ctx context.Context, kind string) error {
	path := "repos/" + l.repo.String() + "/git/matching-refs/" + kind + "/"
	return pages(ctx, l.client, github.OpListRefs, l.repo, path, "", func(page []reference) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, ref := range page {
			if strings.HasPrefix(ref.Ref, "refs/"+kind+"/") {
				l.add(ref)
			}
		}
		return nil
	})
}

// add takes a ref to a commit, and puts a tag aside. The lock is held.
func (l *refListing) add(ref reference) {
	id, ok := l.client.refID(l.repo, ref.Ref)
	switch {
	case !ok:
	case ref.Object.Type == "tag":
		l.tags = append(l.tags, ref)
	default:
		if ref, ok := l.client.toCommit(id, ref.Object); ok {
			l.refs = append(l.refs, ref)
		}
	}
}

// resolve follows the tags, several at once. The error is that of ctx.
func (l *refListing) resolve(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(l.client.cfg.Jobs)
	for _, tag := range l.tags {
		g.Go(func() error {
			id, _ := l.client.refID(l.repo, tag.Ref)
			o, err := l.client.peel(ctx, id, tag.Object)
			l.mu.Lock()
			defer l.mu.Unlock()
			if err != nil {
				l.partial[id] = err
			} else if ref, ok := l.client.toCommit(id, o); ok {
				l.refs = append(l.refs, ref)
			}
			return nil
		})
	}
	g.Wait() // its functions return no errors
	return ctx.Err()
}

// refID returns the identity of a ref with a name such as "refs/heads/master";
// ok is false if the model does not hold it, which the log tells once.
func (c *Client) refID(r github.Repo, ref string) (id github.RefID, ok bool) {
	name, err := github.ParseRefName(strings.TrimPrefix(ref, "refs/"))
	if err != nil {
		c.report("ref "+r.String()+" "+ref, "reference", r, err)
		return id, false
	}
	return github.RefID{Repo: r, Name: name}, true
}

// toCommit returns the ref to an object; ok is false if that is no commit.
func (c *Client) toCommit(id github.RefID, o object) (ref github.Ref, ok bool) {
	if o.Type != "commit" {
		return ref, false
	}
	commit, err := github.NewCommit(id.Repo, o.SHA)
	if err != nil {
		c.report("ref "+id.String(), "reference", id.Repo, err)
		return ref, false
	}
	return github.Ref{Commit: commit, Name: id.Name}, true
}

// peel follows annotated tags to what they tag in the end. What a tag points to
// never changes, so that each is read once. Of more levels than are followed
// the tag that was reached is returned.
func (c *Client) peel(ctx context.Context, id github.RefID, o object) (object, error) {
	for level := 0; o.Type == "tag" && level < maxTagLevels; level++ {
		type tag struct {
			Object object `json:"object"`
		}
		path := "repos/" + id.Repo.String() + "/git/tags/" + url.PathEscape(o.SHA)
		a, err := read[tag](ctx, c, github.OpResolveTag, id, path, true)
		if err != nil {
			return object{}, err
		}
		o = a.v.Object
	}
	return o, nil
}

// Ref is part of github.API. 409 is the answer of an empty repository.
func (c *Client) Ref(ctx context.Context, id github.RefID) (ref github.Ref, ok bool, err error) {
	a, err := read[reference](ctx, c, github.OpReadRef, id, refPath(id, "ref"), false)
	if err != nil {
		return ref, false, c.exists(ctx, id.Repo, err, http.StatusConflict)
	}
	if a.v.Ref != "refs/"+string(id.Name) {
		return ref, false, c.nonsense(call{op: github.OpReadRef, subject: id}, fmt.Sprintf("it is about %q", a.v.Ref))
	}
	o, err := c.peel(ctx, id, a.v.Object)
	if err != nil {
		return ref, false, err
	}
	ref, ok = c.toCommit(id, o)
	return ref, ok, nil
}

// refPath returns the path of a ref below "git/ref" or "git/refs".
func refPath(id github.RefID, below string) string {
	steps := strings.Split(string(id.Name), "/")
	for i, s := range steps {
		steps[i] = url.PathEscape(s)
	}
	return "repos/" + id.Repo.String() + "/git/" + below + "/" + strings.Join(steps, "/")
}
