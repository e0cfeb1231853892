package cli

import (
	"container/heap"
	"context"
	"errors"
	"slices"

	"github.com/datakit/datakit"
)

// A history is commits with their ancestors.
type history struct {
	db    *datakit.DB
	paths []datakit.Path // only changes at these and below count; none means all
}

// A node is a commit of a history.
type node struct {
	*datakit.Commit
	follow []datakit.Hash // its parents, but if one has the same at all paths, that one alone
	shown  bool           // whether it changes something at the paths
}

// walk calls f with commits and all their ancestors, each once, the newest of
// those whose children were seen first, until f returns false. Where the
// database lacks parents, as a shallow clone does, the history ends.
func (h *history) walk(ctx context.Context, starts []datakit.Hash, f func(*node) (bool, error)) error {
	q := new(byDate)
	seen := make(map[datakit.Hash]bool)
	push := func(hashes []datakit.Hash) error {
		for _, hash := range hashes {
			if seen[hash] {
				continue
			}
			seen[hash] = true
			c, err := h.db.Commit(ctx, hash)
			if errors.Is(err, datakit.NotExist) {
				continue
			}
			if err != nil {
				return err
			}
			heap.Push(q, c)
		}
		return nil
	}
	if err := push(starts); err != nil {
		return err
	}
	for q.Len() > 0 {
		n, err := h.visit(ctx, heap.Pop(q).(*datakit.Commit))
		if err != nil {
			return err
		}
		if more, err := f(n); err != nil || !more {
			return err
		}
		if err := push(n.follow); err != nil {
			return err
		}
	}
	return nil
}

// visit finds out about a commit.
func (h *history) visit(ctx context.Context, c *datakit.Commit) (*node, error) {
	n := &node{c, c.Parents, true}
	if len(h.paths) == 0 {
		return n, nil
	}
	for _, parent := range c.Parents {
		diff, err := c.Diff(ctx, parent)
		if errors.Is(err, datakit.NotExist) { // a parent that the database lacks
			continue
		}
		if err != nil {
			return nil, err
		}
		if !h.touches(diff) {
			return &node{c, []datakit.Hash{parent}, false}, nil
		}
	}
	if len(c.Parents) > 0 {
		return n, nil
	}
	tree, err := c.Tree(ctx)
	if err != nil {
		return nil, err
	}
	n.shown = false
	for _, path := range h.paths {
		mode, err := tree.Mode(ctx, path)
		if err != nil {
			return nil, err
		}
		n.shown = n.shown || mode != datakit.Absent
	}
	return n, nil
}

// touches reports whether one of the changes is at one of the paths.
func (h *history) touches(diff []datakit.Change) bool {
	for _, change := range diff {
		for _, path := range h.paths {
			if change.Path.Within(path) {
				return true
			}
		}
	}
	return false
}

// ordered returns the whole history so that each commit comes before its
// parents, and a line of history is not interrupted where that can be. The
// parents of each are those of the shown commits that are its next ancestors.
func (h *history) ordered(ctx context.Context, starts []datakit.Hash) ([]*node, error) {
	all := make(map[datakit.Hash]*node)
	var order []*node
	err := h.walk(ctx, starts, func(n *node) (bool, error) {
		all[n.Hash] = n
		order = append(order, n)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(order) { // ancestors first, which shortens the way to theirs
		n.follow = shownAncestors(all, n.follow)
	}
	return topological(all, order), nil
}

// shownAncestors replaces commits that are not shown by the next of their
// ancestors that are. Those follow one parent at most.
func shownAncestors(all map[datakit.Hash]*node, parents []datakit.Hash) []datakit.Hash {
	var out []datakit.Hash
	seen := make(map[datakit.Hash]bool)
	for _, hash := range parents {
		n := all[hash]
		for n != nil && !n.shown && len(n.follow) > 0 {
			n = all[n.follow[0]]
		}
		if n != nil && n.shown && !seen[n.Hash] {
			seen[n.Hash] = true
			out = append(out, n.Hash)
		}
	}
	return out
}

// topological returns those of the nodes that are shown, children first.
func topological(all map[datakit.Hash]*node, nodes []*node) []*node {
	children := make(map[datakit.Hash]int)
	for _, n := range nodes {
		for _, parent := range n.follow {
			if n.shown {
				children[parent]++
			}
		}
	}
	var ready, out []*node
	for _, n := range slices.Backward(nodes) { // the newest is taken first
		if n.shown && children[n.Hash] == 0 {
			ready = append(ready, n)
		}
	}
	for len(ready) > 0 {
		n := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		out = append(out, n)
		for _, parent := range n.follow {
			if children[parent]--; children[parent] == 0 {
				ready = append(ready, all[parent])
			}
		}
	}
	return out
}

// A byDate is a heap of commits, the newest first.
type byDate []*datakit.Commit

// Len implements heap.Interface.
func (q byDate) Len() int { return len(q) }

// Less implements heap.Interface.
func (q byDate) Less(i, j int) bool { return q[i].Date.After(q[j].Date) }

// Swap implements heap.Interface.
func (q byDate) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *byDate) Push(x any) { *q = append(*q, x.(*datakit.Commit)) }

// Pop implements heap.Interface.
func (q *byDate) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}
