package treedb

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/store"
)

const (
	// A transaction moves what it has in memory to the store when it has
	// written this many bytes, or the smaller number if all transactions
	// together hold more than the third.
	flushBytes      = 8 << 20
	flushBytesScant = 256 << 10
	scantMemory     = 64 << 20

	// flushFiles is how many temporary files a transaction may have.
	flushFiles = 16
)

// makeRoom moves what is in memory to the store when there is much, but not the
// content at path, before n bytes are written there. If there is no room for it
// the write fails, having done nothing.
func (t *tx) makeRoom(ctx context.Context, path datakit.Path, n int) error {
	limit := int64(flushBytes)
	if t.db.txMemory.Load() > scantMemory {
		limit = flushBytesScant
	}
	if t.unsaved+int64(n) < limit {
		return nil
	}
	cur, _ := t.find(path) // who writes will see why it is not found
	others := func(n *node) bool { return n != cur && !n.content.spilled() }
	if err := t.save(ctx, others); err != nil {
		return err
	}
	t.unsaved = 0
	spills := 0
	for range t.spilled {
		spills++
	}
	if spills <= flushFiles {
		return nil
	}
	return t.save(ctx, func(n *node) bool { return n != cur })
}

// spilled yields the nodes whose content is in a temporary file.
func (t *tx) spilled(yield func(*node) bool) {
	t.root.contents(func(n *node) bool { return !n.content.spilled() || yield(n) })
}

// save moves the contents that are chosen to the store.
func (t *tx) save(ctx context.Context, choose func(*node) bool) error {
	var nodes []*node
	var objs []store.Object
	t.root.contents(func(n *node) bool {
		if choose(n) {
			nodes = append(nodes, n)
		}
		return true
	})
	for _, n := range nodes {
		o, err := n.content.object()
		if err != nil {
			return err
		}
		objs = append(objs, o)
	}
	if err := t.hold(ctx, objs); err != nil {
		return err
	}
	for i, n := range nodes {
		n.content.discard()
		n.content, n.hash = nil, objs[i].Hash
	}
	return nil
}

// hold stores objects and keeps them from being pruned until the transaction
// ends.
func (t *tx) hold(ctx context.Context, objs []store.Object) error {
	if len(objs) == 0 {
		return nil
	}
	s, err := t.db.objs.Stage(ctx, objs)
	if err != nil {
		return err
	}
	if err := s.Publish(); err != nil {
		return err
	}
	t.held = append(t.held, s)
	return nil
}

// build returns the present contents as a tree, whose new objects are in s.
func (t *tx) build(b *builder) (datakit.Hash, error) {
	e, err := b.build(t.root)
	return e.Hash, err
}

// checkParents returns NotExist if a parent is not a commit of the database,
// and the parents without those named twice.
func (t *tx) checkParents() ([]datakit.Hash, error) {
	var ps []datakit.Hash
	for _, p := range t.parents {
		if slices.Contains(ps, p) {
			continue
		}
		if _, err := t.db.objs.commit(p); err != nil {
			return nil, err
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// Merge implements datakit.TxHistory.
func (t *tx) Merge(ctx context.Context, h datakit.Hash) error {
	return t.use(ctx, func() error {
		theirs, err := t.db.objs.commit(h)
		if err != nil {
			return err
		}
		if len(t.conflicts) > 0 {
			return datakit.Unresolved
		}
		parents, err := t.checkParents()
		if err != nil {
			return err
		}
		if err := t.save(ctx, func(n *node) bool { return n.content.spilled() }); err != nil {
			return err
		}
		s := newScratch(t.db.objs)
		ours, err := t.build(&builder{s: s})
		if err != nil {
			return err
		}
		b, err := findBase(s, parents, []datakit.Hash{h})
		if err != nil {
			return err
		}
		result, err := mergeTrees(s, ours, theirs.tree, b)
		if err != nil {
			return err
		}
		news, err := diffTrees(s, ours, result.tree)
		if err != nil {
			return err
		}
		if err := t.hold(ctx, s.fresh); err != nil {
			return err
		}
		s.stored()
		if err := t.adopt(result, news); err != nil {
			return err
		}
		t.inputs = &mergeInputs{ours, theirs.tree, b.tree}
		if !slices.Contains(t.parents, h) {
			t.parents = append(t.parents, h)
		}
		return nil
	})
}

// adopt makes the result of a merge, which differs in news from the contents so
// far, the contents. Directories that were empty stay (specification, FS-124),
// and when entries were changed is known as before, or now for what the merge
// changed.
func (t *tx) adopt(result merged, news []datakit.Change) error {
	before, rev := t.root, t.rev
	t.rev++
	t.last = found{}
	now := t.db.opts.Now()
	t.root = &node{mode: datakit.Dir, hash: result.tree, rev: t.rev, changed: now}
	for _, path := range before.emptyDirs(datakit.Root, nil) {
		if err := t.keepDir(path); err != nil {
			t.root, t.rev, t.last = before, rev, found{}
			return err
		}
	}
	for _, c := range before.changes(datakit.Root, nil) {
		t.date(c.path, c.at)
	}
	for _, c := range news {
		t.date(c.Path, now)
	}
	before.discard()
	for _, c := range result.conflicts {
		t.conflicts[c.Path] = true
	}
	return nil
}

// date sets when the entry at path was changed, if there is one.
func (t *tx) date(path datakit.Path, at time.Time) {
	p, err := t.place(path)
	if err != nil {
		return
	}
	if n, err := p.get(); err == nil {
		n.changed = at
		p.dir.edits[p.name] = n
	}
}

// keepDir makes an empty directory, and those above it, where nothing else is
// in the way.
func (t *tx) keepDir(path datakit.Path) error {
	at := datakit.Root
	for step := range path.Steps() {
		at = at.Join(datakit.Path(step))
		p, err := t.place(at)
		if err != nil {
			return err
		}
		n := p.dir.child(p.name)
		if n == nil {
			t.put(p, &node{mode: datakit.Dir, hash: datakit.EmptyTree})
		} else if n.mode != datakit.Dir {
			return nil
		}
	}
	return nil
}

// MergeInputs implements datakit.TxHistory.
func (t *tx) MergeInputs(ctx context.Context) (ours, theirs, base datakit.TreeDriver, err error) {
	err = t.use(ctx, func() error {
		if t.inputs == nil {
			return nil
		}
		at := func(h datakit.Hash) datakit.TreeDriver {
			return t.db.treeAt(datakit.TreeID{Mode: datakit.Dir, Hash: h})
		}
		ours, theirs, base = at(t.inputs.ours), at(t.inputs.theirs), at(t.inputs.base)
		return nil
	})
	return ours, theirs, base, err
}

// Diff implements datakit.TxHistory.
func (t *tx) Diff(ctx context.Context, from datakit.Hash) (changes []datakit.Change, err error) {
	err = t.use(ctx, func() error {
		c, err := t.db.objs.commit(from)
		if err != nil {
			return err
		}
		s := newScratch(t.db.objs)
		present, err := t.build(&builder{s: s})
		if err != nil {
			return err
		}
		changes, err = diffTrees(s, c.tree, present)
		return err
	})
	return changes, err
}

// Commit implements datakit.TxHistory.
func (t *tx) Commit(ctx context.Context, msg string) error {
	_, err := t.CommitHash(ctx, msg)
	return err
}

// CommitHash implements datakit.HashCommitter.
func (t *tx) CommitHash(ctx context.Context, msg string) (made datakit.Hash, err error) {
	err = t.use(ctx, func() error {
		var result string
		made, result, err = t.commit(ctx, msg)
		t.db.opts.OnCommit(result)
		if err == nil {
			t.end()
		}
		return err
	})
	return made, err
}

func (t *tx) commit(ctx context.Context, msg string) (made datakit.Hash, result string, err error) {
	if len(t.conflicts) > 0 {
		return made, "conflict", datakit.Unresolved
	}
	parents, err := t.checkParents()
	if err != nil {
		return made, "error", err
	}
	// Long files go to the store first, so that others do not wait for them.
	if err := t.save(ctx, func(n *node) bool { return n.content.spilled() }); err != nil {
		return made, "error", err
	}
	b := &builder{s: newScratch(t.db.objs)}
	tree, err := t.build(b)
	if err != nil {
		return made, "error", err
	}
	c := t.db.newCommit(tree, parents, msg)
	h := b.s.addCommit(c, 0)
	merged := false
	err = t.db.commits.do(ctx, &op{branches: []string{t.branch}, objs: b.s.fresh, plan: func(g *group) (err error) {
		if err := t.confirm(g, b.kept, parents); err != nil {
			return err
		}
		merged, err = g.publish(t.branch, h, c)
		made = g.at(t.branch).new
		return err
	}})
	switch {
	case errors.Is(err, datakit.Conflict):
		return made, "conflict", err
	case err != nil:
		return made, "error", err
	case merged:
		return made, "merged", nil
	}
	return h, "fast_forward", nil
}

// confirm makes sure that what the new commit builds on is still in the
// repository. Nothing can have pruned it if it all comes from a commit that the
// branch's head is, or is known to descend from; else the disk is asked.
func (t *tx) confirm(g *group, kept, parents []datakit.Hash) error {
	head := g.at(t.branch).old
	fromStart := len(parents) == 1 && parents[0] == t.start
	if fromStart && (head == t.start || g.c.lineage.has(t.branch, g.at(t.branch).new, t.start)) {
		return nil
	}
	kept = slices.DeleteFunc(slices.Clone(kept), func(h datakit.Hash) bool { return h == datakit.EmptyTree })
	return t.db.objs.Confirm(slices.Concat(parents, kept))
}
