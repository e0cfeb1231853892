package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/backoff"
)

// Repeat syncs at the start and then on each wake-up (GH-84), one sync at a
// time, until ctx ends. It goes on whatever fails: a sync that fails as a whole
// is logged and tried again, first after a second and at last each minute
// (GH-141), and a call that GitHub does not answer holds a sync up once, for
// some seconds, and goes on beside the next ones (GH-109). When it returns, s
// is that of the last sync, and nothing that it started is running.
func Repeat(ctx context.Context, o Options, s *State) {
	o = o.withDefaults()
	o.background = newBackground(o)
	defer o.background.ended()
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	branch := make(chan struct{}, 1)
	work.Go(func() { watchBranch(ctx, o, branch) })

	w := newWaker(o, branch)
	defer w.stop()
	failures := 0
	for reason := ReasonBranch; reason != ""; reason = w.wait(ctx) {
		err := once(ctx, o, s, reason)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			failures = 0
			w.retryAt(s.due())
			continue
		}
		failures++
		again := time.Now().Add(backoff.Delay(failures))
		o.Log.Error("the sync has failed", "error", err, "again", again)
		w.retryAt(again)
	}
}

// due is nextDue for others than the sync.
func (s *State) due() time.Time {
	s.running.Lock()
	defer s.running.Unlock()
	return s.nextDue()
}

// leastRetry is how long a retry waits at least: should something be due that
// a sync cannot do, it must not lead to one sync after the other.
const leastRetry = 500 * time.Millisecond

// A waker waits for the next reason to sync. Those that come while a sync runs
// make one more sync, and a resync is not lost to another reason (GH-85).
type waker struct {
	branch <-chan struct{}
	events <-chan struct{}
	resync <-chan time.Time
	late   <-chan struct{} // a call that no sync has waited for has ended
	retry  *time.Timer
	ticker *time.Ticker // of resync; nil for never
}

func newWaker(o Options, branch <-chan struct{}) *waker {
	w := &waker{branch: branch, retry: time.NewTimer(time.Hour)}
	if o.Source != nil {
		w.events = o.Source.Wake()
	}
	if o.Resync > 0 {
		w.ticker = time.NewTicker(o.Resync)
		w.resync = w.ticker.C
	}
	if o.background != nil {
		w.late = o.background.wake
	}
	w.retryAt(time.Time{})
	return w
}

func (w *waker) stop() {
	w.retry.Stop()
	if w.ticker != nil {
		w.ticker.Stop()
	}
}

// retryAt sets when there is something to be tried again; the zero Time for
// never.
func (w *waker) retryAt(at time.Time) {
	w.retry.Stop()
	if !at.IsZero() {
		w.retry.Reset(max(time.Until(at), leastRetry))
	}
}

// wait returns the next reason, or "" when ctx ends. Of several it is the one
// that does most; the others are done by the same sync.
func (w *waker) wait(ctx context.Context) Reason {
	var reason Reason
	select {
	case <-ctx.Done():
		return ""
	case <-w.branch:
		reason = ReasonBranch
	case <-w.events:
		reason = ReasonEvents
	case <-w.retry.C:
		reason = ReasonRetry
	case <-w.late:
		reason = ReasonRetry
	case <-w.resync:
		reason = ReasonResync
	}
	for {
		select {
		case <-w.branch:
		case <-w.events:
		case <-w.late:
		case <-w.resync:
			reason = ReasonResync
		default:
			return reason
		}
	}
}

// watchBranch sends to wake, which has room for one, whenever the head of the
// branch has changed. If the database cannot be used it tries again.
func watchBranch(ctx context.Context, o Options, wake chan<- struct{}) {
	for failures := 1; ; failures++ {
		watch, err := o.DB.Branch(o.Branch).Watch(ctx)
		if err == nil {
			if followed(ctx, watch, wake) {
				failures = 1
			}
			watch.Close()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff.Delay(failures)):
		}
	}
}

// followed passes on what watch tells until it fails, and reports whether it
// told anything.
func followed(ctx context.Context, watch datakit.Watch[datakit.Hash], wake chan<- struct{}) (told bool) {
	for {
		if _, err := watch.Next(ctx); err != nil {
			return told
		}
		told = true
		signal(wake)
	}
}
