// Package treedb is the database itself: branches, transactions, merges and
// watches over a store of objects and a set of references. It implements
// datakit.Driver.
//
// One goroutine at a time leads the committer, which decides the order of all
// changes of branches. Transactions that are ready at the same time are
// committed together, so that they share the waiting for the disk: see group.
package treedb

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// Options adjust a DB. The zero Options are the defaults.
type Options struct {
	// MaxFileSize is the length in bytes of the longest file that can be
	// written; 0 means 2 GiB.
	MaxFileSize int64

	// AuthorName and AuthorAddress are written into commits; empty ones mean
	// those of the specification's FS-21.
	AuthorName, AuthorAddress string

	// Now returns the time for commits; nil means time.Now.
	Now func() time.Time

	// TempDir returns where long files of open transactions are kept; nil and
	// "" mean the system's folder for temporary files.
	TempDir func() string

	// Fetch copies a branch of a remote repository into the store and returns
	// its head. nil means that there are no remotes.
	Fetch func(ctx context.Context, url, branch string) (datakit.Hash, error)

	// Push copies branches to a remote repository, as datakit.Pusher says. nil
	// means that there are no remotes.
	Push func(ctx context.Context, url string, branches []string) (refused map[string]error, err error)

	// OnCommit, if set, is told how each Commit of a transaction ended:
	// "fast_forward", "merged", "conflict" or "error".
	OnCommit func(result string)
}

const (
	defaultMaxFileSize = 2 << 30
	treeCacheBytes     = 32 << 20
	commitCacheBytes   = 64 << 20
)

// A DB is a database over a store. It implements datakit.Driver,
// datakit.BranchWatcher and datakit.Pusher.
type DB struct {
	objs     *objects
	refs     store.Refs
	opts     Options
	hub      *hub
	txMemory atomic.Int64 // bytes of changed files in memory
	commits  *committer
	ended    chan struct{} // closed by Close
	closing  sync.Once
	closeErr error
}

var (
	_ datakit.Driver        = (*DB)(nil)
	_ datakit.BranchWatcher = (*DB)(nil)
	_ datakit.Pusher        = (*DB)(nil)
)

// New returns the database over objs and refs, which it owns from then on.
func New(objs store.Objects, refs store.Refs, opts Options) *DB {
	if opts.MaxFileSize == 0 {
		opts.MaxFileSize = defaultMaxFileSize
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.AuthorName == "" {
		opts.AuthorName = "datakit"
	}
	if opts.AuthorAddress == "" {
		opts.AuthorAddress = "datakit@mobyproject.org"
	}
	if opts.OnCommit == nil {
		opts.OnCommit = func(string) {}
	}
	db := &DB{
		objs:  newObjects(objs, treeCacheBytes, commitCacheBytes),
		refs:  refs,
		opts:  opts,
		ended: make(chan struct{}),
	}
	db.hub = newHub(db)
	db.commits = newCommitter(db)
	return db
}

// Close implements datakit.Driver.
func (db *DB) Close() error {
	db.closing.Do(func() {
		close(db.ended)
		db.commits.close()
		db.hub.close()
		db.closeErr = errors.Join(db.refs.Close(), db.objs.Close())
	})
	return db.closeErr
}

func (db *DB) isClosed() bool {
	select {
	case <-db.ended:
		return true
	default:
		return false
	}
}

// Branches implements datakit.BranchDriver.
func (db *DB) Branches(ctx context.Context) ([]string, error) { return db.refs.Branches(ctx) }

// Head implements datakit.BranchDriver.
func (db *DB) Head(ctx context.Context, branch string) (datakit.Hash, error) {
	return db.refs.Head(ctx, branch)
}

// FastForward implements datakit.BranchDriver.
func (db *DB) FastForward(ctx context.Context, branch string, to datakit.Hash) error {
	if _, err := db.objs.commit(to); err != nil {
		return err
	}
	return db.commits.do(ctx, &op{branches: []string{branch}, plan: func(g *group) error {
		return g.fastForward(branch, to)
	}})
}

// RemoveBranch implements datakit.BranchDriver.
func (db *DB) RemoveBranch(ctx context.Context, branch string) error {
	return db.commits.do(ctx, &op{branches: []string{branch}, plan: func(g *group) error {
		return g.remove(branch)
	}})
}

// RenameBranch implements datakit.BranchDriver.
func (db *DB) RenameBranch(ctx context.Context, from, to string) error {
	return db.commits.do(ctx, &op{branches: []string{to, from}, plan: func(g *group) error {
		return g.rename(from, to)
	}})
}

// Commit implements datakit.ObjectDriver.
func (db *DB) Commit(ctx context.Context, h datakit.Hash) (*datakit.Commit, error) {
	c, err := db.objs.fullCommit(h)
	if err != nil {
		return nil, err
	}
	return &datakit.Commit{
		Hash:    h,
		TreeID:  c.Tree,
		Parents: c.Parents,
		Author:  c.Author.Name,
		Date:    c.Author.Time,
		Message: c.Message,
	}, nil
}

// Tree implements datakit.ObjectDriver.
func (db *DB) Tree(ctx context.Context, id datakit.TreeID) (datakit.TreeDriver, error) {
	want := object.BlobType
	if id.Mode == datakit.Dir {
		want = object.TreeType
	}
	if id != (datakit.TreeID{Mode: datakit.Dir, Hash: datakit.EmptyTree}) {
		t, _, err := db.objs.Header(id.Hash)
		if err != nil {
			return nil, err
		}
		if t != want {
			return nil, datakit.NotExist
		}
	}
	return db.treeAt(id), nil
}

func (db *DB) treeAt(id datakit.TreeID) *tree {
	return &tree{objs: db.objs, root: object.TreeEntry{Mode: id.Mode, Hash: id.Hash}}
}

// Diff implements datakit.ObjectDriver.
func (db *DB) Diff(ctx context.Context, from, to datakit.Hash) ([]datakit.Change, error) {
	a, err := db.objs.commit(from)
	if err != nil {
		return nil, err
	}
	b, err := db.objs.commit(to)
	if err != nil {
		return nil, err
	}
	return diffTrees(db.objs, a.tree, b.tree)
}

// Fetch implements datakit.Driver.
func (db *DB) Fetch(ctx context.Context, url, branch string) (datakit.Hash, error) {
	if db.opts.Fetch == nil {
		return datakit.Hash{}, errors.New("this database cannot fetch")
	}
	return db.opts.Fetch(ctx, url, branch)
}

// Push implements datakit.Pusher.
func (db *DB) Push(ctx context.Context, url string, branches []string) (map[string]error, error) {
	if db.opts.Push == nil {
		return nil, errors.New("this database cannot push")
	}
	return db.opts.Push(ctx, url, branches)
}

// headTree returns head and tree of a branch.
func (db *DB) headTree(ctx context.Context, branch string) (head, tree datakit.Hash, err error) {
	head, err = db.refs.Head(ctx, branch)
	if err != nil || head.IsZero() {
		return head, datakit.EmptyTree, err
	}
	tree, err = db.treeOfHead(head)
	return head, tree, err
}

// treeOfHead returns the tree of a commit that some branch has, or had, as its
// head.
func (db *DB) treeOfHead(head datakit.Hash) (datakit.Hash, error) {
	if head.IsZero() {
		return datakit.EmptyTree, nil
	}
	c, err := db.objs.commit(head)
	if err != nil {
		return datakit.Hash{}, inside(head, err)
	}
	return c.tree, nil
}

// newCommit returns a commit with what all commits have in common.
func (db *DB) newCommit(tree datakit.Hash, parents []datakit.Hash, msg string) *object.Commit {
	if msg == "" {
		msg = "(no commit message)"
	}
	who := object.Signature{Name: db.opts.AuthorName, Address: db.opts.AuthorAddress, Time: db.opts.Now()}
	return &object.Commit{Tree: tree, Parents: parents, Author: who, Committer: who, Message: strings.Clone(msg)}
}
