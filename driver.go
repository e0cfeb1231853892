package datakit

import "context"

// A Driver keeps a database. It is what an implementation of the contract
// provides and what New builds a DB on; programs use the DB.
//
// The DB has checked all names, paths and arguments for their form before it
// calls a Driver. A Driver returns errors that have a Kind, or the error of
// the context; the DB adds the operation and the subject. All methods of a
// Driver and of what it returns may be called concurrently.
type Driver interface {
	BranchDriver
	ObjectDriver

	// Begin starts a transaction from the head of branch, or from the empty
	// tree if the branch has none.
	Begin(ctx context.Context, branch string) (TxDriver, error)

	// Fetch copies branch of the Git repository at url, with all its history,
	// into the database and returns its head. No branch here changes. The
	// error is NotExist if the remote has no such branch, else IO.
	Fetch(ctx context.Context, url, branch string) (Hash, error)

	// Close ends all waits with Closed and releases what the Driver holds.
	// Open transactions are discarded.
	Close() error
}

// A BranchDriver is the part of a Driver that keeps heads.
type BranchDriver interface {
	// Branches returns the names of all branches that have a head, sorted.
	Branches(ctx context.Context) ([]string, error)

	// Head returns the head of a branch, or the zero Hash if it has none.
	Head(ctx context.Context, branch string) (Hash, error)

	// FastForward moves the head of branch to commit to, if branch has no
	// head or its head is to or an ancestor of it; else NotFastForward.
	FastForward(ctx context.Context, branch string, to Hash) error

	// RemoveBranch removes a branch. One that has no head is no error.
	RemoveBranch(ctx context.Context, branch string) error

	// RenameBranch gives a branch another name. NotExist if it has no head;
	// Exist if the new name has one, unless both names are the same.
	RenameBranch(ctx context.Context, from, to string) error

	// WatchHead follows the head of branch: the first Next returns the head
	// at the time of this call, later ones the head as soon as it differs
	// from what Next returned last. Heads in between may be skipped.
	WatchHead(ctx context.Context, branch string) (Watch[Hash], error)

	// WatchPath follows what the head of branch has at path, in the same
	// way. The Entry has no Name, Size or Rev; its Mode is Absent if there is
	// nothing. The Root is always a Dir, of EmptyTree without a head.
	WatchPath(ctx context.Context, branch string, path Path) (Watch[Entry], error)

	// Reflog follows the head of branch and skips nothing: each Next returns
	// the next head that was set after this call, the zero Hash when the
	// branch was removed. A reader that falls behind by more than 10,000
	// heads gets Overflow.
	Reflog(ctx context.Context, branch string) (Watch[Hash], error)
}

// A Watch follows something that changes. Next calls are not concurrent; Close
// may be called at any time, and more than once.
type Watch[T any] interface {
	// Next waits for the next value. If ctx ends the wait nothing is lost: the
	// next call returns what this one would have. After Close the error is
	// Closed.
	Next(ctx context.Context) (T, error)

	// Close ends a waiting Next and releases the watch.
	Close() error
}

// An ObjectDriver is the part of a Driver that reads what never changes.
type ObjectDriver interface {
	// Commit returns a commit; NotExist if there is no such commit.
	Commit(ctx context.Context, h Hash) (*Commit, error)

	// Tree returns the tree, or the single file or link, that id names, which
	// is NotExist if the object is missing or of another type. EmptyTree
	// exists always.
	Tree(ctx context.Context, id TreeID) (TreeDriver, error)

	// Diff returns the files that differ on the way from commit from to
	// commit to, sorted by path, byte by byte.
	Diff(ctx context.Context, from, to Hash) ([]Change, error)
}

// A TreeDriver reads a tree. On all methods: NotExist if there is nothing at
// path or what is there is not to be shown (a Submodule, or a name that
// CheckName refuses); NotDir if a step before the last is no directory.
type TreeDriver interface {
	// Lookup returns the entry at path without its Size.
	Lookup(ctx context.Context, path Path) (Entry, error)

	// Stat returns the entry at path with its Size.
	Stat(ctx context.Context, path Path) (Entry, error)

	// ReadDir returns the entries of the directory at path, sorted by name,
	// byte by byte, without their Sizes. NotDir for anything else.
	ReadDir(ctx context.Context, path Path) ([]Entry, error)

	// Open returns the content of the file or link at path as it is now; later
	// changes do not show. IsDir for a directory.
	Open(ctx context.Context, path Path) (Blob, error)
}

// A Blob is the content of a file or link. It never changes. Its methods may
// be called concurrently.
type Blob interface {
	// Size returns the length in bytes.
	Size() int64

	// ReadAt reads at an offset like io.ReaderAt: it fills p, or returns less
	// and an error, which is io.EOF at the end.
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)

	// Close releases what the Blob holds. It must be called once.
	Close() error
}

// A TxDriver is an open transaction. After Commit or Abort every method but
// Abort returns Closed.
//
// The methods that change something leave everything as it was when they fail.
// Missing directories on the way are not made: NotExist; a file on the way is
// NotDir. Names have been checked with CheckName. A change at a path that has
// a conflict resolves it (specification, FS-126).
type TxDriver interface {
	TreeDriver // the present contents

	// ReadAt reads at an offset from the present content of the file or link
	// at path, as Blob.ReadAt does. IsDir for a directory. Pieces that are read
	// one after the other take time by their length, not by that of the file.
	ReadAt(ctx context.Context, path Path, p []byte, off int64) (int, error)

	// Create makes a file or link, as mode says, with the given content. A
	// file or link already there is replaced; IsDir if a directory is. The
	// mode Absent means that of what is there, and Normal if nothing is.
	Create(ctx context.Context, path Path, mode Mode, content []byte) error

	// Mkdir makes an empty directory; Exist if anything is there.
	Mkdir(ctx context.Context, path Path) error

	// WriteAt writes p at off into the file or link at path. A gap behind the
	// end is filled with zero bytes. TooLarge if the file would be.
	WriteAt(ctx context.Context, path Path, p []byte, off int64) error

	// Truncate sets the length of the file or link at path; zero bytes fill
	// what is added. TooLarge if the file would be.
	Truncate(ctx context.Context, path Path, size int64) error

	// SetMode makes the file or link at path Normal or Executable.
	SetMode(ctx context.Context, path Path, mode Mode) error

	// Remove removes a file, link, or directory with all below it.
	Remove(ctx context.Context, path Path) error

	// Rename moves an entry. A file or link at to is replaced, and an empty
	// directory is by a directory; else IsDir. Invalid to move a directory
	// into itself.
	Rename(ctx context.Context, from, to Path) error

	TxHistory
}

// TxHistory is the part of a TxDriver that is about commits.
type TxHistory interface {
	// Parents returns the commits that the commit will have as parents, in
	// order: at first the head the transaction started from.
	Parents(ctx context.Context) ([]Hash, error)

	// SetParents replaces them. They are checked when used.
	SetParents(ctx context.Context, parents []Hash) error

	// Merge merges a commit into the contents and appends it to the parents
	// unless it is one. NotExist for an unknown commit or parent, Unresolved
	// if an earlier merge has conflicts left.
	Merge(ctx context.Context, h Hash) error

	// MergeInputs returns the three trees of the last merge, or nil ones if
	// there was none.
	MergeInputs(ctx context.Context) (ours, theirs, base TreeDriver, err error)

	// Conflicts returns the paths that are unresolved, sorted byte by byte.
	Conflicts(ctx context.Context) ([]Path, error)

	// Diff returns the files that differ on the way from commit from to the
	// present contents.
	Diff(ctx context.Context, from Hash) ([]Change, error)

	// Retarget makes Commit publish to another branch.
	Retarget(ctx context.Context, branch string) error

	// Commit publishes the contents as the specification's FS-119 says. When
	// it returns nil the commit is durable and in the branch's history; on an
	// error the transaction stays open and unchanged. Unresolved, or
	// Conflict with a MergeError as its cause.
	Commit(ctx context.Context, msg string) error

	// Abort ends the transaction and discards it. After an end it does
	// nothing.
	Abort() error
}

// A HashCommitter is a TxDriver that can tell which commit it has made. All
// drivers here have such transactions.
type HashCommitter interface {
	// CommitHash is Commit that returns the commit that was made, or the merge
	// that has brought it into the branch. If it is made, and cannot be told
	// which it is, that is the zero Hash.
	CommitHash(ctx context.Context, msg string) (Hash, error)
}

// A BranchWatcher is a Driver that can tell of changes to any branch. The
// drivers over repositories are.
type BranchWatcher interface {
	// WatchBranches follows all branches: each Next returns the names of the
	// branches whose head has changed since the last, at least one, each
	// once, sorted. Changes before this call do not count.
	WatchBranches(ctx context.Context) (Watch[[]string], error)
}

// A Pusher is a Driver that can copy branches to other repositories. The
// drivers over repositories are.
type Pusher interface {
	// Push makes branches of the Git repository at url equal to those here, by
	// force, and deletes there those that have no head here. It returns for
	// each branch that the remote refuses why, and an error, of kind IO, if
	// nothing could be pushed.
	Push(ctx context.Context, url string, branches []string) (refused map[string]error, err error)
}
