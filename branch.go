package datakit

import (
	"context"
	"errors"
)

// A Branch is a name with, or without, a head. It is cheap to make and holds
// nothing.
type Branch struct {
	db   *DB
	name string
}

// Name returns the name, such as "master" or "feature/x".
func (b *Branch) Name() string { return b.name }

// check returns why an operation on the branch must not begin, or nil.
func (b *Branch) check(ctx context.Context, op string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return opError(op, b.name, CheckBranch(b.name))
}

// Head returns the head, or the zero Hash if the branch has none.
func (b *Branch) Head(ctx context.Context) (Hash, error) {
	if err := b.check(ctx, "read head"); err != nil {
		return Hash{}, err
	}
	h, err := b.db.d.Head(ctx, b.name)
	return h, opError("read head", b.name, err)
}

// Tree returns the tree of the head, which is empty if there is none.
func (b *Branch) Tree(ctx context.Context) (*Tree, error) {
	h, err := b.Head(ctx)
	if err != nil {
		return nil, err
	}
	if h.IsZero() {
		return b.db.Tree(ctx, TreeID{Dir, EmptyTree})
	}
	c, err := b.db.Commit(ctx, h)
	if err != nil {
		return nil, err
	}
	return c.Tree(ctx)
}

// FastForward moves the head to commit to, which must be a descendant of the
// present head, if there is one, or the head itself: else NotFastForward.
// NotExist if there is no such commit.
func (b *Branch) FastForward(ctx context.Context, to Hash) error {
	if err := b.check(ctx, "fast-forward"); err != nil {
		return err
	}
	return opError("fast-forward", b.name, b.db.d.FastForward(ctx, b.name, to))
}

// Remove removes the branch. One without a head is no error. Open transactions
// stay, and make the branch again when committed.
func (b *Branch) Remove(ctx context.Context) error {
	if err := b.check(ctx, "remove branch"); err != nil {
		return err
	}
	return opError("remove branch", b.name, b.db.d.RemoveBranch(ctx, b.name))
}

// Rename gives the branch another name; b keeps the old one. Exist if a branch
// of that name has a head, NotExist if this one has none.
func (b *Branch) Rename(ctx context.Context, to string) error {
	if err := errors.Join(b.check(ctx, "rename branch"), opError("rename branch", b.name, CheckBranch(to))); err != nil {
		return err
	}
	return opError("rename branch", b.name, b.db.d.RenameBranch(ctx, b.name, to))
}

// Begin starts a transaction from the present head. End it with Tx.Commit or
// Tx.Abort. Update does so by itself.
func (b *Branch) Begin(ctx context.Context) (*Tx, error) {
	if err := b.check(ctx, "begin"); err != nil {
		return nil, err
	}
	d, err := b.db.d.Begin(ctx, b.name)
	if err != nil {
		return nil, opError("begin", b.name, err)
	}
	return &Tx{Tree: Tree{d: d}, d: d, branch: b.name}, nil
}

// updateTries is how often Update runs its function before it gives up on a
// branch that keeps moving.
const updateTries = 5

// Update runs fn in a transaction and commits it with message msg. If the
// branch has moved and the two changes do not merge, it runs fn again in a new
// transaction from the new head, five times at most. If fn fails or panics
// nothing is committed, and Update fails or panics with it. fn must not end
// the transaction, and tx is valid only until fn returns.
func (b *Branch) Update(ctx context.Context, msg string, fn func(tx *Tx) error) error {
	return b.update(ctx, fn, func(tx *Tx) error { return tx.Commit(ctx, msg) })
}

// UpdateHash is Update that returns the commit that was made, as Tx.CommitHash
// does.
func (b *Branch) UpdateHash(ctx context.Context, msg string, fn func(tx *Tx) error) (h Hash, err error) {
	err = b.update(ctx, fn, func(tx *Tx) (err error) {
		h, err = tx.CommitHash(ctx, msg)
		return err
	})
	return h, err
}

func (b *Branch) update(ctx context.Context, fn, commit func(tx *Tx) error) error {
	for try := 1; ; try++ {
		moved := false
		err := b.With(ctx, func(tx *Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			err := commit(tx)
			moved = errors.Is(err, Conflict)
			return err
		})
		if !moved || try == updateTries {
			return err
		}
	}
}

// With runs fn in a transaction, which fn commits or aborts. On every other
// path, a failure or a panic of fn among them, the transaction is aborted. If
// fn returns nil without having ended it, that is an error of kind Invalid.
func (b *Branch) With(ctx context.Context, fn func(tx *Tx) error) error {
	tx, err := b.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Abort()
	if err := fn(tx); err != nil {
		return err
	}
	if !tx.Ended() {
		return opError("transaction", b.name, invalid("neither committed nor aborted"))
	}
	return nil
}

// Diff returns the files that differ on the way from commit from to the
// present head, as DB.Diff does.
func (b *Branch) Diff(ctx context.Context, from Hash) ([]Change, error) {
	h, err := b.Head(ctx)
	if err != nil {
		return nil, err
	}
	if !h.IsZero() {
		return b.db.Diff(ctx, from, h)
	}
	tx, err := b.Begin(ctx) // of the empty tree
	if err != nil {
		return nil, err
	}
	defer tx.Abort()
	return tx.Diff(ctx, from)
}

// Watch follows the head. The first Next returns the head at the time of this
// call, or the zero Hash; each later one waits until the head differs from
// what the last returned. Heads between two calls may be skipped.
func (b *Branch) Watch(ctx context.Context) (Watch[Hash], error) {
	if err := b.check(ctx, "watch"); err != nil {
		return nil, err
	}
	w, err := b.db.d.WatchHead(ctx, b.name)
	return w, opError("watch", b.name, err)
}

// WatchPath follows what the head has at path. The first Next returns the
// state at the time of this call; each later one waits until the state differs
// from what the last returned. The Entry has Mode and Hash only. Its Mode is
// Absent while there is nothing at path; the Root is always a Dir.
func (b *Branch) WatchPath(ctx context.Context, path Path) (Watch[Entry], error) {
	if err := errors.Join(b.check(ctx, "watch"), opError("watch", b.name, path.Check())); err != nil {
		return nil, err
	}
	w, err := b.db.d.WatchPath(ctx, b.name, path)
	return w, opError("watch", b.name+":"+string(path), err)
}

// Reflog follows the head and skips nothing: each Next returns the next head
// set after this call, and the zero Hash when the branch was removed. A reader
// that falls behind by more than 10,000 heads gets Overflow.
func (b *Branch) Reflog(ctx context.Context) (Watch[Hash], error) {
	if err := b.check(ctx, "reflog"); err != nil {
		return nil, err
	}
	w, err := b.db.d.Reflog(ctx, b.name)
	return w, opError("reflog", b.name, err)
}
