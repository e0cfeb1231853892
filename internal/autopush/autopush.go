// Package autopush keeps the branches of a remote repository equal to those of
// a database (specification of the filesystem, section 7.3).
package autopush

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/datakit/datakit"
)

// The pauses of the specification, FS-191, FS-193 and FS-195.
const (
	delay      = 2 * time.Second  // from the first change to the push
	minPause   = 2 * time.Second  // before the first retry
	maxPause   = 5 * time.Minute  // before later ones
	finalLimit = 10 * time.Second // for what waits when told to stop
	drainLimit = 100 * time.Millisecond
)

// A Pusher pushes branches that have changed. Set the fields before Run.
type Pusher struct {
	// Push makes the given branches of the remote equal to those here, or
	// deletes them there. It returns why single ones were refused, and an
	// error if none could be pushed. Required.
	Push func(ctx context.Context, branches []string) (refused map[string]error, err error)

	Remote string                   // how the log names the remote; no secrets
	Log    *slog.Logger             // nil means no log
	OnPush func(took time.Duration) // told of each push, failed or not; may be nil
}

// Run pushes what changes tells of until ctx is done, and then what still
// waits, for 10 seconds at most. It closes changes.
func (p *Pusher) Run(ctx context.Context, changes datakit.Watch[[]string]) {
	defer changes.Close()
	r := &run{Pusher: p, wake: make(chan struct{}, 1), fresh: make(map[string]bool), failed: make(map[string]bool)}
	var collecting sync.WaitGroup
	collecting.Go(func() { r.collect(ctx, changes) })
	r.loop(ctx)
	collecting.Wait()
	r.finish(changes)
}

// A run is what one Run knows.
type run struct {
	*Pusher
	wake chan struct{} // something was added to fresh

	mu    sync.Mutex
	fresh map[string]bool // changed, and not tried since; guarded by mu

	failed map[string]bool // tried in vain
	pause  time.Duration   // before the next retry
}

// collect notes the branches that change.
func (r *run) collect(ctx context.Context, changes datakit.Watch[[]string]) {
	for {
		names, err := changes.Next(ctx)
		if err != nil {
			if ctx.Err() == nil && r.Log != nil {
				r.Log.Error("changes are not pushed any more", "remote", r.Remote, "error", err)
			}
			return
		}
		r.add(names)
	}
}

func (r *run) add(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range names {
		r.fresh[n] = true
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take returns the branches that have changed and forgets them.
func (r *run) take() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := r.fresh
	r.fresh = make(map[string]bool)
	return names
}

func (r *run) loop(ctx context.Context) {
	var retry <-chan time.Time
	for {
		select {
		case <-r.wake:
			if !sleep(ctx, delay) {
				return
			}
			for names := r.take(); len(names) > 0 && ctx.Err() == nil; names = r.take() {
				// Success leaves the retry of others alone: they would wait
				// for ever if it began anew with each change.
				if r.push(ctx, names) > 0 {
					r.pause = 0
					retry = r.nextRetry()
				}
			}
		case <-retry:
			retry = nil
			if r.push(ctx, r.failed) > 0 {
				retry = r.nextRetry()
			}
		case <-ctx.Done():
			return
		}
	}
}

// nextRetry returns when to try again what has failed: each time later.
func (r *run) nextRetry() <-chan time.Time {
	r.pause = min(max(2*r.pause, minPause), maxPause)
	return time.After(r.pause)
}

// push tries some branches and returns how many of them have failed.
func (r *run) push(ctx context.Context, names map[string]bool) (failures int) {
	branches := slices.Sorted(maps.Keys(names))
	if len(branches) == 0 {
		return 0
	}
	start := time.Now()
	refused, err := r.Push(ctx, branches)
	if r.OnPush != nil {
		r.OnPush(time.Since(start))
	}
	for _, b := range branches {
		if err == nil && refused[b] == nil {
			delete(r.failed, b)
			continue
		}
		r.failed[b] = true
		failures++
	}
	if !errors.Is(err, context.Canceled) { // by the order to stop; finish tries again
		r.report(branches, refused, err)
	}
	return failures
}

func (r *run) report(branches []string, refused map[string]error, err error) {
	if r.Log == nil {
		return
	}
	for _, b := range slices.Sorted(maps.Keys(refused)) {
		r.Log.Error("the remote refuses a branch", "remote", r.Remote, "branch", b, "error", refused[b])
		branches = slices.DeleteFunc(branches, func(name string) bool { return name == b })
	}
	if err != nil {
		r.Log.Error("push failed", "remote", r.Remote, "branches", strings.Join(branches, " "), "error", err)
		return
	}
	if len(branches) == 0 {
		return
	}
	r.Log.Info("pushed", "remote", r.Remote, "branches", strings.Join(branches, " "))
}

// finish pushes what is left when Run was told to stop. What it cannot push the
// log names: nobody tries again.
func (r *run) finish(changes datakit.Watch[[]string]) {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	if names, err := changes.Next(ctx); err == nil { // of the last moment
		r.add(names)
	}
	names := r.take()
	maps.Copy(names, r.failed)
	ctx, cancel = context.WithTimeout(context.Background(), finalLimit)
	defer cancel()
	if r.push(ctx, names) > 0 && r.Log != nil {
		left := strings.Join(slices.Sorted(maps.Keys(r.failed)), " ")
		r.Log.Warn("branches are left unpushed", "remote", r.Remote, "branches", left)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
