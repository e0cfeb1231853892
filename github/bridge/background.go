package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/datakit/datakit/github"
)

// patience is how long a sync of Repeat waits for GitHub's next answer to a
// call. GitHub itself gives up what takes it ten seconds.
const patience = 10 * time.Second

// A background is where the calls go on that a sync no longer waits for. One
// that hangs would hold up all other repositories, and what the branch says of
// them, until its time is over (GH-109, GH-117).
type background struct {
	patience time.Duration
	slots    chan struct{} // has a value for each call that goes on
	wake     chan struct{} // has a value after one has ended
	work     sync.WaitGroup
}

// newBackground returns a background that leaves half of the calls at once to
// the syncs; nil, for a sync that waits for all, if there is only one.
func newBackground(o Options) *background {
	if o.Jobs < 2 {
		return nil
	}
	b := &background{patience: o.patience, slots: make(chan struct{}, o.Jobs/2), wake: make(chan struct{}, 1)}
	if b.patience == 0 {
		b.patience = patience
	}
	return b
}

// ended waits for the calls that go on, once their context has ended.
func (b *background) ended() {
	if b != nil {
		b.work.Wait()
	}
}

// An unanswered call is one that the sync has not waited for.
type unanswered struct {
	goesOn bool // in the background; else there was no room, and it was given up
}

// Error says that there is no answer.
func (unanswered) Error() string { return "GitHub has not answered yet, the sync goes on without" }

// A callKind is what hangs together: GitHub may answer the one and not the other.
type callKind uint8

const (
	callRead callKind = iota
	callSend
	callHook
)

// A group is the calls of a kind for one repository.
type group struct {
	repo github.Repo
	kind callKind
}

// await makes a call of the group that r is about; r is nil for what has not
// failed before. If there is no answer for too long the error is unanswered;
// late is then told between two syncs how the call has ended and how long it
// took, if it goes on. What is known to hang is not waited for at all, and nor
// is what is called in this sync when another call of the group has hung.
func (y *syncer) await(ctx context.Context, of group, r *retry, call func(context.Context) error, late func(error, time.Duration)) error {
	b := y.background
	if b == nil {
		return call(ctx)
	}
	wait := y.waitFor(of, r)
	if wait == 0 && !b.take() {
		return unanswered{}
	}
	ctx, cancel := context.WithCancel(ctx)
	progress, done, start := make(chan struct{}, 1), make(chan error, 1), time.Now()
	go func() { done <- call(github.WithProgress(ctx, func() { signal(progress) })) }()
	if wait > 0 {
		if err, ok := answered(wait, progress, done); ok {
			cancel()
			return err
		}
		y.mu.Lock()
		y.hung[of] = true
		y.mu.Unlock()
		if !b.take() {
			cancel()
			if err := <-done; err == nil {
				return nil // just now
			}
			return unanswered{}
		}
	}
	b.work.Go(func() {
		defer signal(b.wake)
		err := <-done
		cancel()
		<-b.slots
		y.s.running.Lock()
		defer y.s.running.Unlock()
		late(err, time.Since(start))
	})
	return unanswered{goesOn: true}
}

// take takes a slot, if one is free.
func (b *background) take() bool {
	select {
	case b.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// waitFor returns how long to wait for an answer to a call.
func (y *syncer) waitFor(of group, r *retry) time.Duration {
	y.mu.Lock()
	defer y.mu.Unlock()
	switch {
	case r != nil && r.took > 0:
		return max(y.background.patience, 2*r.took)
	case r != nil && r.hangs, y.hung[of]:
		return 0
	}
	return y.background.patience
}

// answered waits for the end of a call; ok is false if there is no progress for
// so long.
func answered(wait time.Duration, progress <-chan struct{}, done <-chan error) (err error, ok bool) {
	t := time.NewTimer(wait)
	defer t.Stop()
	for {
		select {
		case err := <-done:
			return err, true
		case <-progress:
			t.Reset(wait)
		case <-t.C:
			return nil, false
		}
	}
}

// signal puts a value into a channel that has room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // there is one already
	}
}
