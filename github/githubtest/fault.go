package githubtest

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/datakit/datakit/github"
)

// A Fault makes calls of a World fail. The zero values of the first three
// fields match everything.
type Fault struct {
	Op      string      // one of the github.Op names
	Repo    github.Repo // calls about it and about what it has
	Subject string      // the form of GH-27, such as "{test/test 1}"

	Times int  // how many calls it strikes; 0 means all until it is removed
	Hang  bool // calls do not end before their context does

	// Late lets the call have its effect before it fails, as when the answer
	// is lost on the way.
	Late bool

	// The error, unless Hang is set: its kind is told by Status, 0 meaning
	// that no answer came. 401, 429, 5xx, and any with a RetryAt are
	// temporary, and so is 0 (GH-113).
	Status  int
	Message string // "" means the usual text of the status
	RetryAt time.Time
}

// Inject adds a fault. Of several that match a call the one that was added
// first strikes. The function that it returns removes the fault.
func (w *World) Inject(f Fault) (remove func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	own := &f
	if own.Times == 0 {
		own.Times = -1
	}
	w.faults = append(w.faults, own)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.faults = slices.DeleteFunc(w.faults, func(g *Fault) bool { return g == own })
	}
}

// fault returns the fault that strikes a call, or nil, and takes one from its
// times. The lock is held.
func (w *World) fault(op string, r github.Repo, subject string) *Fault {
	for _, f := range w.faults {
		if f.Times == 0 || f.Op != "" && f.Op != op || f.Subject != "" && f.Subject != subject ||
			f.Repo != (github.Repo{}) && f.Repo != r {
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		return f
	}
	return nil
}

// strike waits for the end of ctx if the fault hangs, and returns the error.
func (f *Fault) strike(ctx context.Context, op, subject string) error {
	if f.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.apiError(op, subject)
}

// apiError returns what the client of GitHub makes of the fault.
func (f *Fault) apiError(op, subject string) *github.APIError {
	return &github.APIError{
		Op: op, Subject: subject, Status: f.Status, Message: f.message(), RetryAt: f.RetryAt,
		Temporary: f.Status == 0 || f.Status >= 500 || !f.RetryAt.IsZero() ||
			f.Status == http.StatusUnauthorized || f.Status == http.StatusTooManyRequests,
	}
}

func (f *Fault) message() string {
	switch {
	case f.Message != "":
		return f.Message
	case f.Status == 0:
		return "connection refused"
	}
	return http.StatusText(f.Status)
}

// pause waits as long as latency says for an operation, or until ctx ends,
// whose error it returns.
func pause(ctx context.Context, latency func(string) time.Duration, op string) error {
	if latency == nil {
		return ctx.Err()
	}
	t := time.NewTimer(latency(op))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
