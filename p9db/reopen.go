package p9db

import (
	"context"
	"errors"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// A reopening watch is for the original server, where a wait that was given up
// takes the next line with it and leaves the stream useless (specification of the
// filesystem, FS-82): then it opens another stream, and returns what differs from
// what it returned last. It is datakit.Watch[T].
type reopening[T comparable] struct {
	open func(ctx context.Context) (datakit.Watch[T], error)

	mu     sync.Mutex // guards what follows
	w      datakit.Watch[T]
	closed bool

	seen bool // last is what Next returned last
	last T
}

// orReopening opens a watch of a state, with open. One that speaks no 9P2000.L may
// be at the original server.
func orReopening[T comparable](ctx context.Context, d *driver, open func(ctx context.Context) (datakit.Watch[T], error)) (datakit.Watch[T], error) {
	w, err := open(ctx)
	if err != nil || d.c.Dialect() == p9.DotL {
		return w, err
	}
	return &reopening[T]{open: open, w: w}, nil
}

// Next implements datakit.Watch.
func (r *reopening[T]) Next(ctx context.Context) (T, error) {
	for {
		v, err := r.watch().Next(ctx)
		switch {
		case isSeek(err):
			if err := r.again(ctx); err != nil {
				return v, err
			}
		case err != nil:
			return v, err
		case !r.seen || v != r.last:
			r.seen, r.last = true, v
			return v, nil
		}
	}
}

func (r *reopening[T]) watch() datakit.Watch[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.w
}

// again opens another stream.
func (r *reopening[T]) again(ctx context.Context) error {
	w, err := r.open(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.w
	if r.closed {
		old = w // which nobody else closes
	} else {
		r.w = w
	}
	return old.Close()
}

// Close implements datakit.Watch.
func (r *reopening[T]) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.w.Close()
}

// isSeek reports whether err is that of a stream of which something was missed.
func isSeek(err error) bool {
	var e *p9.Error
	return errors.As(err, &e) && (e.Text == vfs.ErrSeek.Text || e.Errno == vfs.ErrSeek.Errno)
}
