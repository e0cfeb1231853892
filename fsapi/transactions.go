package fsapi

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A transactionsDir is /branch/NAME/transactions.
type transactionsDir struct {
	dirsOnly
	b *branch
}

// List implements vfs.Dir.
func (d *transactionsDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	d.b.s.mu.Lock()
	names := slices.Sorted(maps.Keys(d.b.txs))
	d.b.s.mu.Unlock()
	return listDirs(ctx, d, names)
}

// Lookup implements vfs.Dir.
func (d *transactionsDir) Lookup(_ context.Context, name string) (vfs.Node, error) {
	d.b.s.mu.Lock()
	defer d.b.s.mu.Unlock()
	if t := d.b.txs[name]; t != nil {
		return t, nil
	}
	return nil, vfs.ErrNotExist
}

// Mkdir starts a transaction.
func (d *transactionsDir) Mkdir(ctx context.Context, name string) (vfs.Node, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	s := d.b.s
	if err := s.names.Take(ctx); err != nil {
		return nil, err
	}
	defer s.names.Give()
	if _, err := d.Lookup(ctx, name); err == nil {
		return nil, vfs.ErrExist
	}
	h, err := d.b.handle()
	if err != nil {
		return nil, err
	}
	t, err := newTransaction(ctx, d, name, h)
	if err != nil {
		return nil, wireError(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		t.tx.Abort()
		return nil, vfs.ErrInterrupted
	}
	if d.b.txs == nil {
		d.b.txs = make(map[string]*transaction)
	}
	d.b.txs[name] = t
	d.b.keep()
	s.fs.transactions.Add(1)
	return t, nil
}

// newTransaction begins a transaction on h.
func newTransaction(ctx context.Context, in *transactionsDir, name string, h *datakit.Branch) (*transaction, error) {
	s := in.b.s
	tx, err := h.Begin(ctx)
	if err != nil {
		return nil, err
	}
	parents, date, err := origin(ctx, s, tx)
	if err != nil {
		tx.Abort()
		return nil, err
	}
	t := &transaction{DirBase: vfs.DirBase{Base: s.fs.base(in, name)}, b: in.b, s: s, tx: tx, date: date}
	t.Check = t.check
	t.parents.Set(formatHashes(parents))
	t.tree.init(t)
	return t, nil
}

// origin returns the first parents of a transaction, and the time that its
// entries show at first.
func origin(ctx context.Context, s *Session, tx *datakit.Tx) ([]datakit.Hash, time.Time, error) {
	parents, err := tx.Parents(ctx)
	if err != nil || len(parents) == 0 {
		return nil, s.fs.start, err
	}
	c, err := s.db.Commit(ctx, parents[0])
	if err != nil {
		return nil, time.Time{}, err
	}
	return parents, c.Date, nil
}
