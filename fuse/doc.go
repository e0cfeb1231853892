// Package fuse mounts a tree of package vfs as a FUSE file system, on Linux and
// macOS. On other systems [New] fails.
//
// A mount is one session of the tree, as a connection is in package p9: it sees
// transactions and whatever else the session owns, and nobody else does.
//
// # What the kernel may keep
//
// Nodes that are vfs.Immutable are kept by the kernel, names and contents, as
// long as it has room. Of a vfs.Versioned file the contents are kept, each as an
// inode of its own, but not which of them the name leads to: whoever opens the
// path gets the newest, and who opens such an inode by other ways, as that of a
// file that was bound elsewhere with mount(8), gets its content. Nothing else is
// kept: each look at a name asks the tree, and files are read and written
// directly ("direct I/O"), so that a change made elsewhere is seen with the next
// open or stat. A name that has been found is the same inode as before as long
// as it is the same kind of thing.
//
// # Interrupts
//
// A read that waits for news ends at once, with EINTR, when the kernel
// interrupts it, which it does for any signal to the process that reads. Other
// requests are only given up if they are not done a second later, as a process
// may get signals (Go programs do, all the time) that have nothing to do with
// what it reads.
package fuse

import (
	"errors"
	"log/slog"
)

// Options are the settings of a mount. The zero value, and nil, is the default.
type Options struct {
	// Source is shown as what is mounted, by df for instance. Empty means
	// "datakit".
	Source string

	// AllowOther lets other users than the one who mounts look at the tree.
	// They may change nothing. Unless the mounter is root, it has to be
	// allowed in /etc/fuse.conf.
	AllowOther bool

	Log *slog.Logger // gets what nobody can be told by an error; nil means no log
}

// ErrUnsupported is returned by New on systems without FUSE.
var ErrUnsupported = errors.New("FUSE mounts are for Linux and macOS")
