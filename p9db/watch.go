package p9db

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// A watch follows a stream of the tree. It is datakit.Watch[T].
type watch[T any] struct {
	d      *driver
	s      *p9.Stream
	parse  func(line string) (T, error)
	lost   func(err error) error // what a failure of the stream itself means
	closed atomic.Bool
	side   *driver // that the stream has to itself, or nil
}

// Next implements datakit.Watch.
func (w *watch[T]) Next(ctx context.Context) (T, error) {
	var none T
	if w.closed.Load() {
		return none, &datakit.Error{Kind: datakit.Closed}
	}
	line, err := w.s.Next(ctx)
	switch {
	case err == nil:
		return w.parse(line)
	case w.closed.Load():
		return none, &datakit.Error{Kind: datakit.Closed}
	case errors.Is(err, io.EOF) && !errors.Is(err, p9.ErrConnection):
		return none, &datakit.Error{Kind: datakit.Internal, Err: errors.New("internal error: a live file has ended")}
	case isInterrupted(err) && w.isEnding(ctx):
		return none, w.d.fail(p9.ErrConnection)
	case w.lost != nil:
		err = w.lost(err)
	}
	return none, w.d.fail(err)
}

// endTime bounds how long a server takes to end after it has interrupted what
// waits.
const endTime = 2 * p9.DefaultGrace

// isInterrupted reports whether a server says that it has given up a wait.
func isInterrupted(err error) bool {
	var e *p9.Error
	return errors.As(err, &e) && (e.Errno == vfs.EINTR || e.Text == vfs.ErrInterrupted.Text)
}

// isEnding reports whether the server that has interrupted a wait, which nobody
// asked for, is about to close the connection. Servers may do so when they stop.
func (w *watch[T]) isEnding(ctx context.Context) bool {
	c := w.d.c
	if w.side != nil {
		c = w.side.c
	}
	t := time.NewTimer(endTime)
	defer t.Stop()
	select {
	case <-c.Lost():
	case <-t.C:
	case <-ctx.Done():
	}
	select {
	case <-c.Lost():
		return true
	default:
		return false
	}
}

// Close implements datakit.Watch.
func (w *watch[T]) Close() error {
	if w.closed.Swap(true) {
		return nil
	}
	w.s.Close() // of which nothing remains if the connection is lost
	if w.side != nil {
		w.side.Close()
	}
	return nil
}

// openStream opens a stream of a branch, on a connection of its own if it must.
func openStream[T any](ctx context.Context, d *driver, w *watch[T], branch string, names ...string) (datakit.Watch[T], error) {
	w.d = d
	err := w.open(ctx, d, branch, names)
	if isOwn(err) && d.opts.Redial != nil {
		if w.side, err = d.side(ctx); err != nil {
			return nil, err
		}
		if err = w.open(ctx, w.side, branch, names); err != nil {
			w.side.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (w *watch[T]) open(ctx context.Context, d *driver, branch string, names []string) error {
	return d.atBranch(ctx, branch, func(dir ...string) error {
		f, err := d.openFile(ctx, p9.ReadOnly, append(dir, names...)...)
		if err == nil {
			w.s = p9.NewStream(f)
		}
		return err
	})
}

// WatchHead implements datakit.Driver.
func (d *driver) WatchHead(ctx context.Context, branch string) (datakit.Watch[datakit.Hash], error) {
	open := func(ctx context.Context) (datakit.Watch[datakit.Hash], error) {
		return orReopening(ctx, d, func(ctx context.Context) (datakit.Watch[datakit.Hash], error) {
			return openStream(ctx, d, &watch[datakit.Hash]{parse: parseHead}, branch, "head.live")
		})
	}
	return orLate(ctx, d, open, true, datakit.Hash{})
}

// Reflog implements datakit.Driver.
func (d *driver) Reflog(ctx context.Context, branch string) (datakit.Watch[datakit.Hash], error) {
	open := func(ctx context.Context) (datakit.Watch[datakit.Hash], error) {
		w := &watch[datakit.Hash]{parse: parseHead, lost: overflow}
		s, err := openStream(ctx, d, w, branch, "reflog")
		if err != nil {
			return nil, err
		}
		if err := w.skipFirst(ctx, branch); err != nil {
			w.Close()
			return nil, err
		}
		return s, nil
	}
	return orLate(ctx, d, open, false, datakit.Hash{})
}

// skipFirst reads the empty line away with which the reflog of the original
// server begins (specification of the filesystem, FS-52). That server is told by
// the directory that its branches have not (FS-55), and speaks no 9P2000.L.
func (w *watch[T]) skipFirst(ctx context.Context, branch string) error {
	d := w.d
	if w.side != nil {
		d = w.side
	}
	if d.c.Dialect() == p9.DotL {
		return nil
	}
	dir, err := d.walk(ctx, branchDir, wireName(branch))
	if errors.Is(err, datakit.NotExist) {
		return nil // it was just removed
	} else if err != nil {
		return err
	}
	defer dir.Release()
	diff, err := dir.Walk(ctx, "diff")
	if err == nil {
		diff.Release()
		return nil
	}
	if err = d.fail(err); !errors.Is(err, datakit.NotExist) {
		return err
	}
	_, err = w.s.Next(ctx)
	return d.fail(err)
}

// overflow makes the one failure that a server has for a reflog of an error
// that came without a text.
func overflow(err error) error {
	if e := (*p9.Error)(nil); errors.As(err, &e) && kindOf(e, datakit.IO) == datakit.IO {
		return &datakit.Error{Kind: datakit.Overflow}
	}
	return err
}

// WatchPath implements datakit.Driver.
func (d *driver) WatchPath(ctx context.Context, branch string, path datakit.Path) (datakit.Watch[datakit.Entry], error) {
	names := []string{"watch"}
	for step := range path.Steps() {
		if datakit.CheckName(step) != nil { // there will never be anything
			return &lateWatch[datakit.Entry]{d: d, started: true, closed: make(chan struct{})}, nil
		}
		names = append(names, step+".node")
	}
	open := func(ctx context.Context) (datakit.Watch[datakit.Entry], error) {
		return orReopening(ctx, d, func(ctx context.Context) (datakit.Watch[datakit.Entry], error) {
			return openStream(ctx, d, &watch[datakit.Entry]{parse: parseState}, branch, append(names, "tree.live")...)
		})
	}
	first := datakit.Entry{}
	if path == datakit.Root {
		first = datakit.Entry{Mode: datakit.Dir, Hash: datakit.EmptyTree}
	}
	return orLate(ctx, d, open, true, first)
}

// parseState reads a line that tells the state of a path (specification of the
// filesystem, FS-59).
func parseState(line string) (datakit.Entry, error) {
	if line == "" {
		return datakit.Entry{}, nil
	}
	id, err := datakit.ParseTreeID(line)
	if err != nil || line[1] != '-' {
		return datakit.Entry{}, internal("malformed state of a path", line)
	}
	return datakit.Entry{Mode: id.Mode, Hash: id.Hash}, nil
}
