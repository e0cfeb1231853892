package p9db

import (
	"context"
	"sync"

	"github.com/datakit/datakit"
)

// A held is something at the present connection, which is opened again at the
// next one.
type held[T any] struct {
	l     *link
	open  func(ctx context.Context, d *driver) (T, error)
	close func(v T)

	mu     sync.Mutex // guards what follows, also while it is opened
	d      *driver    // that v is at, or nil
	v      T
	closed bool
}

// at returns the thing at the connection of d.
func (h *held[T]) at(ctx context.Context, d *driver) (v T, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return v, &datakit.Error{Kind: datakit.Closed}
	case h.d == d:
		return h.v, nil
	}
	if v, err = h.open(ctx, d); err != nil {
		return v, err
	}
	if h.d != nil {
		h.close(h.v)
	}
	h.d, h.v = d, v
	return v, nil
}

// release closes the thing for good.
func (h *held[T]) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.d != nil && !h.closed {
		h.close(h.v)
	}
	h.closed = true
}

// use calls f with the thing, and again at another connection when the
// connection was lost meanwhile.
func use[T, R any](ctx context.Context, h *held[T], f func(v T) (R, error)) (R, error) {
	return again(ctx, h.l, func(d *driver) (r R, err error) {
		v, err := h.at(ctx, d)
		if err != nil {
			return r, err
		}
		return f(v)
	})
}

// WatchHead implements datakit.Driver.
func (l *link) WatchHead(ctx context.Context, branch string) (datakit.Watch[datakit.Hash], error) {
	return follow(ctx, l, false, func(ctx context.Context, d *driver) (datakit.Watch[datakit.Hash], error) {
		return d.WatchHead(ctx, branch)
	})
}

// WatchPath implements datakit.Driver.
func (l *link) WatchPath(ctx context.Context, branch string, path datakit.Path) (datakit.Watch[datakit.Entry], error) {
	return follow(ctx, l, false, func(ctx context.Context, d *driver) (datakit.Watch[datakit.Entry], error) {
		return d.WatchPath(ctx, branch, path)
	})
}

// Reflog implements datakit.Driver.
func (l *link) Reflog(ctx context.Context, branch string) (datakit.Watch[datakit.Hash], error) {
	return follow(ctx, l, true, func(ctx context.Context, d *driver) (datakit.Watch[datakit.Hash], error) {
		return d.Reflog(ctx, branch)
	})
}

// A linkWatch is a watch at whatever connection there is. It is
// datakit.Watch[T].
type linkWatch[T comparable] struct {
	w       *held[datakit.Watch[T]]
	life    context.Context // until Close
	end     context.CancelFunc
	log     bool // skips nothing, so that what may be missing is told
	gap     bool // something may be; guarded by w.mu
	started bool // last is what Next returned last
	last    T
}

// follow returns a watch that open opens at each connection.
func follow[T comparable](ctx context.Context, l *link, log bool, open func(ctx context.Context, d *driver) (datakit.Watch[T], error)) (datakit.Watch[T], error) {
	w := &linkWatch[T]{log: log}
	w.life, w.end = context.WithCancel(context.Background())
	w.w = &held[datakit.Watch[T]]{
		l: l,
		open: func(ctx context.Context, d *driver) (datakit.Watch[T], error) {
			next, err := open(ctx, d)
			w.gap = w.gap || err == nil && w.w.d != nil
			return next, err
		},
		close: func(v datakit.Watch[T]) { v.Close() },
	}
	if _, err := use(ctx, w.w, func(datakit.Watch[T]) (struct{}, error) { return struct{}{}, nil }); err != nil {
		w.end()
		return nil, err
	}
	return w, nil
}

// Next implements datakit.Watch.
func (w *linkWatch[T]) Next(ctx context.Context) (T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(w.life, func() { cancel(errClosed) })()
	for {
		v, err := use(ctx, w.w, func(s datakit.Watch[T]) (T, error) {
			if w.missed() {
				var none T
				return none, &datakit.Error{Kind: datakit.Overflow}
			}
			return s.Next(ctx)
		})
		switch {
		case w.life.Err() != nil:
			return v, &datakit.Error{Kind: datakit.Closed}
		case err != nil:
			return v, err
		case w.log || !w.started || v != w.last:
			w.started, w.last = true, v
			return v, nil
		}
	}
}

// missed reports, once, whether a log may have a gap.
func (w *linkWatch[T]) missed() bool {
	w.w.mu.Lock()
	defer w.w.mu.Unlock()
	gap := w.gap && w.log
	w.gap = false
	return gap
}

// Close implements datakit.Watch.
func (w *linkWatch[T]) Close() error {
	w.end()
	w.w.release()
	return nil
}
