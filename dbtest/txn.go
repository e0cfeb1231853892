package dbtest

import (
	"maps"
	"slices"

	"github.com/datakit/datakit"
)

// A txn is a transaction whose lower-case methods end the check where they
// fail. It is aborted at the end of the check.
type txn struct {
	*datakit.Tx
	e *env
}

// begin starts a transaction.
func (e *env) begin(branch string) *txn {
	e.Helper()
	tx, err := e.db.Branch(branch).Begin(e.ctx)
	e.ok(err)
	e.Cleanup(tx.Abort)
	return &txn{tx, e}
}

// write sets the content of a file, in a directory that is made if need be.
func (tx *txn) write(path datakit.Path, content string) {
	tx.e.Helper()
	tx.e.ok(tx.MkdirAll(tx.e.ctx, path.Dir()))
	tx.e.ok(tx.WriteFile(tx.e.ctx, path, []byte(content)))
}

// put changes the given files. One whose mode is Absent is removed.
func (tx *txn) put(fs files) {
	tx.e.Helper()
	for _, path := range slices.Sorted(maps.Keys(fs)) {
		tx.putFile(path, fs[path])
	}
}

func (tx *txn) putFile(path datakit.Path, f file) {
	tx.e.Helper()
	if f.mode == datakit.Absent {
		tx.remove(path)
		return
	}
	tx.e.ok(tx.MkdirAll(tx.e.ctx, path.Dir()))
	switch f.mode {
	case datakit.Dir:
		tx.e.ok(tx.MkdirAll(tx.e.ctx, path))
	case datakit.Symlink:
		tx.e.symlinks()
		tx.e.ok(tx.Symlink(tx.e.ctx, path, f.data))
	default:
		tx.e.ok(tx.Create(tx.e.ctx, path, f.mode, []byte(f.data)))
	}
}

func (tx *txn) mkdir(path datakit.Path) {
	tx.e.Helper()
	tx.e.ok(tx.Mkdir(tx.e.ctx, path))
}

func (tx *txn) remove(path datakit.Path) {
	tx.e.Helper()
	tx.e.ok(tx.Remove(tx.e.ctx, path))
}

func (tx *txn) rename(from, to datakit.Path) {
	tx.e.Helper()
	tx.e.ok(tx.Rename(tx.e.ctx, from, to))
}

func (tx *txn) merge(h datakit.Hash) *datakit.Merge {
	tx.e.Helper()
	m, err := tx.Merge(tx.e.ctx, h)
	tx.e.ok(err)
	if m == nil {
		tx.e.Fatal("Merge returned neither a merge nor an error")
	}
	return m
}

func (tx *txn) commit(msg string) {
	tx.e.Helper()
	tx.e.ok(tx.Commit(tx.e.ctx, msg))
}

func (tx *txn) parents() []datakit.Hash {
	tx.e.Helper()
	hs, err := tx.Parents(tx.e.ctx)
	tx.e.ok(err)
	return hs
}

// wantConflicts reports unresolved paths other than want.
func (tx *txn) wantConflicts(want ...datakit.Path) {
	tx.e.Helper()
	got, err := tx.Conflicts(tx.e.ctx)
	tx.e.ok(err)
	tx.e.same("conflicts", got, want)
}

// wantFiles reports contents other than want.
func (tx *txn) wantFiles(want files) {
	tx.e.Helper()
	tx.e.wantFiles("the transaction", &tx.Tree, want)
}

// wantFile reports anything but want at path.
func (tx *txn) wantFile(path datakit.Path, want file) {
	tx.e.Helper()
	tx.e.wantFile(&tx.Tree, path, want)
}
