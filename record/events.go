package record

import (
	"context"
	"fmt"
	"sync"

	"github.com/datakit/datakit"
)

// events are what Wait waits for: changes below the path of a record on one of
// its lookup branches that no update has reflected, and at first that the record
// was made.
type events struct {
	mu        sync.Mutex // guards all
	count     uint64     // changes so far
	reflected uint64     // as many of them are in the fields
	waited    bool       // a Wait has returned, so that there must be a change
	err       error      // nothing more will happen, and why
	news      chan struct{}
}

func newEvents() *events { return &events{news: make(chan struct{})} }

// wake tells all who wait that something is new. mu is held.
func (e *events) wake() {
	close(e.news)
	e.news = make(chan struct{})
}

// change adds a change.
func (e *events) change() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count++
	e.wake()
}

// fail has all waits fail from now on. The first reason counts.
func (e *events) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
		e.wake()
	}
}

// seen returns how many changes there were, for reflect.
func (e *events) seen() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count
}

// reflect notes that an update has read what n changes have made, and whether
// it was made by Wait.
func (e *events) reflect(n uint64, waited bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reflected = max(e.reflected, n)
	e.waited = e.waited || waited
}

// due reports whether no Wait has returned yet, and whether there are changes
// that are not reflected.
func (e *events) due() (first, changed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.waited, e.count > e.reflected
}

// pending reports whether there is something for Wait to do, and gives what to
// wait for if there is not.
func (e *events) pending() (yes bool, news <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.waited || e.count > e.reflected, e.news, e.err
}

// wait waits until pending.
func (e *events) wait(ctx context.Context) error {
	for {
		yes, news, err := e.pending()
		if yes || err != nil {
			return err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// follow turns what w delivers into changes until ctx is done or w fails. The
// first state that it delivers is none.
func (e *events) follow(ctx context.Context, branch string, w datakit.Watch[datakit.Entry]) {
	defer w.Close()
	for first := true; ; first = false {
		_, err := w.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.fail(fmt.Errorf("watch branch %s: %w", branch, err))
			return
		case !first:
			e.change()
		}
	}
}
