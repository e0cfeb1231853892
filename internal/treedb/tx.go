package treedb

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

// A tx is an open transaction. Its contents are a tree that is edited in
// place; objects are only made of it when they are needed.
type tx struct {
	db *DB

	mu        sync.Mutex // guards what follows, and is held for whole calls
	branch    string
	start     datakit.Hash // the head it started from
	root      *node
	rev       uint64
	parents   []datakit.Hash
	conflicts map[datakit.Path]bool
	inputs    *mergeInputs   // of the last merge
	last      found          // the directory that was found last
	held      []store.Staged // objects stored early, protected until the end
	unsaved   int64          // bytes written since contents were last stored
	ended     bool
}

type mergeInputs struct{ ours, theirs, base datakit.Hash }

var _ datakit.TxDriver = (*tx)(nil)

// Begin implements datakit.Driver.
func (db *DB) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	if db.isClosed() {
		return nil, datakit.Closed
	}
	head, tree, err := db.headTree(ctx, branch)
	if err != nil {
		return nil, err
	}
	t := &tx{
		db:        db,
		branch:    branch,
		start:     head,
		root:      &node{mode: datakit.Dir, hash: tree},
		conflicts: make(map[datakit.Path]bool),
	}
	if !head.IsZero() {
		t.parents = []datakit.Hash{head}
	}
	return t, nil
}

// use runs f while no other call is running, unless the transaction has ended.
func (t *tx) use(ctx context.Context, f func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || t.db.isClosed() {
		return datakit.Closed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f()
}

// A found is a directory of a transaction as it was at a revision.
type found struct {
	path datakit.Path
	dir  *node
	rev  uint64
}

// find returns the entry at path as it is shown. It is not to be edited. What is
// in the directory found last, or that itself, is found at once, so that it
// takes no longer the deeper one goes, step by step.
func (t *tx) find(path datakit.Path) (*node, error) {
	n, rest := t.root, path
	if t.last.dir != nil && t.last.rev == t.rev && path.Within(t.last.path) {
		n, rest = t.last.dir, path[len(t.last.path):]
		rest = datakit.Path(strings.TrimPrefix(string(rest), "/"))
	}
	above := n
	for step := range rest.Steps() {
		if n.mode != datakit.Dir {
			return nil, datakit.NotDir
		}
		above = n
		var err error
		if n, err = t.child(n, step); err != nil {
			return nil, err
		}
		if n == nil || !isShown(n.mode) || !validName(step) {
			return nil, datakit.NotExist
		}
	}
	if n.mode == datakit.Dir {
		t.last = found{path, n, t.rev}
	} else if rest != datakit.Root {
		t.last = found{path.Dir(), above, t.rev}
	}
	return n, nil
}

// child returns what directory n has under a name, or nil.
func (t *tx) child(n *node, name string) (*node, error) {
	if n.dir != nil {
		return n.dir.child(name), nil
	}
	tree, err := t.db.objs.tree(n.hash)
	if err != nil {
		return nil, inside(n.hash, err)
	}
	if e := tree.Find(name); e.Mode != datakit.Absent {
		return nodeOf(e), nil
	}
	return nil, nil
}

// entry describes a node, without its size.
func (n *node) entry(name string) datakit.Entry {
	e := datakit.Entry{Name: name, Mode: n.mode, Rev: n.rev, Changed: n.changed}
	if n.content == nil && n.dir == nil {
		e.Hash = n.hash
	}
	return e
}

// Lookup implements datakit.TreeDriver.
func (t *tx) Lookup(ctx context.Context, path datakit.Path) (e datakit.Entry, err error) {
	err = t.use(ctx, func() error {
		n, err := t.find(path)
		if err == nil {
			e = n.entry(path.Base())
		}
		return err
	})
	return e, err
}

// Stat implements datakit.TreeDriver.
func (t *tx) Stat(ctx context.Context, path datakit.Path) (e datakit.Entry, err error) {
	err = t.use(ctx, func() error {
		n, err := t.find(path)
		if err != nil {
			return err
		}
		e = n.entry(path.Base())
		e.Size, err = t.size(n)
		return err
	})
	return e, err
}

func (t *tx) size(n *node) (int64, error) {
	switch {
	case n.mode == datakit.Dir:
		return 0, nil
	case n.content != nil:
		return n.content.length(), nil
	}
	return t.db.objs.size(n.hash)
}

// ReadDir implements datakit.TreeDriver.
func (t *tx) ReadDir(ctx context.Context, path datakit.Path) (entries []datakit.Entry, err error) {
	err = t.use(ctx, func() error {
		n, err := t.find(path)
		if err != nil {
			return err
		}
		if n.mode != datakit.Dir {
			return datakit.NotDir
		}
		d, err := n.open(t.db.objs)
		if err != nil {
			return err
		}
		for name, c := range d.all {
			if isShown(c.mode) && validName(name) {
				entries = append(entries, c.entry(name))
			}
		}
		sortEntries(entries)
		return nil
	})
	return entries, err
}

// Open implements datakit.TreeDriver.
func (t *tx) Open(ctx context.Context, path datakit.Path) (b datakit.Blob, err error) {
	err = t.use(ctx, func() error {
		n, err := t.find(path)
		if err != nil {
			return err
		}
		b, err = t.blob(n)
		return err
	})
	return b, err
}

// ReadAt implements datakit.TxDriver.
func (t *tx) ReadAt(ctx context.Context, path datakit.Path, p []byte, off int64) (int, error) {
	var read int
	err := t.use(ctx, func() error {
		n, err := t.find(path)
		if err != nil {
			return err
		}
		b, err := t.blob(n)
		if err != nil {
			return err
		}
		defer b.Close() // before anything is written, which would take a copy
		read, err = b.ReadAt(ctx, p, off)
		return err
	})
	return read, err
}

// Parents implements datakit.TxHistory.
func (t *tx) Parents(ctx context.Context) (ps []datakit.Hash, err error) {
	err = t.use(ctx, func() error {
		ps = slices.Clone(t.parents)
		return nil
	})
	return ps, err
}

// SetParents implements datakit.TxHistory.
func (t *tx) SetParents(ctx context.Context, parents []datakit.Hash) error {
	return t.use(ctx, func() error {
		t.parents = slices.Clone(parents)
		return nil
	})
}

// Conflicts implements datakit.TxHistory.
func (t *tx) Conflicts(ctx context.Context) (ps []datakit.Path, err error) {
	err = t.use(ctx, func() error {
		for p := range t.conflicts {
			ps = append(ps, p)
		}
		slices.SortFunc(ps, func(a, b datakit.Path) int { return strings.Compare(string(a), string(b)) })
		return nil
	})
	return ps, err
}

// Retarget implements datakit.TxHistory.
func (t *tx) Retarget(ctx context.Context, branch string) error {
	return t.use(ctx, func() error {
		t.branch = branch
		return nil
	})
}

// Abort implements datakit.TxHistory.
func (t *tx) Abort() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end()
	return nil
}

// end releases all that the transaction holds.
func (t *tx) end() {
	if t.ended {
		return
	}
	t.ended = true
	t.root.discard()
	t.root, t.last = nil, found{}
	for _, s := range t.held {
		s.Release()
	}
	t.held = nil
}
