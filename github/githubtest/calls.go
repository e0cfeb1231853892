package githubtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/datakit/datakit/github"
)

// call runs one operation of github.API about a subject of a repository: it
// counts it, waits as SetLatency says, obeys the faults, and lets do work on
// the repository with the lock held. A repository that GitHub does not have is
// a 404. The error is an *APIError or that of ctx.
func (w *World) call(ctx context.Context, op string, r github.Repo, subject fmt.Stringer, do func(*repository) error) error {
	name := subject.String()
	w.mu.Lock()
	w.begin(op, name)
	latency := w.latency
	fault := w.fault(op, r, name)
	w.mu.Unlock()

	err := pause(ctx, latency, op)
	if err == nil && fault != nil && !fault.Late {
		err = fault.strike(ctx, op, name)
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		err = w.do(op, r, name, do)
	}
	if err == nil && fault != nil && fault.Late {
		err = fault.apiError(op, name)
	}
	w.end(op, name, err)
	return err
}

// do runs do on the repository. The lock is held.
func (w *World) do(op string, r github.Repo, subject string, do func(*repository) error) error {
	repo := w.repos[r]
	if repo == nil {
		return refusal(op, subject, http.StatusNotFound, "Not Found")
	}
	err := do(repo)
	var apiErr *github.APIError
	if errors.As(err, &apiErr) && apiErr.Op == "" {
		apiErr.Op, apiErr.Subject = op, subject
	}
	return err
}

// writes are the operations that change GitHub.
var writes = []string{github.OpSetPR, github.OpSetRef, github.OpRemoveRef, github.OpSetStatus}

// begin notes that a call starts. The lock is held.
func (w *World) begin(op, subject string) {
	w.calls[op]++
	w.inFlight++
	w.maxFlight = max(w.maxFlight, w.inFlight)
	if !slices.Contains(writes, op) {
		return
	}
	if w.running[subject]++; w.running[subject] > 1 {
		w.overlaps = append(w.overlaps, subject)
	}
}

// end notes that a call has ended. The lock is held.
func (w *World) end(op, subject string, err error) {
	w.inFlight--
	w.log = append(w.log, Call{op, subject, err})
	if slices.Contains(writes, op) {
		w.running[subject]--
	}
}

// refusal is what GitHub says to a call that it will never accept. Op and
// subject may be empty: World.do adds them.
func refusal(op, subject string, status int, message string) *github.APIError {
	return &github.APIError{Op: op, Subject: subject, Status: status, Message: message}
}

// RepoExists is part of github.API.
func (w *World) RepoExists(ctx context.Context, r github.Repo) (bool, error) {
	err := w.call(ctx, github.OpRepoExists, r, r, func(*repository) error { return nil })
	var apiErr *github.APIError
	if errors.As(err, &apiErr) && apiErr.Status == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// PRs is part of github.API. A fault of github.OpReadComments about one of the
// pull requests makes its result partial.
func (w *World) PRs(ctx context.Context, r github.Repo) (prs []github.PR, partial map[github.PRID]error, err error) {
	err = w.call(ctx, github.OpListPRs, r, r, func(repo *repository) error {
		for _, n := range slices.Sorted(maps.Keys(repo.prs)) {
			pr := copyPR(repo.prs[n])
			if pr.State == github.Closed {
				continue
			}
			if err := w.commentsFault(&pr); err != nil {
				if partial == nil {
					partial = map[github.PRID]error{}
				}
				partial[pr.ID()] = err
			}
			prs = append(prs, pr)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return prs, partial, nil
}

// commentsFault strikes a pull request whose comments are not to be read: it
// takes all but the body away and returns the error. The lock is held.
func (w *World) commentsFault(pr *github.PR) error {
	subject := pr.ID().String()
	f := w.fault(github.OpReadComments, pr.Head.Repo, subject)
	if f == nil {
		return nil
	}
	pr.Comments = pr.Comments[:bodies(*pr)]
	return f.apiError(github.OpReadComments, subject)
}

// PR is part of github.API. A fault of github.OpReadComments about it makes a
// *github.CommentsError.
func (w *World) PR(ctx context.Context, id github.PRID) (pr github.PR, ok bool, err error) {
	var commentsErr error
	err = w.call(ctx, github.OpReadPR, id.Repo, id, func(repo *repository) error {
		if pr, ok = repo.prs[id.Number]; !ok {
			return nil
		}
		pr = copyPR(pr)
		commentsErr = w.commentsFault(&pr)
		return nil
	})
	switch {
	case absent(err):
		return github.PR{}, false, nil
	case err != nil:
		return github.PR{}, false, err
	case commentsErr != nil:
		return pr, ok, &github.CommentsError{PR: id, Err: commentsErr}
	}
	return pr, ok, nil
}

// Comments is part of github.API.
func (w *World) Comments(ctx context.Context, id github.PRID) (list []github.Comment, err error) {
	err = w.call(ctx, github.OpReadComments, id.Repo, id, func(repo *repository) error {
		pr := repo.prs[id.Number]
		list = slices.Clone(pr.Comments[bodies(pr):])
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Refs is part of github.API. A fault of github.OpResolveTag about one of the
// references makes its result partial.
func (w *World) Refs(ctx context.Context, r github.Repo) (refs []github.Ref, partial map[github.RefID]error, err error) {
	err = w.call(ctx, github.OpListRefs, r, r, func(repo *repository) error {
		for _, name := range slices.Sorted(maps.Keys(repo.refs)) {
			ref, ok := repo.resolve(r, name)
			if !ok {
				continue
			}
			subject := ref.ID().String()
			if f := w.fault(github.OpResolveTag, r, subject); f != nil {
				if partial == nil {
					partial = map[github.RefID]error{}
				}
				partial[ref.ID()] = f.apiError(github.OpResolveTag, subject)
				continue
			}
			refs = append(refs, ref)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return refs, partial, nil
}

// Ref is part of github.API.
func (w *World) Ref(ctx context.Context, id github.RefID) (ref github.Ref, ok bool, err error) {
	err = w.call(ctx, github.OpReadRef, id.Repo, id, func(repo *repository) error {
		ref, ok = repo.resolve(id.Repo, string(id.Name))
		return nil
	})
	if err != nil || !ok {
		return github.Ref{}, false, ignoreAbsent(err)
	}
	return ref, true, nil
}

// Statuses is part of github.API.
func (w *World) Statuses(ctx context.Context, c github.Commit) (list []github.Status, err error) {
	err = w.call(ctx, github.OpReadStatuses, c.Repo, c, func(repo *repository) error {
		list = repo.newest(c)
		return nil
	})
	return list, ignoreAbsent(err)
}

// absent reports whether GitHub says that there is no such thing.
func absent(err error) bool {
	var e *github.APIError
	return errors.As(err, &e) && !e.Temporary && (e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

func ignoreAbsent(err error) error {
	if absent(err) {
		return nil
	}
	return err
}
