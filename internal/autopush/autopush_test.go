package autopush

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datakit/datakit"
)

// changes is a datakit.Watch fed by the test.
type changes chan []string

func (c changes) Next(ctx context.Context) ([]string, error) {
	select {
	case names, ok := <-c:
		if !ok {
			return nil, datakit.Closed
		}
		return names, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c changes) Close() error { return nil }

// A remote records pushes.
type remote struct {
	at      []time.Duration // since start
	pushed  [][]string
	start   time.Time
	outcome func(branches []string) (map[string]error, error)
}

func (r *remote) push(ctx context.Context, branches []string) (map[string]error, error) {
	r.at = append(r.at, time.Since(r.start))
	r.pushed = append(r.pushed, branches)
	if r.outcome == nil {
		return nil, nil
	}
	return r.outcome(branches)
}

// play has a Pusher push to r while script feeds changes, and stops it afterwards.
func play(t *testing.T, r *remote, script func(c changes)) {
	t.Helper()
	perform(t, &Pusher{Push: r.push}, func(c changes, _ func()) {
		r.start = time.Now()
		script(c)
	})
}

// perform runs a Pusher during script, which feeds changes and may stop it early.
func perform(t *testing.T, p *Pusher, script func(c changes, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := make(changes)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.Run(ctx, c)
		}()
		stop := func() {
			cancel()
			<-done
		}
		script(c, stop)
		synctest.Wait()
		stop()
	})
}

// TestFS190_NothingAtStart runs without a change.
func TestFS190_NothingAtStart(t *testing.T) {
	r := &remote{}
	play(t, r, func(changes) { time.Sleep(time.Hour) })
	if len(r.pushed) != 0 {
		t.Errorf("pushed %v", r.pushed)
	}
}

// TestFS191_Together changes branches within two seconds of each other, and one
// during the push.
func TestFS191_Together(t *testing.T) {
	r := &remote{}
	var c changes
	r.outcome = func([]string) (map[string]error, error) {
		if len(r.pushed) == 1 {
			c <- []string{"late"}
			time.Sleep(time.Second)
		}
		return nil, nil
	}
	play(t, r, func(ch changes) {
		c = ch
		c <- []string{"a"}
		time.Sleep(time.Second)
		c <- []string{"b", "a"}
		time.Sleep(time.Minute)
	})
	if len(r.pushed) != 2 || !slices.Equal(r.pushed[0], []string{"a", "b"}) || !slices.Equal(r.pushed[1], []string{"late"}) {
		t.Fatalf("pushed %v", r.pushed)
	}
	if r.at[0] != 2*time.Second || r.at[1] != 3*time.Second {
		t.Errorf("pushed at %v, want 2s and, right after the first push, 3s", r.at)
	}
}

// TestFS193_Retries fails pushes for a while.
func TestFS193_Retries(t *testing.T) {
	r := &remote{}
	r.outcome = func([]string) (map[string]error, error) {
		if len(r.pushed) < 12 {
			return nil, errors.New("no route")
		}
		return nil, nil
	}
	play(t, r, func(c changes) {
		c <- []string{"a"}
		time.Sleep(24 * time.Hour)
	})
	if len(r.pushed) != 12 {
		t.Fatalf("%d pushes, want 12", len(r.pushed))
	}
	if got := r.at[1] - r.at[0]; got != 2*time.Second {
		t.Errorf("the first retry came after %v, want 2s", got)
	}
	if got := r.at[11] - r.at[10]; got != 5*time.Minute {
		t.Errorf("the last retry came after %v, want 5m", got)
	}
}

// TestFS193_OneRefused has the remote refuse one of two branches for ever.
func TestFS193_OneRefused(t *testing.T) {
	r := &remote{}
	r.outcome = func(branches []string) (map[string]error, error) {
		if slices.Contains(branches, "bad") {
			return map[string]error{"bad": errors.New("denied")}, nil
		}
		return nil, nil
	}
	play(t, r, func(c changes) {
		c <- []string{"bad", "good"}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		before := len(r.pushed)
		c <- []string{"good"}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if !slices.ContainsFunc(r.pushed[before:], func(b []string) bool { return slices.Equal(b, []string{"good"}) }) {
			t.Errorf("the good branch was not pushed by itself: %v", r.pushed[before:])
		}
	})
}

// TestFS195_FinalPush stops with a change waiting.
func TestFS195_FinalPush(t *testing.T) {
	r := &remote{}
	play(t, r, func(c changes) { c <- []string{"a"} })
	if len(r.pushed) != 1 || !slices.Equal(r.pushed[0], []string{"a"}) || r.at[0] > time.Second {
		t.Errorf("pushed %v at %v", r.pushed, r.at)
	}
}
