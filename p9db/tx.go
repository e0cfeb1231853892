package p9db

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
)

// A tx is a transaction of the server's. It is datakit.TxDriver.
type tx struct {
	home *driver       // that it was begun at
	turn chan struct{} // holds the one token of those who work with what follows

	d       *driver // that it is at: home, or a side of it
	branch  string
	dir     *p9.Fid // of the transaction
	name    string
	rw      place
	rev     uint64                     // of the contents; changes with each edit
	changed map[datakit.Path]time.Time // the paths that were edited
	readers openSet
	writers openSet

	release func() // gives up what only this transaction uses

	end   sync.Once
	ended chan struct{} // closed when the transaction has ended
}

var (
	_ datakit.TxDriver      = (*tx)(nil)
	_ datakit.HashCommitter = (*tx)(nil)
)

// Begin implements datakit.Driver.
func (d *driver) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	t := &tx{home: d, d: d, turn: make(chan struct{}, 1), release: func() {}, changed: make(map[datakit.Path]time.Time), ended: make(chan struct{})}
	t.turn <- struct{}{}
	err := t.open(ctx, branch)
	if !isOwn(err) {
		return t, err
	}
	side, err := d.side(ctx)
	if err != nil {
		return nil, err
	}
	t.d = side
	if err := t.open(ctx, branch); err != nil {
		side.Close()
		return nil, err
	}
	t.release = func() { d.background(func(context.Context) { side.Close() }) }
	return t, nil
}

// beginTries is how many names of transactions are tried.
const beginTries = 3

// open starts a transaction of the server's on a branch.
func (t *tx) open(ctx context.Context, branch string) error {
	d := t.d
	d.begin.RLock()
	defer d.begin.RUnlock()
	var err error
	for range beginTries {
		name := randomName()
		var left []string // where there may be a transaction nevertheless
		err = d.atBranch(ctx, branch, func(dir ...string) error {
			f, err := d.walk(ctx, append(dir, "transactions")...)
			if err != nil {
				return err
			}
			defer f.Release()
			if err := f.Mkdir(ctx, name, dirPerm); err != nil {
				if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
					left = append(dir, "transactions", name)
				}
				return d.fail(err)
			}
			if t.dir, err = f.Walk(context.WithoutCancel(ctx), name); err != nil {
				left = append(dir, "transactions", name)
			}
			return d.fail(err)
		})
		if left != nil {
			d.removeLater(left...)
		}
		if err == nil {
			t.dir.Keep()
			t.branch, t.name = branch, name
			t.rw = place{d, t.dir, []string{"rw"}}
			t.readers = openSet{rw: &t.rw, flags: p9.ReadOnly, max: maxReaders}
			t.writers = openSet{rw: &t.rw, flags: p9.WriteOnly, max: maxWriters}
			d.use(branch, 1)
			return nil
		}
		if !errors.Is(err, datakit.Exist) {
			break
		}
	}
	return d.withConflict(ctx, branch, err)
}

// randomName returns a name of 63 random bits.
func randomName() string {
	var b [8]byte
	rand.Read(b[:])
	return strconv.FormatUint(binary.LittleEndian.Uint64(b[:])>>1, 10)
}

// removeLater removes what nobody will use.
func (d *driver) removeLater(names ...string) {
	d.background(func(ctx context.Context) {
		if f, err := d.walk(ctx, names...); err == nil {
			f.Remove(ctx)
		}
	})
}

// do runs f while no other call of the transaction runs.
func (t *tx) do(ctx context.Context, f func() error) error {
	select {
	case <-t.ended:
		return &datakit.Error{Kind: datakit.Closed}
	default:
	}
	if t.home.closed.Load() {
		return t.home.ended()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-t.turn:
	case <-t.ended:
		return &datakit.Error{Kind: datakit.Closed}
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { t.turn <- struct{}{} }()
	select {
	case <-t.ended:
		return &datakit.Error{Kind: datakit.Closed}
	default:
		return f()
	}
}

// Abort implements datakit.TxDriver. It does not wait for the server.
func (t *tx) Abort() error {
	t.finish(func(ctx context.Context) {
		<-t.turn // a call that runs fails by itself, or ends soon
		t.closeFiles()
		t.close(ctx)
	})
	return nil
}

// finish ends the transaction, unless it has ended, and runs f in the
// background.
func (t *tx) finish(f func(ctx context.Context)) {
	t.end.Do(func() {
		close(t.ended)
		t.home.background(func(ctx context.Context) {
			f(ctx)
			t.release()
		})
	})
}

// close has the server discard the transaction, which it does in any case when
// the connection ends.
func (t *tx) close(ctx context.Context) {
	t.d.use(t.branch, -1)
	if err := t.dir.Remove(ctx); err != nil && ctx.Err() == nil {
		t.d.opts.Log.Debug("a transaction is not discarded", "branch", t.branch, "name", t.name, "error", err)
	}
}

// edit runs a change of what is at some paths.
func (t *tx) edit(ctx context.Context, f func() error, paths ...datakit.Path) error {
	return t.do(ctx, func() error {
		err := t.d.fail(f())
		t.rev++ // also if it failed: something may have been done
		if err == nil {
			for _, path := range paths {
				t.changed[path] = time.Now()
			}
		}
		return err
	})
}

// forget forgets what was changed at path and below.
func (t *tx) forget(path datakit.Path) {
	for p := range t.changed {
		if p.Within(path) {
			delete(t.changed, p)
		}
	}
}

// mark adds to an entry which state of the transaction it is from.
func (t *tx) mark(path datakit.Path, e datakit.Entry) datakit.Entry {
	e.Rev, e.Changed = t.rev+1, t.changed[path]
	return e
}

// Lookup implements datakit.TreeDriver.
func (t *tx) Lookup(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	e, err := t.Stat(ctx, path)
	e.Size = 0
	return e, err
}

// Stat implements datakit.TreeDriver.
func (t *tx) Stat(ctx context.Context, path datakit.Path) (e datakit.Entry, err error) {
	err = t.do(ctx, func() error {
		e, err = t.rw.stat(ctx, path)
		e = t.mark(path, e)
		return err
	})
	if err != nil {
		return datakit.Entry{}, err
	}
	return e, nil
}

// ReadDir implements datakit.TreeDriver.
func (t *tx) ReadDir(ctx context.Context, path datakit.Path) (entries []datakit.Entry, err error) {
	err = t.do(ctx, func() error {
		entries, err = t.rw.list(ctx, path)
		for i, e := range entries {
			e.Size = 0
			entries[i] = t.mark(path.Join(datakit.Path(e.Name)), e)
		}
		return err
	})
	return entries, err
}

// Open implements datakit.TreeDriver. What it returns is a copy, as the file of
// the server changes.
func (t *tx) Open(ctx context.Context, path datakit.Path) (b datakit.Blob, err error) {
	err = t.do(ctx, func() error {
		b, err = t.rw.copy(ctx, path)
		return err
	})
	return b, err
}
