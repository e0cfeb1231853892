package vfs

import (
	"context"
	"time"
)

// A Kind says what a node is.
type Kind uint8

// The kinds of nodes.
const (
	KindFile Kind = iota
	KindSymlink
	KindDir
)

// A Qid tells nodes and their states apart, as 9P's qid does.
type Qid struct {
	Kind Kind

	// Version differs between two contents of a node that has versions, and is
	// 0 for others.
	Version uint32

	// Path is the same for one place in the tree, as long as it is or is not a
	// directory, and differs from that of every other place.
	Path uint64
}

// A Stat describes a node.
type Stat struct {
	Qid     Qid
	Name    string // as listed in its directory; "/" for the root
	Perm    uint32 // the nine permission bits
	Size    uint64 // in bytes; 0 for a directory
	ModTime time.Time
	Target  string // of a symlink
}

// A Node is one place of a tree. Unless it is a Dir it is a file or a symlink.
type Node interface {
	// Qid returns the identity of the node. It costs little.
	Qid(ctx context.Context) (Qid, error)

	// Stat describes the node.
	Stat(ctx context.Context) (Stat, error)

	// Open prepares the node for reading and writing. On a Dir the File is
	// nil; what it holds is read with Dir.List.
	Open(ctx context.Context, flags OpenFlags) (File, error)

	// SetLength sets the length of the content.
	SetLength(ctx context.Context, length uint64) error

	// Chmod changes the mode.
	Chmod(ctx context.Context, mode Mode) error

	// Remove removes the node from its directory. A directory that has
	// entries is removed with all of them if recursive, else it is
	// ErrNotEmpty.
	Remove(ctx context.Context, recursive bool) error

	// Rename gives the node another name in dir, or in its own directory if
	// dir is nil. dir is a Node of the same tree.
	Rename(ctx context.Context, dir Dir, name string) error
}

// A Dir is a Node that leads to others.
type Dir interface {
	Node

	// Parent returns the directory that this one was found in. The root
	// returns itself.
	Parent() Dir

	// Lookup returns the node with the given name, which is not ".." and may
	// be anything else. A name need not be listed to be found.
	Lookup(ctx context.Context, name string) (Node, error)

	// List returns the listed entries, sorted by name, byte by byte.
	List(ctx context.Context) ([]Dirent, error)

	// Create makes a file, or replaces a file or symlink, or returns ErrExist
	// if exclusive and there is anything.
	Create(ctx context.Context, name string, executable, exclusive bool) (Node, error)

	// Mkdir makes a directory.
	Mkdir(ctx context.Context, name string) (Node, error)

	// Symlink makes a symlink to target, which is not empty.
	Symlink(ctx context.Context, name, target string) (Node, error)
}

// An Immutable node may never change. A transport may cache all of it.
type Immutable interface {
	// Immutable reports whether nothing of the node ever changes: what its
	// name in its directory leads to, its description, its content and, of a
	// directory, what it lists and which names lead to something. The answer
	// for a node is always the same.
	Immutable() bool
}

// IsImmutable reports whether n is an Immutable that says so.
func IsImmutable(n Node) bool {
	i, ok := n.(Immutable)
	return ok && i.Immutable()
}

// A StatDir finds and describes at once, for which a Dir that has to ask somebody
// else what is there need not ask twice.
type StatDir interface {
	Dir

	// LookupStat is Lookup, and Stat of what that finds, at the same moment.
	LookupStat(ctx context.Context, name string) (Node, Stat, error)
}

// LookupStat looks up a name in a directory and describes what that leads to.
func LookupStat(ctx context.Context, dir Dir, name string) (Node, Stat, error) {
	if d, ok := dir.(StatDir); ok {
		return d.LookupStat(ctx, name)
	}
	n, err := dir.Lookup(ctx, name)
	if err != nil {
		return nil, Stat{}, err
	}
	st, err := n.Stat(ctx)
	return n, st, err
}

// A Versioned file of a StatDir can still be opened as it was when it was found.
// The Version of its Qid tells the contents apart, so a transport may treat each
// as a file of its own that never changes.
type Versioned interface {
	Node

	// Versioned reports whether all that is true of this node. The answer is
	// always the same.
	Versioned() bool

	// OpenFound opens the content that LookupStat has described, whatever is
	// in its place now.
	OpenFound(ctx context.Context, flags OpenFlags) (File, error)
}

// A Dirent is an entry of a listing.
type Dirent struct {
	Name string
	Qid  Qid
}

// OpenFlags modify Node.Open.
type OpenFlags struct {
	Append        bool // writes go to the end, whatever their offset
	RemoveOnClose bool // the caller will remove the node; refuse if it may not
}

// A Mode is what Node.Chmod sets.
type Mode struct {
	Perm    uint32 // the nine permission bits
	Dir     bool   // the directory flag
	Symlink bool   // the symlink flag
	Target  string // goes with Symlink
}

// Executable reports whether m has the owner execute bit.
func (m Mode) Executable() bool { return m.Perm&0o100 != 0 }

// A File is an open node.
type File interface {
	// ReadAt reads into p at off and returns how much it read, which is 0 at
	// the end. It may wait for there to be something; if ctx ends the wait
	// nothing is consumed. Offsets are unsigned 64-bit numbers.
	ReadAt(ctx context.Context, p []byte, off uint64) (int, error)

	// WriteAt writes all of p at off, or nothing.
	WriteAt(ctx context.Context, p []byte, off uint64) error

	// Close releases the file and ends waiting reads with ErrInterrupted.
	Close() error
}

// A WaitingFile is a File whose reads wait, without doing anything, until there
// is news. A transport may let more of them wait than it lets others work.
type WaitingFile interface {
	File

	// MaxRead returns the most bytes that one read returns.
	MaxRead() int
}

// waitKey is the key of the function that MayWait calls.
type waitKey struct{}

// WithWait returns a context in which MayWait calls f.
func WithWait(ctx context.Context, f func()) context.Context {
	return context.WithValue(ctx, waitKey{}, f)
}

// MayWait tells the transport that the call with this context is about to wait
// or to take long. It returns at once and may be called more than once.
func MayWait(ctx context.Context) {
	if w, ok := ctx.(interface{ MayWait() }); ok {
		w.MayWait()
		return
	}
	if f, ok := ctx.Value(waitKey{}).(func()); ok {
		f()
	}
}
