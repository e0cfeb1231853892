package p9db

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// A DialFunc makes a connection to a server.
type DialFunc func(ctx context.Context) (io.ReadWriteCloser, error)

// ReconnectOptions say how a database connects again. The zero value, and nil,
// is the default.
type ReconnectOptions struct {
	Options

	// MinDelay and MaxDelay bound the time from one try to connect to the
	// next, which doubles with each failure; 0 means 100 ms and 30 s.
	MinDelay, MaxDelay time.Duration

	// OnConnect is called with nil after each success, and with the error
	// after each failure and when a connection was lost. It must not block,
	// nor use the database. nil means nobody is told but the log.
	OnConnect func(err error)
}

// Reconnecting returns the database of the server that dial connects to, for
// programs that run longer than the server does. It returns at once, and
// connects whenever there is no connection, until it is closed.
//
// Operations wait for a connection as long as their context allows. When the
// connection is lost while they run:
//
//   - What reads, fetches or begins a transaction is done again.
//   - Trees, blobs and watches go on. A watch of a head or path returns
//     next what differs from what it returned last, whatever was between. A
//     reflog, which may have missed something, returns datakit.Overflow once,
//     and then what comes.
//   - FastForward, Remove and Rename of a branch fail, with an error that is
//     p9.ErrConnection and of kind datakit.IO, and may have had their effect.
//   - Transactions are lost, which is logged: all of their operations fail in
//     the same way, for good, and the server has nothing of them. A Commit that
//     fails so may have had its effect: look for it in the history of the
//     branch.
func Reconnecting(dial DialFunc, opts *ReconnectOptions) *datakit.DB {
	if opts == nil {
		opts = new(ReconnectOptions)
	}
	o := *opts
	o.Options = *optionsOf(&opts.Options)
	if o.Redial == nil {
		o.Redial = dial
	}
	if o.MinDelay <= 0 {
		o.MinDelay = 100 * time.Millisecond
	}
	if o.MaxDelay <= 0 {
		o.MaxDelay = 30 * time.Second
	}
	l := &link{dial: dial, opts: o, kept: newKept(o.CacheBytes), ready: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.work.Go(l.keepUp)
	return datakit.New(l)
}

// A link is a database at whatever connection there is. It is datakit.Driver.
type link struct {
	dial DialFunc
	opts ReconnectOptions
	kept *kept // of all connections

	ctx    context.Context // until Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu    sync.Mutex    // guards what follows
	now   *driver       // the present connection, or nil
	ready chan struct{} // closed when there is a connection
	cause error         // why there is none
}

var _ datakit.Driver = (*link)(nil)

// keepUp connects as often as need be.
func (l *link) keepUp() {
	delay, level := l.opts.MinDelay, slog.LevelWarn
	for l.ctx.Err() == nil {
		start := time.Now()
		connected, err := l.once()
		if time.Since(start) > delay { // it was of use, or failing takes long enough
			delay = l.opts.MinDelay
		}
		if connected {
			level = slog.LevelWarn
		}
		if l.ctx.Err() != nil {
			return
		}
		l.tell(err)
		pause := delay/2 + rand.N(delay) // so that not all come at once
		l.opts.Log.Log(l.ctx, level, "not connected", "error", err, "next", pause.Round(time.Millisecond))
		level = slog.LevelDebug // which it was is told once, until it is connected again
		select {
		case <-time.After(pause):
		case <-l.ctx.Done():
		}
		delay = min(2*delay, l.opts.MaxDelay)
	}
}

// once connects, and returns when the connection is lost, and whether there was
// one.
func (l *link) once() (connected bool, err error) {
	d, err := l.connect()
	if err != nil {
		l.mu.Lock()
		l.cause = err
		l.mu.Unlock()
		return false, err
	}
	l.opts.Log.Info("connected")
	l.mu.Lock()
	l.now = d
	close(l.ready)
	l.mu.Unlock()
	l.tell(nil)
	select {
	case <-d.c.Lost():
		d.replaced.Store(true)
		l.reportLost(d)
	case <-l.ctx.Done():
	}
	l.drop(d, p9.ErrConnection)
	d.Close()
	return true, p9.ErrConnection
}

// reportLost tells of the transactions that were open at a connection.
func (l *link) reportLost(d *driver) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, branch := range slices.Sorted(maps.Keys(d.users)) {
		l.opts.Log.Warn("open transactions are lost with the connection", "branch", branch, "count", d.users[branch])
	}
}

// connectTime bounds one try to connect.
const connectTime = 30 * time.Second

func (l *link) connect() (*driver, error) {
	ctx, cancel := context.WithTimeout(l.ctx, connectTime)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	c, err := p9.NewClient(ctx, conn, l.opts.client())
	if err != nil {
		return nil, err
	}
	d := newDriver(c, &l.opts.Options)
	d.kept = l.kept
	return d, nil
}

func (l *link) tell(err error) {
	if l.opts.OnConnect != nil {
		l.opts.OnConnect(err)
	}
}

// drop makes all wait for the connection after that of d.
func (l *link) drop(d *driver, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == d {
		l.now, l.ready, l.cause = nil, make(chan struct{}), cause
	}
}

// driver returns the present connection, or the next one.
func (l *link) driver(ctx context.Context) (*driver, error) {
	for {
		l.mu.Lock()
		d, ready, cause := l.now, l.ready, l.cause
		l.mu.Unlock()
		switch {
		case l.ctx.Err() != nil:
			return nil, &datakit.Error{Kind: datakit.Closed, Err: errClosed}
		case d != nil && !d.lost():
			return d, nil
		case d != nil:
			l.drop(d, p9.ErrConnection)
			continue
		}
		select {
		case <-ready:
		case <-l.ctx.Done():
		case <-ctx.Done():
			if cause == nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("%w while there was no connection: %w", ctx.Err(), cause)
		}
	}
}

// lost reports whether the connection is.
func (d *driver) lost() bool {
	select {
	case <-d.c.Lost():
		d.replaced.Store(true) // before anybody looks at what that led to
		return true
	default:
		return false
	}
}

// again calls f with a connection, and again with another one when the
// connection was lost meanwhile.
func again[T any](ctx context.Context, l *link, f func(d *driver) (T, error)) (T, error) {
	for {
		d, err := l.driver(ctx)
		if err != nil {
			var none T
			return none, err
		}
		v, err := f(d)
		switch {
		case err == nil || !d.lost():
			return v, err
		case ctx.Err() != nil:
			return v, ctx.Err()
		}
	}
}

// Close implements datakit.Driver.
func (l *link) Close() error {
	l.cancel()
	l.work.Wait()
	return nil
}

// write calls f with a connection, once: what it does may be done when the
// answer is lost.
func (l *link) write(ctx context.Context, f func(d *driver) error) error {
	d, err := l.driver(ctx)
	if err != nil {
		return err
	}
	return f(d)
}
