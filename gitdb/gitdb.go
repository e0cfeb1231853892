// Package gitdb keeps a database in an ordinary Git repository.
//
// Branches are the references below refs/heads/, and everything is an object
// or a reference of Git. Git itself, and other programs that use the package,
// may work on the repository at the same time: their changes are seen, and
// nobody's are lost. A work tree or an index is never looked at.
package gitdb

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/odb"
	"github.com/datakit/datakit/internal/refdb"
	"github.com/datakit/datakit/internal/remote"
	"github.com/datakit/datakit/internal/treedb"
)

// Options adjust a database. The zero Options, and nil, are the defaults.
type Options struct {
	// NoSync leaves it to the system when changes reach the disk. Commits are
	// faster, and those of the last seconds, or the whole repository, may be
	// lost with the machine's power. A killed process loses nothing.
	NoSync bool

	// MaxFileSize is the length in bytes of the longest file that can be
	// written; 0 means 2 GiB.
	MaxFileSize int64

	// CacheBytes bounds the cache of object contents; 0 means 64 MiB.
	CacheBytes int

	// AuthorName and AuthorAddress are written into commits. Empty ones mean
	// "datakit" and "datakit@mobyproject.org".
	AuthorName, AuthorAddress string

	// Now returns the time for commits; nil means time.Now.
	Now func() time.Time

	// Log gets what nobody can be told by an error. nil means no log.
	Log *slog.Logger

	// OnCommit, if set, is told how each commit of a transaction ended:
	// "fast_forward", "merged", "conflict" or "error". It must be quick.
	OnCommit func(result string)
}

// Open opens the repository at path, and creates it if there is none (see
// Locate). Close the database to wait for what it does in the background.
func Open(path string, opts *Options) (*datakit.DB, error) {
	if opts == nil {
		opts = new(Options)
	}
	dir, err := Locate(path)
	if err != nil {
		return nil, err
	}
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	objs, err := odb.Open(dir, &odb.Options{CacheBytes: opts.CacheBytes, NoSync: opts.NoSync, Log: log})
	if err != nil {
		return nil, err
	}
	refs, err := refdb.Open(dir, &refdb.Options{NoSync: opts.NoSync, Log: log})
	if err != nil {
		return nil, errors.Join(err, objs.Close())
	}
	repo := remote.Repository{Objects: objs, Refs: refs, AddPack: func(ctx context.Context, pack io.Reader) error {
		return addPack(ctx, dir, opts.NoSync, pack)
	}}
	return datakit.New(treedb.New(objs, refs, treedb.Options{
		MaxFileSize:   opts.MaxFileSize,
		AuthorName:    opts.AuthorName,
		AuthorAddress: opts.AuthorAddress,
		Now:           opts.Now,
		TempDir:       objs.TempDir(),
		OnCommit:      opts.OnCommit,
		Fetch:         repo.Fetch,
		Push:          repo.Push,
	})), nil
}
