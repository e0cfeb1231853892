package p9db

import (
	"context"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// latePause is the time from one try to open a late watch to the next.
const latePause = 500 * time.Millisecond

// A lateWatch follows what cannot be opened now: the tree has no place for a
// branch as long as there is one of which it would be a directory, or the other
// way round. Until there is, nothing is there.
type lateWatch[T comparable] struct {
	d       *driver
	open    func(ctx context.Context) (datakit.Watch[T], error) // nil if it will never be there
	started bool                                                // the first Next returns first
	first   T

	once   sync.Once
	closed chan struct{}

	mu sync.Mutex // guards w
	w  datakit.Watch[T]
}

// orLate opens a watch, or returns one that will do so later.
func orLate[T comparable](ctx context.Context, d *driver, open func(ctx context.Context) (datakit.Watch[T], error), started bool, first T) (datakit.Watch[T], error) {
	w, err := open(ctx)
	if isConflict(err) {
		return &lateWatch[T]{d: d, open: open, started: started, first: first, closed: make(chan struct{})}, nil
	}
	return w, err
}

// Next implements datakit.Watch.
func (l *lateWatch[T]) Next(ctx context.Context) (T, error) {
	if l.started {
		l.started = false
		return l.first, l.ended()
	}
	for {
		w, err := l.watch(ctx)
		if err != nil {
			var none T
			return none, err
		}
		v, err := w.Next(ctx)
		if err != nil || v != l.first {
			l.first = v
			return v, err
		}
	}
}

// watch returns the watch when it can be opened.
func (l *lateWatch[T]) watch(ctx context.Context) (datakit.Watch[T], error) {
	for {
		if l.w != nil {
			return l.w, nil
		}
		if err := l.pause(ctx); err != nil {
			return nil, err
		}
		if l.open == nil {
			continue
		}
		w, err := l.open(ctx)
		if isConflict(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		l.mu.Lock()
		l.w = w
		l.mu.Unlock()
		if err := l.ended(); err != nil {
			w.Close()
			return nil, err
		}
	}
}

// pause waits until it is time for another try.
func (l *lateWatch[T]) pause(ctx context.Context) error {
	t := time.NewTimer(latePause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.closed:
	case <-l.d.c.Lost(): // also when the database is closed
	case <-ctx.Done():
		return ctx.Err()
	}
	return l.ended()
}

// ended returns why there will be no more values, or nil.
func (l *lateWatch[T]) ended() error {
	select {
	case <-l.closed:
		return &datakit.Error{Kind: datakit.Closed}
	case <-l.d.c.Lost():
		return l.d.fail(p9.ErrConnection)
	default:
		return nil
	}
}

// Close implements datakit.Watch.
func (l *lateWatch[T]) Close() error {
	l.once.Do(func() { close(l.closed) })
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w != nil {
		return l.w.Close()
	}
	return nil
}
