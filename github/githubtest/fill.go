package githubtest

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit/github"
)

// A Size says how much a repository holds.
type Size struct {
	PRs      int // open pull requests, each with a comment and a head of its own
	Refs     int // branches, each with a commit of its own
	Statuses int // spread over all these commits
}

// Fill gives a repository that size, as if all had been there before: there are
// no events.
func (w *World) Fill(r github.Repo, size Size) {
	w.mu.Lock()
	defer w.mu.Unlock()
	listeners := w.listeners
	w.listeners = nil
	defer func() { w.listeners = listeners }()
	for n := range size.PRs {
		w.serial++
		w.putPR(github.PR{
			Head: fillCommit(r, n), Number: n + 1, Title: fmt.Sprintf("Change number %d", n), Base: "master", Owner: "octocat",
			Comments: []github.Comment{{Author: "octocat", Body: "This changes something."}, {ID: w.serial, Author: "hubot", Body: "Thanks."}},
		})
	}
	for n := range size.Refs {
		w.putRef(r, fmt.Sprintf("heads/branch-%05d", n), object{"commit", fillCommit(r, size.PRs+n).Hash})
	}
	commits := size.PRs + size.Refs
	for n := range size.Statuses {
		w.addStatus(fillCommit(r, n%commits), RawStatus{
			State: "success", Context: fmt.Sprintf("ci/job-%d", n/commits), Description: "The build passed", URL: fmt.Sprintf("https://ci.example/%d", n),
		})
	}
}

func fillCommit(r github.Repo, n int) github.Commit {
	return github.Commit{Repo: r, Hash: fmt.Sprintf("%040x", n+1)}
}

// ReadAll makes the calls of an import of a repository (GH-93), with at most
// that many statuses read at once, and returns what they bring. It is what an
// import is compared with.
func ReadAll(ctx context.Context, a github.API, r github.Repo, jobs int) (github.Snapshot, error) {
	var all struct {
		sync.Mutex
		github.Snapshot
	}
	add := func(e ...github.Element) {
		all.Lock()
		defer all.Unlock()
		all.Snapshot = all.Add(e...)
	}
	lists, listCtx := errgroup.WithContext(ctx)
	lists.Go(func() error {
		prs, partial, err := a.PRs(listCtx, r)
		for _, pr := range prs {
			add(pr)
		}
		for _, missing := range partial {
			return missing
		}
		return err
	})
	lists.Go(func() error {
		refs, partial, err := a.Refs(listCtx, r)
		for _, ref := range refs {
			add(ref)
		}
		for _, missing := range partial {
			return missing
		}
		return err
	})
	if err := lists.Wait(); err != nil {
		return github.Snapshot{}, err
	}
	statuses, statusCtx := errgroup.WithContext(ctx)
	statuses.SetLimit(jobs)
	for c := range all.Commits() {
		statuses.Go(func() error {
			list, err := a.Statuses(statusCtx, c)
			for _, s := range list {
				add(s)
			}
			return err
		})
	}
	err := statuses.Wait()
	return all.Snapshot, err
}
