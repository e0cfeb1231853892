package remote

import (
	"context"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// outgoing returns the objects that a repository lacks which has those that lead
// from the commits known, and shall have those that lead from wants. The cost
// follows what is new, not what is there. A few more may be among them.
func outgoing(ctx context.Context, objs store.Objects, wants, known []datakit.Hash) ([]datakit.Hash, error) {
	w := newWalk(objs)
	for _, h := range known {
		if t, _, err := objs.Header(h); err != nil || t != object.CommitType {
			continue // of another program; or a tag
		}
		if err := w.add(h, true); err != nil {
			return nil, err
		}
	}
	for _, h := range wants {
		if _, _, err := objs.Header(h); err != nil {
			return nil, err
		}
		if err := w.add(h, false); err != nil {
			return nil, err
		}
	}
	var visited []*node
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := w.next()
		if err != nil {
			return nil, err
		}
		if n == nil {
			break
		}
		if !n.known {
			visited = append(visited, n)
		}
	}
	c := &collector{ctx: ctx, objs: objs, seen: make(map[datakit.Hash]bool)}
	for _, n := range slices.Backward(visited) { // the oldest first
		if n.known {
			continue // as was found out later
		}
		if err := c.commit(n, w); err != nil {
			return nil, err
		}
	}
	return c.found, nil
}

// A collector collects the objects of commits.
type collector struct {
	ctx   context.Context
	objs  store.Objects
	seen  map[datakit.Hash]bool
	found []datakit.Hash
}

// take collects an object, and reports whether it is new.
func (c *collector) take(h datakit.Hash) bool {
	if c.seen[h] {
		return false
	}
	c.seen[h] = true
	c.found = append(c.found, h)
	return true
}

// commit collects a commit and what it has in its tree that its parents do not:
// they are at the other end, or collected as well.
func (c *collector) commit(n *node, w *walk) error {
	if !c.take(n.hash) {
		return nil
	}
	var before []datakit.Hash
	for _, p := range n.commit.Parents {
		if parent := w.nodes[p]; parent != nil {
			before = append(before, parent.commit.Tree)
		}
	}
	return c.tree(n.commit.Tree, before)
}

// tree collects a tree and what is in it, except for what one of the trees
// before has in the same place.
func (c *collector) tree(h datakit.Hash, before []datakit.Hash) error {
	if slices.Contains(before, h) || !c.take(h) {
		return nil
	}
	if err := c.ctx.Err(); err != nil {
		return err
	}
	t, err := c.read(h)
	if err != nil {
		return err
	}
	var old []*object.Tree
	for _, b := range before {
		o, err := c.read(b)
		if err != nil {
			return err
		}
		old = append(old, o)
	}
	for i := range t.Len() {
		if err := c.entry(t.Entry(i), old); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) read(h datakit.Hash) (*object.Tree, error) {
	if h == datakit.EmptyTree {
		return object.ParseTree(nil)
	}
	raw, err := readObject(c.objs, h, object.TreeType)
	if err != nil {
		return nil, err
	}
	return object.ParseTree(raw)
}

// entry collects what an entry leads to.
func (c *collector) entry(e object.TreeEntry, old []*object.Tree) error {
	var dirs []datakit.Hash
	for _, o := range old {
		was := o.Find(string(e.Name))
		if was.Hash == e.Hash {
			return nil
		}
		if was.Mode == datakit.Dir {
			dirs = append(dirs, was.Hash)
		}
	}
	switch e.Mode {
	case datakit.Dir:
		return c.tree(e.Hash, dirs)
	case datakit.Submodule: // is in another repository
		return nil
	}
	c.take(e.Hash)
	return nil
}
