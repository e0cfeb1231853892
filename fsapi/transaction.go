package fsapi

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A transaction is /branch/NAME/transactions/T.
type transaction struct {
	vfs.DirBase
	b    *branch
	s    *Session
	tx   *datakit.Tx
	date time.Time // of the commit it started from

	// turns is held by each operation on tx, so that commands are carried out
	// in the order in which they came, and what clients hold of rw changes
	// together with rw.
	turns vfs.Turns

	ended       atomic.Bool
	msg         vfs.Buffer
	parents     vfs.Buffer
	mergeResult vfs.Result
	merge       atomic.Pointer[merged] // the last; nil before the first
	tree        places                 // what clients hold of rw
}

var _ vfs.Dir = (*transaction)(nil)

// A merged has the inputs of a merge.
type merged struct{ ours, theirs, base state }

func (t *transaction) check() error {
	if t.ended.Load() {
		return vfs.ErrNotExist
	}
	return nil
}

// take waits for the caller's turn on the transaction. It ends with t.turns.Give.
func (t *transaction) take(ctx context.Context) error {
	if err := t.turns.Take(ctx); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		t.turns.Give()
		return err
	}
	return nil
}

// end makes the transaction be gone, and discards it unless it was committed.
// It does nothing the second time.
func (t *transaction) end() {
	if t.ended.Swap(true) {
		return
	}
	t.tx.Abort()
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	delete(t.b.txs, t.Name)
	t.b.keep()
	t.s.fs.transactions.Add(-1)
}

// Remove closes the transaction.
func (t *transaction) Remove(ctx context.Context, _ bool) error {
	if err := t.take(ctx); err != nil {
		return err
	}
	defer t.turns.Give()
	t.end()
	return nil
}

// List implements vfs.Dir.
func (t *transaction) List(ctx context.Context) ([]vfs.Dirent, error) {
	if t.merge.Load() == nil {
		return vfs.Dirents(ctx, t, "ctl", "diff/", "merge", "msg", "origin", "parents", "rw/")
	}
	return vfs.Dirents(ctx, t, "base/", "conflicts", "ctl", "diff/", "merge", "msg", "origin", "ours/", "parents", "rw/", "theirs/")
}

// Lookup implements vfs.Dir.
func (t *transaction) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	base := t.s.fs.base(t, name)
	base.Check = t.Check
	file := vfs.FileBase{Base: base}
	switch name {
	case "ctl":
		return &vfs.Command{FileBase: file, Run: t.control}, nil
	case "diff":
		return &diffDir{vfs.DirBase{Base: base}, t.s, t.diff}, nil
	case "merge":
		return &vfs.Command{FileBase: file, Run: t.runMerge, Result: &t.mergeResult}, nil
	case "msg":
		return &vfs.Text{FileBase: file, Buffer: &t.msg}, nil
	case "origin":
		return &vfs.Static{FileBase: file}, nil
	case "parents":
		return &vfs.Text{FileBase: file, Buffer: &t.parents}, nil
	case "rw":
		return rwDir{t.tree.root}, nil
	}
	if t.merge.Load() == nil {
		return nil, vfs.ErrNotExist
	}
	return t.lookupMerge(file, name)
}

func (t *transaction) diff(ctx context.Context, from datakit.Hash) ([]datakit.Change, error) {
	if err := t.take(ctx); err != nil {
		return nil, err
	}
	defer t.turns.Give()
	return t.tx.Diff(ctx, from)
}

// control carries out a command written to ctl.
func (t *transaction) control(ctx context.Context, command string) (string, error) {
	if err := t.take(ctx); err != nil {
		return "", err
	}
	defer t.turns.Give()
	switch command {
	case "close":
		t.end()
		return "", nil
	case "commit":
		vfs.MayWait(ctx)
		return "", t.commit(ctx)
	}
	return "", badCommand(command)
}

// commit publishes the transaction. The caller has the turn.
func (t *transaction) commit(ctx context.Context) error {
	if err := t.checkConflicts(ctx); err != nil {
		return err
	}
	if _, err := t.useParents(ctx); err != nil {
		return err
	}
	if err := t.tx.Commit(ctx, t.msg.String()); err != nil {
		return wireError(err)
	}
	name, err := t.b.present()
	t.end()
	if err == nil {
		t.s.headSeen(name)
	}
	return nil
}

// checkConflicts fails while paths are unresolved.
func (t *transaction) checkConflicts(ctx context.Context) error {
	paths, err := t.tx.Conflicts(ctx)
	if err != nil {
		return wireError(err)
	}
	if len(paths) > 0 {
		return errPending
	}
	return nil
}

// useParents makes what is written in parents the parents of the commit.
func (t *transaction) useParents(ctx context.Context) ([]datakit.Hash, error) {
	parents, err := parseParents(t.parents.String())
	if err != nil {
		return nil, err
	}
	return parents, wireError(t.tx.SetParents(ctx, parents))
}

// parseParents reads one commit name a line. White space and empty lines do
// not count.
func parseParents(text string) ([]datakit.Hash, error) {
	var hs []datakit.Hash
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		h, err := parseCommit(line)
		if err != nil {
			return nil, err
		}
		hs = append(hs, h)
	}
	return hs, nil
}
