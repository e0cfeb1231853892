package treedb

import "github.com/datakit/datakit"

const (
	lineageBranches = 1024 // how many branches are remembered
	lineageHeads    = 8192 // how many heads of each, at the most
)

// A lineage remembers which commits are known to be in the history of a
// branch's head because the head went from one to the next by descent. It
// forgets when there is much to remember; then the history has to be searched.
type lineage struct {
	branches map[string]*descent
}

// A descent is a head and heads before it, in two generations of which the
// older one is dropped when the younger one is full.
type descent struct {
	head       datakit.Hash
	young, old map[datakit.Hash]bool
}

func newLineage() lineage { return lineage{make(map[string]*descent)} }

// has reports whether h is known to be head or an ancestor of it.
func (l lineage) has(branch string, head, h datakit.Hash) bool {
	d := l.branches[branch]
	return d != nil && d.head == head && (d.young[h] || d.old[h])
}

// advance notes that branch goes from a head to a descendant of it.
func (l lineage) advance(branch string, from, to datakit.Hash) {
	d := l.branches[branch]
	if d == nil || d.head != from {
		if len(l.branches) >= lineageBranches {
			clear(l.branches)
		}
		d = &descent{young: make(map[datakit.Hash]bool)}
		l.branches[branch] = d
		if !from.IsZero() {
			d.young[from] = true
		}
	}
	if len(d.young) >= lineageHeads/2 {
		d.old, d.young = d.young, make(map[datakit.Hash]bool)
	}
	d.head = to
	d.young[to] = true
}

// forget drops what is known of a branch.
func (l lineage) forget(branch string) { delete(l.branches, branch) }
