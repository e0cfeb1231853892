package dbtest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/datakit/datakit"
)

// patience is how long a check may take before its context ends, so that what
// waits for ever fails by name. No check that passes depends on it.
const patience = 15 * time.Minute

// A reporter is a *testing.T, or the *rapid.T of one try of a property.
type reporter interface {
	rapid.TB
	Cleanup(func())
}

// An env is what a check works with: a database of its own and a context that
// lasts as long as the check. Methods that cannot do their work end the check.
type env struct {
	reporter
	t   *testing.T // of the check, whatever the reporter is
	ctx context.Context
	db  *datakit.DB
	cfg *Config

	closed   bool
	branches *atomic.Int64 // made by fresh
}

func newEnv(t *testing.T, cfg *Config) *env {
	return envOn(t, cfg, cfg.Open(t))
}

func envOn(t *testing.T, cfg *Config, db *datakit.DB) *env {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	e := &env{reporter: t, t: t, ctx: ctx, db: db, cfg: cfg, branches: new(atomic.Int64)}
	t.Cleanup(func() {
		cancel()
		e.close()
	})
	return e
}

// try returns e for one try of a property, on the same database.
func (e *env) try(rt *rapid.T) *env {
	other := *e
	other.reporter = rt
	return &other
}

// at returns an env with another database, whose clock shows now.
func (e *env) at(now time.Time) *env {
	e.Helper()
	if e.cfg.OpenAt == nil {
		e.Skip("the database has no clock that can be set")
	}
	return envOn(e.t, e.cfg, e.cfg.OpenAt(e.t, func() time.Time { return now }))
}

// close closes the database, once.
func (e *env) close() {
	e.Helper()
	if e.closed {
		return
	}
	e.closed = true
	if err := e.db.Close(); err != nil {
		e.Errorf("closing the database: %v", err)
	}
}

// light reports whether what takes long is to be made shorter.
func (e *env) light() bool { return testing.Short() || e.cfg.Light }

// heavy skips a check that takes long, if the tests shall be short.
func (e *env) heavy() {
	if e.light() {
		e.Skip("takes long")
	}
}

// symlinks skips a check that makes symlinks, if the database cannot.
func (e *env) symlinks() {
	if e.cfg.NoSymlinks {
		e.Skip("the database has no way to make symlinks")
	}
}

// sized returns a size for a check, or a smaller one if the tests shall be short.
func (e *env) sized(n, light int) int {
	if e.light() {
		return light
	}
	return n
}

// ok ends the check if err is not nil.
func (e *env) ok(err error) {
	e.Helper()
	if err != nil {
		e.Fatalf("unexpected error: %v", err)
	}
}

// fails reports an error that is not exactly of the given kind. what names the
// call that returned it.
func (e *env) fails(what string, err error, kind datakit.Kind) {
	e.Helper()
	if !errors.Is(err, kind) || datakit.KindOf(err) != kind {
		e.Errorf("%s: error %v, want the kind %q", what, err, kind.Error())
	}
}

// fresh returns a branch name that the check has not used.
func (e *env) fresh() string {
	return fmt.Sprintf("branch-%d", e.branches.Add(1))
}

// head returns the head of a branch, which may be zero.
func (e *env) head(branch string) datakit.Hash {
	e.Helper()
	h, err := e.db.Branch(branch).Head(e.ctx)
	e.ok(err)
	return h
}

// wantHead reports a head other than want.
func (e *env) wantHead(branch string, want datakit.Hash) {
	e.Helper()
	if got := e.head(branch); got != want {
		e.Errorf("the head of %s is %v, want %v", branch, got, want)
	}
}

// wantBranches reports branches other than want.
func (e *env) wantBranches(want ...string) {
	e.Helper()
	got, err := e.db.Branches(e.ctx)
	e.ok(err)
	e.same("branches", got, want)
}

// tree returns the contents of a branch's head.
func (e *env) tree(branch string) *datakit.Tree {
	e.Helper()
	t, err := e.db.Branch(branch).Tree(e.ctx)
	e.ok(err)
	return t
}

// commitOf returns the commit h.
func (e *env) commitOf(h datakit.Hash) *datakit.Commit {
	e.Helper()
	c, err := e.db.Commit(e.ctx, h)
	e.ok(err)
	return c
}

// treeOf returns the contents of commit h.
func (e *env) treeOf(h datakit.Hash) *datakit.Tree {
	e.Helper()
	t, err := e.commitOf(h).Tree(e.ctx)
	e.ok(err)
	return t
}

// parents returns the parents of commit h.
func (e *env) parents(h datakit.Hash) []datakit.Hash {
	e.Helper()
	return e.commitOf(h).Parents
}

// put changes the given files on a branch in a commit of its own, and returns
// the new head. A file whose mode is Absent is removed.
func (e *env) put(branch string, fs files) datakit.Hash {
	e.Helper()
	return e.change(branch, func(tx *txn) { tx.put(fs) })
}

// change commits what f does to a branch, and returns the new head.
func (e *env) change(branch string, f func(tx *txn)) datakit.Hash {
	e.Helper()
	tx := e.begin(branch)
	f(tx)
	tx.commit("change " + branch)
	return e.head(branch)
}

// commitFiles makes a commit with exactly these contents and parents, and
// returns it. It is the head of a new branch.
func (e *env) commitFiles(fs files, parents ...datakit.Hash) datakit.Hash {
	e.Helper()
	branch := e.fresh()
	return e.change(branch, func(tx *txn) {
		tx.put(fs)
		e.ok(tx.SetParents(e.ctx, parents))
	})
}

// fork makes a branch with the given head.
func (e *env) fork(branch string, head datakit.Hash) {
	e.Helper()
	e.ok(e.db.Branch(branch).FastForward(e.ctx, head))
}

// isAncestor reports whether commit old is new or in its history.
func (e *env) isAncestor(old, new datakit.Hash) bool {
	e.Helper()
	seen := map[datakit.Hash]bool{}
	for todo := []datakit.Hash{new}; len(todo) > 0; {
		h := todo[0]
		todo = todo[1:]
		if h == old {
			return true
		}
		if !seen[h] {
			seen[h] = true
			todo = append(todo, e.parents(h)...)
		}
	}
	return false
}
