// Package store says what a database needs below it: a store of immutable
// objects, and a small set of references that change by compare-and-set and
// can be watched. Package odb and package refdb have both on disk, in Git's
// formats; package memstore has both in memory.
package store

import (
	"context"
	"fmt"
	"io"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// Objects keeps Git objects. All methods may be called concurrently; reads
// never wait for writes. An object that is missing is datakit.NotExist, one
// that is damaged datakit.Internal with its hash in the text.
type Objects interface {
	// Header returns type and size of an object, without reading all of it.
	Header(h datakit.Hash) (object.Type, int64, error)

	// Read returns an object whole. The caller must not change the content,
	// and keeps it for as short as it can. It is for objects whose size is
	// known to be small; OpenBlob reads any.
	Read(h datakit.Hash) (object.Type, []byte, error)

	// OpenBlob opens a blob of any size. Another type is NotExist.
	OpenBlob(h datakit.Hash) (datakit.Blob, error)

	// Stage writes objects to stable storage without making them visible.
	// Objects that are in the store already may be left out. ctx ends a long
	// write.
	Stage(ctx context.Context, objs []Object) (Staged, error)

	// Confirm returns NotExist if other programs can no longer find one of
	// the objects in the repository: because git has pruned it, say. It looks
	// at the present state of the disk, never at a cache of what was there.
	Confirm(hs []datakit.Hash) error

	// Close releases what is held.
	Close() error
}

// An Object is one to be written. Its content is Data, or if that is nil what
// Content holds from 0 to Size.
type Object struct {
	Hash    datakit.Hash
	Type    object.Type
	Data    []byte
	Content io.ReaderAt
	Size    int64
}

// Staged are objects that are written, but not in the store yet. Exactly one
// of Publish and Discard must be called; after Publish, Release.
type Staged interface {
	// Publish makes the objects part of the store, durably, and protects them
	// from clean-ups of git until Release.
	Publish() error

	// Discard drops the objects.
	Discard()

	// Release ends the protection: references lead to the objects now, or
	// nobody wants them any more.
	Release()
}

// Refs keeps the branches: the references below refs/heads/. Names are without
// that prefix. All methods may be called concurrently.
type Refs interface {
	// Branches returns the names of all branches, sorted.
	Branches(ctx context.Context) ([]string, error)

	// Head returns the commit a branch points to, zero if there is no such
	// branch. What other programs change shows within 2 seconds.
	Head(ctx context.Context, branch string) (datakit.Hash, error)

	// Prepare locks the references of updates against other programs,
	// compares them with their old values, and writes the new values to
	// stable storage without making them visible. It never waits for a lock
	// that another program holds. The updates are for different branches.
	Prepare(ctx context.Context, updates []Update) Prepared

	// Subscribe has f called for each change of a branch, made here or by
	// another program, with the new head or zero, in the order of the
	// changes; for one made here before Prepared.Apply returns. f must be
	// quick and must not call Refs. The result ends the subscription.
	Subscribe(f func(branch string, head datakit.Hash)) (cancel func())

	// Close ends all subscriptions and releases what is held.
	Close() error
}

// An Update moves a branch from Old to New. A zero Old says that the branch
// must not exist, a zero New removes it.
type Update struct {
	Branch   string
	Old, New datakit.Hash
}

// Prepared are updates about to be made. Exactly one of Apply and Abort must
// be called.
type Prepared interface {
	// Errs returns for each update why it cannot be made, or nil if it can: a
	// *MovedError, an error of kind Locked, with a *datakit.LockedError if
	// it is by another program, one of kind Exist with a
	// *datakit.BranchConflictError, or another.
	Errs() []error

	// Apply makes the updates that can be made, durably, each atomically, and
	// returns for each nil or the reason it was not made. Errs are among
	// them.
	Apply() []error

	// Abort gives up the locks and changes nothing.
	Abort()
}

// A MovedError is returned for a reference that does not have its old value.
type MovedError struct {
	Branch string
	Now    datakit.Hash // zero if it does not exist
}

// Error tells where the branch is now.
func (e *MovedError) Error() string {
	return fmt.Sprintf("branch %s is at %s now", e.Branch, e.Now)
}
