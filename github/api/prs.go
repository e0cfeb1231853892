package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit/github"
)

// A pull is a pull request in answers.
type pull struct {
	Number int     `json:"number"`
	State  string  `json:"state"`
	Title  string  `json:"title"`
	Body   *string `json:"body"`
	User   *user   `json:"user"`
	Head   struct {
		SHA string `json:"sha"`
	} `json:"head"`
	Base struct {
		Ref string `json:"ref"`
	} `json:"base"`
	UpdatedAt time.Time `json:"updated_at"`
}

// pr returns the pull request with its body alone (GH-12).
func (p pull) pr(r github.Repo) (pr github.PR, err error) {
	head, err := github.NewCommit(r, p.Head.SHA)
	if err != nil {
		return pr, err
	}
	state, err := github.ParsePRState(p.State)
	if err != nil {
		return pr, err
	}
	if p.Number <= 0 {
		return pr, fmt.Errorf("the number is %d", p.Number)
	}
	body := ""
	if p.Body != nil {
		body = *p.Body
	}
	owner := p.User.login()
	return github.PR{
		Head: head, Number: p.Number, State: state, Title: github.Trim(p.Title),
		Base: cmp.Or(github.Trim(p.Base.Ref), "master"), Owner: owner, Updated: p.UpdatedAt,
		Comments: []github.Comment{{Author: owner, Body: body}},
	}, nil
}

// PRs is part of github.API. A pull request that makes no sense is left out and
// reported in the log.
func (c *Client) PRs(ctx context.Context, r github.Repo) (prs []github.PR, partial map[github.PRID]error, err error) {
	l := &listing{client: c, ctx: ctx, seen: map[int]*github.PR{}, partial: map[github.PRID]error{}}
	l.group.SetLimit(c.cfg.Jobs)
	path := "repos/" + r.String() + "/pulls"
	err = pages(ctx, c, github.OpListPRs, r, path, "state=open&sort=created&direction=asc&", func(page []pull) error {
		for _, p := range page {
			pr, err := p.pr(r)
			if err != nil {
				c.report(fmt.Sprint("PR ", r, p.Number), fmt.Sprintf("pull request, %d,", p.Number), r, err)
				continue
			}
			l.add(pr)
		}
		return ctx.Err()
	})
	l.group.Wait() // its functions return no errors
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, nil, err
	}
	return l.result()
}

// A listing collects pull requests while their comments are read.
type listing struct {
	client *Client
	ctx    context.Context // of the one call that the listing is for
	group  errgroup.Group
	seen   map[int]*github.PR // by number: a page may repeat what was on another

	mu      sync.Mutex // guards partial, and what seen points to
	partial map[github.PRID]error
}

// add starts to read the comments of a pull request, unless it is closed or was
// added before, in which case the newer value counts.
func (l *listing) add(pr github.PR) {
	if pr.State == github.Closed {
		return
	}
	if old := l.seen[pr.Number]; old != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		pr.Comments = append(pr.Comments, old.Comments[1:]...)
		*old = pr
		return
	}
	p, id := &pr, pr.ID()
	l.seen[pr.Number] = p
	l.group.Go(func() error {
		comments, err := l.client.Comments(l.ctx, id)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err != nil {
			l.partial[id] = err
		}
		p.Comments = append(p.Comments, comments...)
		return nil
	})
}

// result returns the pull requests in the order of creation.
func (l *listing) result() ([]github.PR, map[github.PRID]error, error) {
	prs := make([]github.PR, 0, len(l.seen))
	for _, pr := range l.seen {
		prs = append(prs, *pr)
	}
	slices.SortFunc(prs, func(a, b github.PR) int { return cmp.Compare(a.Number, b.Number) })
	return prs, l.partial, nil
}

// PR is part of github.API.
func (c *Client) PR(ctx context.Context, id github.PRID) (pr github.PR, ok bool, err error) {
	a, err := read[pull](ctx, c, github.OpReadPR, id, prPath(id), false)
	if err != nil {
		return pr, false, c.exists(ctx, id.Repo, err)
	}
	pr, err = a.v.pr(id.Repo)
	if err == nil && pr.Number != id.Number {
		err = fmt.Errorf("the number is %d", pr.Number)
	}
	if err != nil {
		return github.PR{}, false, c.nonsense(call{op: github.OpReadPR, subject: id}, err.Error())
	}
	comments, err := c.Comments(ctx, id)
	switch {
	case ctx.Err() != nil:
		return github.PR{}, false, ctx.Err()
	case err != nil:
		return pr, true, &github.CommentsError{PR: id, Err: err}
	}
	pr.Comments = append(pr.Comments, comments...)
	return pr, true, nil
}

func prPath(id github.PRID) string {
	return "repos/" + id.Repo.String() + "/pulls/" + strconv.Itoa(id.Number)
}

// Comments is part of github.API. There are none where GitHub says that it has
// no such thing.
func (c *Client) Comments(ctx context.Context, id github.PRID) ([]github.Comment, error) {
	type entry struct {
		ID   int64   `json:"id"`
		User *user   `json:"user"`
		Body *string `json:"body"`
	}
	var list []github.Comment
	path := "repos/" + id.Repo.String() + "/issues/" + strconv.Itoa(id.Number) + "/comments"
	err := pages(ctx, c, github.OpReadComments, id, path, "", func(page []entry) error {
		for _, e := range page {
			comment := github.Comment{ID: e.ID, Author: e.User.login()}
			if e.Body != nil {
				comment.Body = *e.Body
			}
			list = append(list, comment)
		}
		return nil
	})
	if err != nil {
		return nil, c.exists(ctx, id.Repo, err)
	}
	return list, nil
}

// SetPR is part of github.API.
func (c *Client) SetPR(ctx context.Context, id github.PRID, change github.PRChange) error {
	return c.write(ctx, github.OpSetPR, id, SetPRRequest(id, change), nil)
}
