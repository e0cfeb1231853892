// Package memdb keeps a database in memory, for tests and demonstrations. It
// does all that a database in a repository does, and is lost with the process.
package memdb

import (
	"context"
	"io"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/memstore"
	"github.com/datakit/datakit/internal/remote"
	"github.com/datakit/datakit/internal/treedb"
)

// Options adjust a database. The zero Options, and nil, are the defaults.
type Options struct {
	// MaxFileSize is the length in bytes of the longest file that can be
	// written; 0 means 2 GiB.
	MaxFileSize int64

	// Now returns the time for commits; nil means time.Now.
	Now func() time.Time

	// OnCommit, if set, is told how each commit of a transaction ended:
	// "fast_forward", "merged", "conflict" or "error". It must be quick.
	OnCommit func(result string)
}

// New returns an empty database.
func New(opts *Options) *datakit.DB {
	if opts == nil {
		opts = new(Options)
	}
	objs, refs := memstore.NewObjects(), memstore.NewRefs()
	repo := remote.Repository{Objects: objs, Refs: refs, AddPack: func(ctx context.Context, pack io.Reader) error {
		return remote.Unpack(ctx, objs, pack)
	}}
	return datakit.New(treedb.New(objs, refs, treedb.Options{
		MaxFileSize: opts.MaxFileSize,
		Now:         opts.Now,
		OnCommit:    opts.OnCommit,
		Fetch:       repo.Fetch,
		Push:        repo.Push,
	}))
}
