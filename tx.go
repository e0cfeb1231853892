package datakit

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
)

// A Tx is a transaction: a private copy of a branch's contents, which can be
// read as a Tree, edited, and published by Commit in one step. It sees nothing
// that happens elsewhere after it began.
//
// It must be ended with Commit or Abort. From then on every method but Abort
// and Ended fails with Closed. A method that fails has changed nothing.
//
// Unless a method says otherwise, missing directories on the way to a path are
// not made (NotExist), the Root is Invalid, and a name that CheckName refuses
// is Invalid where something would be created.
type Tx struct {
	Tree // the present contents

	d      TxDriver
	branch string
	ended  atomic.Bool
}

// Ended reports whether the transaction was committed or aborted.
func (tx *Tx) Ended() bool { return tx.ended.Load() }

// ReadAt reads at off from the file or symlink at path, as it is now, like
// io.ReaderAt: it fills p, or returns less and an error, which is io.EOF at the
// end. It is what reads in pieces a file that is being changed; what Open
// returns stays as it was, for which a copy may have to be made. IsDir for a
// directory; Invalid for a negative offset.
func (tx *Tx) ReadAt(ctx context.Context, path Path, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, err := 0, path.Check()
	switch {
	case tx.Ended():
		err = Closed
	case err != nil:
	case off < 0:
		err = invalid("negative offset")
	default:
		n, err = tx.d.ReadAt(ctx, path, p, off)
	}
	if err == io.EOF {
		return n, err // as io.ReaderAt has it
	}
	return n, opError("read", string(path), err)
}

// edit runs one change of the entry at path, unless path cannot have one.
func (tx *Tx) edit(op string, path Path, f func() error) error {
	err := path.Check()
	switch {
	case tx.Ended():
		err = Closed
	case err != nil:
	case path == Root:
		err = invalid("the root cannot be changed as a whole")
	default:
		err = f()
	}
	return opError(op, string(path), err)
}

// create is edit for what may make an entry of a new name.
func (tx *Tx) create(op string, path Path, f func() error) error {
	return tx.edit(op, path, func() error {
		if err := CheckName(path.Base()); err != nil {
			return err
		}
		return f()
	})
}

// Create makes a file, Normal or Executable, with the given content. A file or
// symlink already there is replaced; IsDir if a directory is.
func (tx *Tx) Create(ctx context.Context, path Path, mode Mode, content []byte) error {
	return tx.create("create", path, func() error {
		if !mode.IsFile() {
			return invalid("a file is normal or executable")
		}
		return tx.d.Create(ctx, path, mode, content)
	})
}

// Symlink makes a symlink to target, which is not empty and otherwise any
// text. A file or symlink already there is replaced; IsDir if a directory is.
func (tx *Tx) Symlink(ctx context.Context, path Path, target string) error {
	return tx.create("symlink", path, func() error {
		if target == "" {
			return invalid("a symlink needs a target")
		}
		return tx.d.Create(ctx, path, Symlink, []byte(target))
	})
}

// WriteFile sets the content of the file at path. What is there keeps its
// mode, a symlink too, whose target is then the content; if there is nothing a
// Normal file is made. IsDir for a directory.
func (tx *Tx) WriteFile(ctx context.Context, path Path, content []byte) error {
	return tx.create("write", path, func() error { return tx.d.Create(ctx, path, Absent, content) })
}

// Replace sets the content of the file or symlink at path, which must exist,
// and keeps its mode. IsDir for a directory.
func (tx *Tx) Replace(ctx context.Context, path Path, content []byte) error {
	return tx.edit("replace", path, func() error {
		if _, err := tx.d.Lookup(ctx, path); err != nil {
			return err
		}
		return tx.d.Create(ctx, path, Absent, content)
	})
}

// ReadFrom sets the content of the file at path as WriteFile does, to all that
// r returns. It holds a piece of it in memory at a time. If it fails the file
// may hold a part.
func (tx *Tx) ReadFrom(ctx context.Context, path Path, r io.Reader) (int64, error) {
	if err := tx.WriteFile(ctx, path, nil); err != nil {
		return 0, err
	}
	n, err := io.Copy(&txWriter{ctx: ctx, tx: tx, path: path}, r)
	return n, opError("write", string(path), err)
}

// txWriter appends to a file of a transaction.
type txWriter struct {
	ctx  context.Context
	tx   *Tx
	path Path
	off  int64
}

func (w *txWriter) Write(p []byte) (int, error) {
	if err := w.tx.d.WriteAt(w.ctx, w.path, p, w.off); err != nil {
		return 0, err
	}
	w.off += int64(len(p))
	return len(p), nil
}

// WriteAt writes p at off into the file or symlink at path and leaves the rest
// as it is. A gap behind the end is filled with zero bytes. IsDir for a
// directory; TooLarge beyond the size that the database allows.
func (tx *Tx) WriteAt(ctx context.Context, path Path, p []byte, off int64) error {
	return tx.edit("write", path, func() error {
		if off < 0 {
			return invalid("negative offset")
		}
		return tx.d.WriteAt(ctx, path, p, off)
	})
}

// Truncate sets the length of the file or symlink at path. What is added is
// zero bytes. IsDir for a directory; TooLarge as for WriteAt.
func (tx *Tx) Truncate(ctx context.Context, path Path, size int64) error {
	return tx.edit("truncate", path, func() error {
		if size < 0 {
			return invalid("negative size")
		}
		return tx.d.Truncate(ctx, path, size)
	})
}

// SetMode makes the file at path Normal or Executable; a symlink becomes a
// file of its target. IsDir for a directory.
func (tx *Tx) SetMode(ctx context.Context, path Path, mode Mode) error {
	return tx.edit("set mode", path, func() error {
		if !mode.IsFile() {
			return invalid("a file is normal or executable")
		}
		return tx.d.SetMode(ctx, path, mode)
	})
}

// Mkdir makes an empty directory; Exist if anything is there. Directories that
// are still empty at the commit are left out of it.
func (tx *Tx) Mkdir(ctx context.Context, path Path) error {
	return tx.create("mkdir", path, func() error { return tx.d.Mkdir(ctx, path) })
}

// MkdirAll makes the directory and all missing ones above it. It succeeds if
// the directory is there, as the Root always is; NotDir if something else is.
func (tx *Tx) MkdirAll(ctx context.Context, path Path) error {
	if tx.Ended() {
		return opError("mkdir", string(path), Closed)
	}
	if err := path.Check(); err != nil {
		return opError("mkdir", string(path), err)
	}
	for step := range path.Steps() {
		if err := CheckName(step); err != nil {
			return opError("mkdir", string(path), err)
		}
	}
	// Most often no more than the last is missing, and each takes time by its
	// depth. If there is a file on the way, the steps tell which.
	if path == Root || tx.ensureDir(ctx, path) == nil {
		return nil
	}
	at := Root
	for step := range path.Steps() {
		at = at.Join(Path(step))
		if err := tx.ensureDir(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// ensureDir makes a directory unless it is there.
func (tx *Tx) ensureDir(ctx context.Context, path Path) error {
	err := tx.Mkdir(ctx, path)
	if !errors.Is(err, Exist) {
		return err
	}
	e, err := tx.Lookup(ctx, path)
	if err == nil && e.Mode != Dir {
		return opError("mkdir", string(path), NotDir)
	}
	return err
}

// Remove removes a file, a symlink, or a directory with all below it.
func (tx *Tx) Remove(ctx context.Context, path Path) error {
	return tx.edit("remove", path, func() error { return tx.d.Remove(ctx, path) })
}

// Rename moves an entry within the transaction. A file or symlink at to is
// replaced in the same step, an empty directory only by a directory; else the
// error is IsDir. A directory cannot be moved into itself: Invalid.
func (tx *Tx) Rename(ctx context.Context, from, to Path) error {
	return tx.edit("rename", from, func() error {
		return tx.create("rename to", to, func() error { return tx.d.Rename(ctx, from, to) })
	})
}

// Parents returns the commits that the commit will have as its parents, in
// order: at first the head that the transaction began from, if there was one.
func (tx *Tx) Parents(ctx context.Context) ([]Hash, error) {
	hs, err := tx.d.Parents(ctx)
	return hs, opError("read parents", tx.branch, err)
}

// SetParents replaces the parents. That changes the history that will be
// recorded, and nothing in the contents. Whether the commits exist is checked
// when they are used, by Merge and Commit.
func (tx *Tx) SetParents(ctx context.Context, parents []Hash) error {
	return opError("set parents", tx.branch, tx.d.SetParents(ctx, slices.Clone(parents)))
}

// A Merge is a merge that was made in a transaction: its three inputs, and the
// paths at which they did not merge, sorted. At each of these the contents
// have a file that says why; write, replace or remove it before the commit.
// The trees can be read until the next merge.
type Merge struct {
	Ours, Theirs, Base *Tree
	Conflicts          []Path
}

// Merge merges commit h into the contents, and appends it to the parents.
// NotExist for an unknown commit; Unresolved if there are conflicts of an
// earlier merge.
func (tx *Tx) Merge(ctx context.Context, h Hash) (*Merge, error) {
	if err := tx.d.Merge(ctx, h); err != nil {
		return nil, opError("merge", h.String(), err)
	}
	return tx.LastMerge(context.WithoutCancel(ctx)) // the merge is made, so this is not the time to give up
}

// LastMerge returns the last merge with the conflicts that are still
// unresolved, or nil if there was none.
func (tx *Tx) LastMerge(ctx context.Context) (*Merge, error) {
	ours, theirs, base, err := tx.d.MergeInputs(ctx)
	if err != nil || ours == nil {
		return nil, opError("read merge", tx.branch, err)
	}
	conflicts, err := tx.Conflicts(ctx)
	if err != nil {
		return nil, err
	}
	return &Merge{&Tree{d: ours}, &Tree{d: theirs}, &Tree{d: base}, conflicts}, nil
}

// Conflicts returns the paths that are unresolved, sorted byte by byte.
func (tx *Tx) Conflicts(ctx context.Context) ([]Path, error) {
	ps, err := tx.d.Conflicts(ctx)
	return ps, opError("read conflicts", tx.branch, err)
}

// Diff returns the files that differ on the way from commit from to the
// present contents.
func (tx *Tx) Diff(ctx context.Context, from Hash) ([]Change, error) {
	cs, err := tx.d.Diff(ctx, from)
	return cs, opError("diff", from.String(), err)
}

// Retarget makes Commit publish to another branch, for a branch that was
// renamed.
func (tx *Tx) Retarget(ctx context.Context, branch string) error {
	if err := CheckBranch(branch); err != nil {
		return opError("retarget", tx.branch, err)
	}
	return opError("retarget", tx.branch, tx.d.Retarget(ctx, branch))
}

// Commit publishes the contents with the given message, which is stored
// exactly as it is; an empty one becomes "(no commit message)", and one with a
// NUL byte is Invalid.
//
// If the branch has moved since the transaction began the two changes are
// merged. When they do not merge the error is Conflict, with a MergeError that
// lists the paths; while conflicts of an earlier Merge are left it is
// Unresolved. On any error the branch is unchanged and the transaction stays
// open as it was. When Commit returns nil the commit is durable, it is the
// head or in the head's history, and the transaction has ended.
//
// Of a database at a server it may not be known whether the commit was made: when
// ctx ends, or the connection is lost, before there is an answer. The error is
// ErrUncertain then.
func (tx *Tx) Commit(ctx context.Context, msg string) error {
	return tx.commit(msg, func() error { return tx.d.Commit(ctx, msg) })
}

// CommitHash is Commit that returns the commit that was made, or if the branch
// had moved the merge that has brought it there. Where it cannot be told which
// it is, as at a server when others have committed alike, it is the zero Hash.
func (tx *Tx) CommitHash(ctx context.Context, msg string) (h Hash, err error) {
	err = tx.commit(msg, func() error {
		d, ok := tx.d.(HashCommitter)
		if !ok {
			return tx.d.Commit(ctx, msg)
		}
		h, err = d.CommitHash(ctx, msg)
		return err
	})
	return h, err
}

func (tx *Tx) commit(msg string, f func() error) error {
	if tx.Ended() {
		return opError("commit", tx.branch, Closed)
	}
	if strings.ContainsRune(msg, 0) {
		return opError("commit", tx.branch, invalid("the message contains a NUL byte"))
	}
	if err := f(); err != nil {
		return opError("commit", tx.branch, err)
	}
	tx.ended.Store(true)
	return nil
}

// Abort ends the transaction without effect. On one that has ended it does
// nothing. It never waits.
func (tx *Tx) Abort() {
	if !tx.ended.Swap(true) {
		tx.d.Abort() // nothing is left to do about a failure
	}
}
