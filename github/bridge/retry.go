package bridge

import (
	"context"
	"errors"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/internal/backoff"
)

// fail notes that what r is about has failed once more, at the time now. What
// GitHub refuses is not due again by itself. log tells whether this is news; the
// end of a context is none.
func (r *retry) fail(now time.Time, err error) (log bool) {
	if r.noticed.IsZero() {
		r.noticed = now
	}
	r.goesOn, r.waits, r.took = false, false, 0
	if err, ok := err.(unanswered); ok {
		log = !r.hangs
		r.hangs, r.goesOn, r.waits = true, err.goesOn, !err.goesOn
		r.due, r.reason = now, ""
		return log
	}
	if github.Refused(err) {
		reason := why(err)
		log = reason != r.reason
		r.attempts, r.due, r.reason = 0, time.Time{}, reason
		return log
	}
	if stopped(err) {
		r.due, r.reason = now, ""
		return false
	}
	r.attempts++
	r.reason = ""
	r.hangs = r.hangs && errors.Is(err, context.DeadlineExceeded)
	r.due = now.Add(backoff.Delay(r.attempts))
	var e *github.APIError
	if errors.As(err, &e) && e.RetryAt.After(r.due) {
		r.due = e.RetryAt
	}
	return true
}

// stopped reports whether a call has failed as its context has ended, and not
// by a timeout of its own, which makes a github.APIError.
func stopped(err error) bool {
	var e *github.APIError
	return !errors.As(err, &e) && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// isDue reports whether it is to be tried at the time now.
func (r *retry) isDue(now time.Time) bool {
	return !r.goesOn && !r.due.IsZero() && !r.due.After(now)
}

// why returns in one line what GitHub refused, and why (GH-56).
func why(err error) string {
	var e *github.APIError
	if !errors.As(err, &e) {
		return oneLine(err.Error())
	}
	return oneLine(e.Op + ": " + e.Reason())
}

// nextDue returns when the first of what is pending is due; the zero Time if
// nothing is. Calls in the background wake the sync when they end.
func (s *State) nextDue() time.Time {
	var next time.Time
	consider := func(r *retry) {
		if !r.goesOn && !r.waits && !r.due.IsZero() && (next.IsZero() || r.due.Before(next)) {
			next = r.due
		}
	}
	for k, r := range s.reads {
		if k.lists() || !s.refuses(k.repo) {
			consider(r)
		}
	}
	for _, p := range s.sends {
		consider(&p.retry)
	}
	for _, h := range s.hooks {
		consider(&h.retry)
	}
	return next
}

// pending counts what is pending, without the reads that GitHub has refused,
// which refusedRepos counts. A refused webhook counts: without it changes on
// GitHub are noticed late, and a resync tries again.
func (s *State) pending() map[Pending]int {
	n := map[Pending]int{PendingRead: 0, PendingSend: len(s.sends), PendingWebhook: len(s.hooks)}
	for _, r := range s.reads {
		if r.reason == "" {
			n[PendingRead]++
		}
	}
	return n
}

// refusedRepos counts the repositories of which GitHub has refused to show
// something (GH-116).
func (s *State) refusedRepos() int {
	repos := map[github.Repo]bool{}
	for k, r := range s.reads {
		if r.reason != "" {
			repos[k.repo] = true
		}
	}
	return len(repos)
}
