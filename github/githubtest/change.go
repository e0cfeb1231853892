package githubtest

import (
	"slices"
	"time"

	"github.com/datakit/datakit/github"
)

// A Change is what happened to a repository of a World. Its fields are those
// of GitHub's webhooks, where Kind is the name of the webhook.
type Change struct {
	Kind   string // "push", "pull_request", "status", "issue_comment" or "ping"
	Action string // of a pull request or a comment, such as "opened" or "created"
	Repo   github.Repo
	At     time.Time

	PR      github.PR      // of "pull_request" and "issue_comment"
	Comment github.Comment // of "issue_comment"
	Status  RawStatus      // of "status"
	Hash    string         // the commit of a "status"

	Ref           string // of "push": the name without "refs/"
	Before, After string // the hashes of the commits; "" for none

	// The hashes that the ref itself had and has: those of the commits, or of
	// annotated tags.
	BeforeObject, AfterObject string

	Hook int64 // of "ping": the webhook that alone gets it
}

// bodies returns how many of the comments are the body of the pull request: 1,
// or 0 if it has none.
func bodies(pr github.PR) int {
	if len(pr.Comments) > 0 && pr.Comments[0].ID == 0 {
		return 1
	}
	return 0
}

// Listen calls f for each change from now on, in the order of the changes, until
// stop is called. f must not call the World, and must not block.
func (w *World) Listen(f func(Change)) (stop func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := len(w.listeners)
	w.listeners = append(w.listeners, f)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.listeners[id] = nil
	}
}

// tick returns the time of the next change. The lock is held.
func (w *World) tick() time.Time {
	w.clock = w.clock.Add(time.Second)
	return w.clock
}

// tell gives a change to the listeners. The lock is held.
func (w *World) tell(c Change) {
	c.At = w.clock
	for _, f := range slices.Clone(w.listeners) {
		if f != nil {
			f(c)
		}
	}
}
