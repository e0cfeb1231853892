package bridge

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/memdb"
)

// A faultyDB is a database that somebody else uses at awkward moments and that
// cannot be reached at others.
type faultyDB struct {
	datakit.Driver

	mu       sync.Mutex
	onCommit func() error    // called before each commit, without the lock
	busy     bool            // onCommit is running
	down     error           // what everything fails with, unless nil
	watches  map[*watch]bool // those that are open

	open atomic.Int32 // transactions that were begun and not ended
}

func newFaultyDB() *faultyDB {
	return &faultyDB{Driver: memdb.New(nil).Driver(), watches: map[*watch]bool{}}
}

// atCommit has f called before each commit, which fails with its error. Commits
// made by f itself do not call it. nil ends that.
func (d *faultyDB) atCommit(f func() error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onCommit = f
}

// fail has everything fail with err, and what waits too; nil ends that.
func (d *faultyDB) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = err
	if err != nil {
		for w := range d.watches {
			w.Watch.Close()
		}
	}
}

func (d *faultyDB) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.down
}

func (d *faultyDB) Head(ctx context.Context, branch string) (datakit.Hash, error) {
	if err := d.failure(); err != nil {
		return datakit.Hash{}, err
	}
	return d.Driver.Head(ctx, branch)
}

func (d *faultyDB) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	if err := d.failure(); err != nil {
		return nil, err
	}
	tx, err := d.Driver.Begin(ctx, branch)
	if err != nil {
		return nil, err
	}
	d.open.Add(1)
	return &faultyTx{TxDriver: tx, db: d}, nil
}

func (d *faultyDB) WatchHead(ctx context.Context, branch string) (datakit.Watch[datakit.Hash], error) {
	if err := d.failure(); err != nil {
		return nil, err
	}
	w, err := d.Driver.WatchHead(ctx, branch)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	wrapped := &watch{w, d}
	d.watches[wrapped] = true
	return wrapped, nil
}

type watch struct {
	datakit.Watch[datakit.Hash]
	db *faultyDB
}

func (w *watch) Close() error {
	w.db.mu.Lock()
	delete(w.db.watches, w)
	w.db.mu.Unlock()
	return w.Watch.Close()
}

type faultyTx struct {
	datakit.TxDriver
	db    *faultyDB
	ended atomic.Bool
}

func (tx *faultyTx) Commit(ctx context.Context, msg string) error {
	if err := tx.db.failure(); err != nil {
		return err
	}
	if err := tx.db.before(); err != nil {
		return err
	}
	err := tx.TxDriver.Commit(ctx, msg)
	if err == nil {
		tx.end()
	}
	return err
}

// before calls what atCommit has set, unless it is that which commits.
func (d *faultyDB) before() error {
	d.mu.Lock()
	f := d.onCommit
	if f == nil || d.busy {
		d.mu.Unlock()
		return nil
	}
	d.busy = true
	d.mu.Unlock()
	err := f()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	return err
}

func (tx *faultyTx) Abort() error {
	tx.end()
	return tx.TxDriver.Abort()
}

func (tx *faultyTx) end() {
	if !tx.ended.Swap(true) {
		tx.db.open.Add(-1)
	}
}
