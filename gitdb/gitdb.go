// Package gitdb keeps a database in an ordinary Git repository.
//
// Branches are the references below refs/heads/, and everything is an object
// or a reference of Git. Git itself, and other programs that use the package,
// may work on the repository at the same time: their changes are seen, and
// nobody's are lost. A work tree or an index is never looked at, unless
// Options.WorkTree says so.
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
	"github.com/datakit/datakit/internal/store"
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

	// GitDir is the Git directory to be used or made, for those who do not
	// want it to be found from the path, which then only leads to the work
	// tree, if there is one.
	GitDir string

	// Head is the branch that HEAD leads to if there is no HEAD yet; empty
	// means master.
	Head string

	// WorkTree keeps the index and the work tree of a repository that is not
	// bare in step with the branch that HEAD leads to, when commits of this
	// database move it. Where they have changes of their own they are left
	// alone, which is logged. It needs the program git. A repository that is
	// made gets a work tree, at the path.
	//
	// Without it index and work tree are never looked at.
	WorkTree bool

	// MustExist makes it an error, of kind datakit.NotExist, if there is no
	// repository yet.
	MustExist bool

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
	dir, err := locate(path, opts)
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
	var branches store.Refs = refs
	if opts.WorkTree {
		branches = follow(refs, newWorkTree(path, opts.GitDir, log))
	}
	repo := remote.Repository{Objects: objs, Refs: branches, AddPack: func(ctx context.Context, pack io.Reader) error {
		return addPack(ctx, dir, opts.NoSync, pack)
	}}
	return datakit.New(treedb.New(objs, branches, treedb.Options{
		MaxFileSize:   opts.MaxFileSize,
		AuthorName:    opts.AuthorName,
		AuthorAddress: opts.AuthorAddress,
		Now:           opts.Now,
		TempDir:       objs.TempDir,
		OnCommit:      opts.OnCommit,
		Fetch:         repo.Fetch,
		Push:          repo.Push,
	})), nil
}
