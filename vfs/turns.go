package vfs

import (
	"context"
	"slices"
	"sync"
)

// Turns lets calls go one after the other, in the order in which they came.
// Unlike a mutex it keeps that order, a context ends a wait, and a transport
// is told of the wait once the place in the order is taken, so that later
// requests cannot overtake. The zero Turns is ready for use.
type Turns struct {
	mu    sync.Mutex // guards the fields below
	taken bool
	queue []chan struct{} // one for each waiting call, closed when its turn comes
}

// Take waits for the caller's turn, which lasts until Give. The error is
// ErrInterrupted, without a turn, if ctx ends the wait.
func (t *Turns) Take(ctx context.Context) error {
	t.mu.Lock()
	if !t.taken {
		t.taken = true
		t.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	t.queue = append(t.queue, mine)
	t.mu.Unlock()

	MayWait(ctx)
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
		t.leave(mine)
		return ErrInterrupted
	}
}

// Give ends the caller's turn.
func (t *Turns) Give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		t.taken = false
		t.queue = nil
		return
	}
	close(t.queue[0])
	t.queue = t.queue[1:]
}

// leave gives up waiting. The turn may have come at the same moment.
func (t *Turns) leave(mine chan struct{}) {
	t.mu.Lock()
	i := slices.Index(t.queue, mine)
	if i >= 0 {
		t.queue = slices.Delete(t.queue, i, i+1)
	}
	t.mu.Unlock()
	if i < 0 {
		t.Give()
	}
}
