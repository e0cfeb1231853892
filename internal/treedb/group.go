package treedb

import (
	"context"
	"errors"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// A group is a number of ops that are made durable together: their objects are
// written as one pack while the references are locked and their new values
// written, then the pack becomes visible, and then each branch moves.
type group struct {
	c     *committer
	s     *scratch
	moves map[string]*move
	order []*move
	whole bool // all moves are made or none
}

// A move is where a group takes a branch.
type move struct {
	branch   string
	old, new datakit.Hash
	heads    []datakit.Hash // all that it goes through; the last is new
	err      error          // why the present head could not be read
}

func newGroup(c *committer) *group {
	return &group{c: c, s: newScratch(c.db.objs), moves: make(map[string]*move)}
}

// add plans an op.
func (g *group) add(o *op) {
	if o.planned = o.ctx.Err(); o.planned != nil {
		return
	}
	if o.planned = g.s.add(o.objs...); o.planned == nil {
		o.planned = guard(func() error { return o.plan(g) })
	}
}

// at returns where the ops so far take a branch.
func (g *group) at(branch string) *move {
	m := g.moves[branch]
	if m == nil {
		m = &move{branch: branch}
		// Not with the context of an op: the group must not fail with one.
		m.old, m.err = g.c.db.refs.Head(context.Background(), branch)
		m.new = m.old
		g.moves[branch] = m
		g.order = append(g.order, m)
	}
	return m
}

// move takes a branch to a head.
func (g *group) move(branch string, to datakit.Hash) {
	m := g.at(branch)
	if m.new != to {
		m.new = to
		m.heads = append(m.heads, to)
	}
}

// fastForward takes a branch to a commit that descends from its head.
func (g *group) fastForward(branch string, to datakit.Hash) error {
	m := g.at(branch)
	if m.err != nil {
		return m.err
	}
	if !m.new.IsZero() {
		ok, err := isAncestor(g.s, m.new, to)
		if err != nil {
			return err
		}
		if !ok {
			return datakit.NotFastForward
		}
	}
	g.move(branch, to)
	return nil
}

// remove removes a branch.
func (g *group) remove(branch string) error {
	if err := g.at(branch).err; err != nil {
		return err
	}
	g.move(branch, datakit.Hash{})
	return nil
}

// rename takes one branch to the head of another and removes the latter.
func (g *group) rename(from, to string) error {
	target, source := g.at(to), g.at(from) // in the order in which they move
	switch err := errors.Join(target.err, source.err); {
	case err != nil:
		return err
	case source.new.IsZero():
		return datakit.NotExist
	case from == to:
		return nil
	case !target.new.IsZero():
		return datakit.Exist
	}
	g.whole = true
	g.move(to, source.new)
	g.move(from, datakit.Hash{})
	return nil
}

// publish takes a branch to commit c, or to a merge of its head and c, as the
// specification's FS-119 says. merged tells which.
func (g *group) publish(branch string, h datakit.Hash, c *object.Commit) (merged bool, err error) {
	m := g.at(branch)
	if m.err != nil {
		return false, m.err
	}
	g.c.seq++
	g.s.know(h, c, g.c.seq)
	head := m.new
	if head.IsZero() || contains(c.Parents, head) {
		g.advance(branch, h)
		return false, nil
	}
	b, done, err := g.baseOf(branch, head, h, c)
	if done || err != nil {
		return false, err
	}
	ours, err := g.s.commit(head)
	if err != nil {
		return false, inside(head, err)
	}
	result, err := mergeTrees(g.s, ours.tree, c.Tree, b)
	if err != nil {
		return false, err
	}
	if len(result.conflicts) > 0 {
		return false, &datakit.Error{Op: "merge", Subject: branch, Kind: datakit.Conflict, Err: &datakit.MergeError{Conflicts: result.conflicts}}
	}
	g.c.seq++
	merge := g.c.db.newCommit(result.tree, []datakit.Hash{head, h}, "Merge")
	g.advance(branch, g.s.addCommit(merge, g.c.seq))
	return true, nil
}

// baseOf returns the base for merging commit h into head, unless no merge is
// needed: then the branch is where it should be.
func (g *group) baseOf(branch string, head, h datakit.Hash, c *object.Commit) (b base, done bool, err error) {
	// A transaction of this branch whose start is known to be in the history
	// of the head needs no search: the base is where it started.
	if len(c.Parents) == 1 && g.c.lineage.has(branch, head, c.Parents[0]) && !g.c.lineage.has(branch, head, h) {
		start, err := g.s.commit(c.Parents[0])
		if err != nil {
			return base{}, false, err
		}
		return base{tree: start.tree}, false, nil
	}
	common, err := commonAncestors(g.s, []datakit.Hash{head}, []datakit.Hash{h})
	switch {
	case err != nil:
		return base{}, false, err
	case contains(common, h):
		return base{}, true, nil
	case contains(common, head):
		g.advance(branch, h)
		return base{}, true, nil
	}
	b, err = findBase(g.s, []datakit.Hash{head}, []datakit.Hash{h})
	return b, false, err
}

// advance moves a branch to a descendant of its head.
func (g *group) advance(branch string, to datakit.Hash) {
	g.c.lineage.advance(branch, g.at(branch).new, to)
	g.move(branch, to)
}

// commit makes the group durable and visible. It returns for each branch that
// could not be moved the reason.
func (g *group) commit() map[string]error {
	updates := g.updates()
	if !g.moved() {
		return nil
	}
	errs, err := g.write(updates)
	if err == nil {
		g.s.stored()
	}
	failed := make(map[string]error)
	for i, u := range updates {
		e := err
		if e == nil {
			e = errs[i]
		}
		if e != nil {
			failed[u.Branch] = e
			g.c.lineage.forget(u.Branch)
		}
	}
	for _, m := range g.order {
		if err != nil {
			failed[m.branch] = err
		}
	}
	if err == nil {
		g.announceUnmoved()
	}
	return failed
}

// moved reports whether a branch has moved, be it back to where it was.
func (g *group) moved() bool {
	for _, m := range g.order {
		if len(m.heads) > 0 {
			return true
		}
	}
	return false
}

// write writes the objects and moves the branches. It returns for each update
// whether that was made, or why none was.
func (g *group) write(updates []store.Update) ([]error, error) {
	staged, prepared, err := g.prepare(updates)
	if err != nil {
		return nil, err
	}
	return g.apply(updates, staged, prepared)
}

func (g *group) updates() (us []store.Update) {
	for _, m := range g.order {
		if m.err == nil && m.old != m.new {
			us = append(us, store.Update{Branch: m.branch, Old: m.old, New: m.new})
		}
	}
	return us
}

// prepare writes the objects and, at the same time, the references, both so
// that they cannot be seen yet.
func (g *group) prepare(updates []store.Update) (store.Staged, store.Prepared, error) {
	var prepared store.Prepared
	references := make(chan error, 1)
	go func() {
		references <- guard(func() error {
			prepared = g.c.db.refs.Prepare(context.Background(), updates)
			return nil
		})
	}()
	// The objects take longer, so they do not wait for a goroutine to start.
	var staged store.Staged
	err := guard(func() (err error) {
		staged, err = g.c.db.objs.Stage(context.Background(), g.s.fresh)
		return err
	})
	switch failed := <-references; {
	case failed != nil && err == nil:
		staged.Discard()
		return nil, nil, failed
	case failed == nil && err != nil:
		prepared.Abort()
	}
	return staged, prepared, err
}

// apply makes objects and then references visible. Two branches that are moved
// by one op move both or not at all.
func (g *group) apply(updates []store.Update, staged store.Staged, prepared store.Prepared) ([]error, error) {
	bad := errors.Join(prepared.Errs()...)
	if bad != nil && (len(updates) == 1 || g.whole) {
		prepared.Abort()
		staged.Discard()
		return g.none(prepared.Errs()), nil
	}
	if err := guard(staged.Publish); err != nil {
		prepared.Abort()
		return nil, err
	}
	defer staged.Release()
	for _, u := range updates {
		defer g.c.db.hub.expect(u.Branch, g.moves[u.Branch].heads)()
	}
	return prepared.Apply(), nil
}

// none returns errs with an error for each update, as none was made.
func (g *group) none(errs []error) []error {
	because := errors.Join(errs...)
	for i, err := range errs {
		if err == nil {
			errs[i] = because
		}
	}
	return errs
}

// announceUnmoved tells of the branches that went through several heads and
// are back where they were.
func (g *group) announceUnmoved() {
	for _, m := range g.order {
		if m.old == m.new && len(m.heads) > 0 {
			withdraw := g.c.db.hub.expect(m.branch, m.heads)
			g.c.db.hub.changed(m.branch, m.new)
			withdraw()
		}
	}
}

func contains(hs []datakit.Hash, h datakit.Hash) bool {
	for _, x := range hs {
		if x == h {
			return true
		}
	}
	return false
}
