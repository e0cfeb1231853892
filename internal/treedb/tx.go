package treedb

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
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
	held      []store.Staged // objects stored early, protected until the end
	unsaved   int64          // bytes written since contents were last stored
	ended     bool
}

type mergeInputs struct{ ours, theirs, base datakit.Hash }

var _ datakit.TxDriver = (*tx)(nil)

// Begin implements datakit.Driver.
func (db *DB) Begin(ctx context.Context, branch string) (datakit.TxDriver, error) {
	select {
	case <-db.ended:
		return nil, datakit.Closed
	default:
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
	if t.ended {
		return datakit.Closed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f()
}

// find returns the entry at path as it is shown. It is not to be edited.
func (t *tx) find(path datakit.Path) (*node, error) {
	n := t.root
	for step := range path.Steps() {
		if n.mode != datakit.Dir {
			return nil, datakit.NotDir
		}
		var err error
		if n, err = t.child(n, step); err != nil {
			return nil, err
		}
		if n == nil || !isShown(n.mode) || !validName(step) {
			return nil, datakit.NotExist
		}
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

// Open implements datakit.TreeDriver. The Blob shows later changes until the
// content is replaced as a whole.
func (t *tx) Open(ctx context.Context, path datakit.Path) (b datakit.Blob, err error) {
	err = t.use(ctx, func() error {
		n, err := t.find(path)
		if err != nil {
			return err
		}
		if n.content != nil {
			b = liveBlob{n.content}
			return nil
		}
		b, err = t.db.objs.open(object.TreeEntry{Mode: n.mode, Hash: n.hash})
		return err
	})
	return b, err
}

// A place is where an entry is or may be: its directory, opened for editing
// with all above it.
type place struct {
	dir   *dir
	above []*node // from the root to the directory
	name  string
}

// place returns the place of path.
func (t *tx) place(path datakit.Path) (place, error) {
	n := t.root
	p := place{name: path.Base()}
	for step := range path.Dir().Steps() {
		d, err := n.open(t.db.objs)
		if err != nil {
			return p, err
		}
		p.above = append(p.above, n)
		n = d.child(step)
		switch {
		case n == nil || !isShown(n.mode) || !validName(step):
			return p, datakit.NotExist
		case n.mode != datakit.Dir:
			return p, datakit.NotDir
		}
		if d.edits[step] == nil {
			d.edits[step] = n
		}
	}
	var err error
	p.dir, err = n.open(t.db.objs)
	p.above = append(p.above, n)
	return p, err
}

// get returns the entry at the place, or NotExist.
func (p place) get() (*node, error) {
	n := p.dir.child(p.name)
	if n == nil || !isShown(n.mode) || !validName(p.name) {
		return nil, datakit.NotExist
	}
	return n, nil
}

// put makes n the entry at the place; nil removes it. It notes the change there
// and in the directories above.
func (t *tx) put(p place, n *node) {
	if old := p.dir.edits[p.name]; old != nil && old != n {
		old.discard()
	}
	p.dir.set(p.name, n)
	t.rev++
	now := t.db.opts.Now()
	for _, a := range p.above {
		a.rev, a.changed = t.rev, now
	}
	if n != nil {
		n.rev, n.changed = t.rev, now
	}
}

// vacant returns the place of path if a file may be put there, over a file or
// link that is there.
func (t *tx) vacant(path datakit.Path) (place, error) {
	p, err := t.place(path)
	if err != nil {
		return p, err
	}
	switch n := p.dir.child(p.name); {
	case n == nil:
		return p, nil
	case n.mode == datakit.Dir:
		return p, datakit.IsDir
	case n.mode == datakit.Submodule:
		return p, datakit.Exist
	}
	return p, nil
}

// Create implements datakit.TxDriver.
func (t *tx) Create(ctx context.Context, path datakit.Path, mode datakit.Mode, data []byte) error {
	return t.use(ctx, func() error {
		if int64(len(data)) > t.db.opts.MaxFileSize {
			return datakit.TooLarge
		}
		p, err := t.vacant(path)
		if err != nil {
			return err
		}
		c, err := t.newContent(data)
		if err != nil {
			return err
		}
		n := &node{mode: mode, content: c}
		t.put(p, n)
		t.resolve(path)
		return t.wrote(ctx, n, len(data))
	})
}

// Mkdir implements datakit.TxDriver.
func (t *tx) Mkdir(ctx context.Context, path datakit.Path) error {
	return t.use(ctx, func() error {
		p, err := t.place(path)
		if err != nil {
			return err
		}
		if p.dir.child(p.name) != nil {
			return datakit.Exist
		}
		t.put(p, &node{mode: datakit.Dir, hash: datakit.EmptyTree})
		t.resolve(path)
		return nil
	})
}

// edit runs f on the content of the file or link at path. f gets the content
// as it is if keep says that it needs the present bytes, else an empty one.
func (t *tx) edit(path datakit.Path, keep func(size int64) bool, f func(c *content) error) (*node, error) {
	p, err := t.place(path)
	if err != nil {
		return nil, err
	}
	n, err := p.get()
	if err != nil {
		return nil, err
	}
	if n.mode == datakit.Dir {
		return nil, datakit.IsDir
	}
	c, err := t.editable(n, keep)
	if err != nil {
		return nil, err
	}
	if err := f(c); err != nil {
		if c != n.content {
			c.discard()
		}
		return nil, err
	}
	n.content, n.hash = c, datakit.Hash{}
	t.put(p, n)
	t.resolve(path)
	return n, nil
}

// editable returns the content of n for editing: what n has, or a copy of the
// blob that n names.
func (t *tx) editable(n *node, keep func(size int64) bool) (*content, error) {
	if n.content != nil {
		return n.content, nil
	}
	c, err := t.newContent(nil)
	if err != nil {
		return nil, err
	}
	b, err := t.db.objs.open(object.TreeEntry{Mode: n.mode, Hash: n.hash})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if !keep(b.Size()) {
		return c, nil
	}
	w := &contentWriter{c: c}
	if _, err := io.Copy(w, datakit.NewReader(context.Background(), b)); err != nil {
		c.discard()
		return nil, err
	}
	return c, nil
}

// contentWriter appends to a content.
type contentWriter struct {
	c   *content
	off int64
}

func (w *contentWriter) Write(p []byte) (int, error) {
	if err := w.c.writeAt(p, w.off); err != nil {
		return 0, err
	}
	w.off += int64(len(p))
	return len(p), nil
}

// WriteAt implements datakit.TxDriver.
func (t *tx) WriteAt(ctx context.Context, path datakit.Path, data []byte, off int64) error {
	return t.use(ctx, func() error {
		if off > t.db.opts.MaxFileSize-int64(len(data)) {
			return datakit.TooLarge
		}
		if len(data) == 0 {
			return t.checkFile(path)
		}
		end := off + int64(len(data))
		n, err := t.edit(path,
			func(size int64) bool { return off > 0 || end < size },
			func(c *content) error { return c.writeAt(data, off) })
		if err != nil {
			return err
		}
		return t.wrote(ctx, n, len(data))
	})
}

// checkFile returns why nothing can be written at path, or nil.
func (t *tx) checkFile(path datakit.Path) error {
	n, err := t.find(path)
	if err == nil && n.mode == datakit.Dir {
		err = datakit.IsDir
	}
	return err
}

// Truncate implements datakit.TxDriver.
func (t *tx) Truncate(ctx context.Context, path datakit.Path, size int64) error {
	return t.use(ctx, func() error {
		if size > t.db.opts.MaxFileSize {
			return datakit.TooLarge
		}
		n, err := t.edit(path,
			func(int64) bool { return size > 0 },
			func(c *content) error { return c.truncate(size) })
		if err != nil {
			return err
		}
		return t.wrote(ctx, n, 0)
	})
}

// SetMode implements datakit.TxDriver.
func (t *tx) SetMode(ctx context.Context, path datakit.Path, mode datakit.Mode) error {
	return t.use(ctx, func() error {
		p, err := t.place(path)
		if err != nil {
			return err
		}
		n, err := p.get()
		if err != nil {
			return err
		}
		if n.mode == datakit.Dir {
			return datakit.IsDir
		}
		n.mode = mode
		t.put(p, n)
		return nil
	})
}

// Remove implements datakit.TxDriver.
func (t *tx) Remove(ctx context.Context, path datakit.Path) error {
	return t.use(ctx, func() error {
		p, err := t.place(path)
		if err != nil {
			return err
		}
		if _, err := p.get(); err != nil {
			return err
		}
		t.put(p, nil)
		t.resolve(path)
		return nil
	})
}

// Rename implements datakit.TxDriver.
func (t *tx) Rename(ctx context.Context, from, to datakit.Path) error {
	return t.use(ctx, func() error {
		source, err := t.place(from)
		if err != nil {
			return err
		}
		n, err := source.get()
		if err != nil || from == to {
			return err
		}
		if n.mode == datakit.Dir && to.Within(from) {
			return &datakit.Error{Op: "move into itself", Subject: string(from), Kind: datakit.Invalid}
		}
		target, err := t.place(to)
		if err != nil {
			return err
		}
		if err := t.replaceable(target, n.mode); err != nil {
			return err
		}
		source.dir.set(source.name, nil)
		t.put(source, nil)
		t.put(target, n)
		t.renameConflicts(from, to)
		return nil
	})
}

// replaceable returns why an entry of the given mode cannot be moved to p.
func (t *tx) replaceable(p place, mode datakit.Mode) error {
	n := p.dir.child(p.name)
	switch {
	case n == nil:
		return nil
	case n.mode == datakit.Submodule:
		return datakit.Exist
	case n.mode != datakit.Dir:
		return nil
	case mode != datakit.Dir:
		return datakit.IsDir
	}
	d, err := n.open(t.db.objs)
	if err == nil && !d.isEmpty() {
		err = datakit.IsDir
	}
	return err
}

// resolve takes path, and what is below it, off the conflicts.
func (t *tx) resolve(path datakit.Path) {
	for p := range t.conflicts {
		if p.Within(path) {
			delete(t.conflicts, p)
		}
	}
}

// renameConflicts resolves the conflicts that a rename resolves, which are
// those at its two paths, and moves those below.
func (t *tx) renameConflicts(from, to datakit.Path) {
	t.resolve(to)
	delete(t.conflicts, from)
	for p := range t.conflicts {
		if p.Within(from) {
			delete(t.conflicts, p)
			t.conflicts[to+p[len(from):]] = true
		}
	}
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
	t.root = nil
	for _, s := range t.held {
		s.Release()
	}
	t.held = nil
}
