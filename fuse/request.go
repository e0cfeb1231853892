//go:build linux || darwin

package fuse

import (
	"context"
	"sync"
	"time"
)

// interruptDelay is how long a request that does not wait for news may go on
// after the kernel has interrupted it.
const interruptDelay = time.Second

// A request is the context of what one request of the kernel takes. It costs
// nothing until somebody waits for its end.
type request struct {
	t           *tree
	interrupted <-chan struct{} // closed by the kernel
	waits       bool            // for news; ends at once

	mu       sync.Mutex    // guards what follows
	err      error         // why it has ended
	done     chan struct{} // closed then; nil if nobody asked
	finished chan struct{} // closed when it is answered; made with done
}

var _ context.Context = (*request)(nil)

// begin returns the context of a request. Finish it.
func (t *tree) begin(interrupted <-chan struct{}) *request {
	return &request{t: t, interrupted: interrupted}
}

// finish ends the request, as it is answered.
func (r *request) finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finished != nil {
		close(r.finished)
	}
	if r.done == nil {
		r.end()
	}
}

// Deadline returns that there is none.
func (r *request) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value returns nil.
func (r *request) Value(any) any { return nil }

// Err returns context.Canceled once the request is to be given up.
func (r *request) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil && r.isOver() {
		r.end()
	}
	return r.err
}

// Done returns a channel that is closed when the request is to be given up.
func (r *request) Done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done != nil {
		return r.done
	}
	r.done = make(chan struct{})
	if r.err != nil {
		close(r.done)
		return r.done
	}
	r.finished = make(chan struct{})
	r.t.watchers.Go(r.watch)
	return r.done
}

// isOver reports what can be told without waiting. mu is held.
func (r *request) isOver() bool {
	if !r.waits {
		return r.t.m.canceled.raised()
	}
	select {
	case <-r.interrupted:
		return true
	default:
		return r.t.m.draining.raised()
	}
}

// end notes that the request is to be given up. mu is held.
func (r *request) end() {
	if r.err == nil {
		r.err = context.Canceled
		if r.done != nil {
			close(r.done)
		}
	}
}

// watch waits for a reason to end the request.
func (r *request) watch() {
	over := r.t.m.canceled.c
	if r.waits {
		over = r.t.m.draining.c
	}
	select {
	case <-r.finished:
		return
	case <-over:
	case <-r.interrupted:
		if !r.waits && r.outlasts(over) {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
}

// outlasts gives an interrupted request a little time, and reports whether that
// was enough.
func (r *request) outlasts(over <-chan struct{}) bool {
	delay := time.NewTimer(interruptDelay)
	defer delay.Stop()
	select {
	case <-r.finished:
		return true
	case <-over:
	case <-delay.C:
	}
	return false
}
