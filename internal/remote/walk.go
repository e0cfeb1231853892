package remote

import (
	"container/heap"
	"errors"
	"fmt"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// A walk visits commits from some heads, the newest first, each once.
type walk struct {
	objs  store.Objects
	nodes map[datakit.Hash]*node
	queue queue
	open  int // nodes in queue that are not known
}

// A node is a commit of a walk.
type node struct {
	hash   datakit.Hash
	commit *object.Commit
	known  bool // the other end has it
	queued bool
}

func newWalk(objs store.Objects) *walk {
	return &walk{objs: objs, nodes: make(map[datakit.Hash]*node)}
}

// add puts a commit into the queue, unless it is missing, as the parents of a
// shallow repository's last commits are.
func (w *walk) add(h datakit.Hash, known bool) error {
	n := w.nodes[h]
	if n == nil {
		c, err := readCommit(w.objs, h)
		if errors.Is(err, datakit.NotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		n = &node{hash: h, commit: c, known: known}
		w.nodes[h] = n
	} else if n.known || !known {
		return nil // nothing new
	}
	if n.queued { // and turns out to be known
		n.known = true
		w.open--
		return nil
	}
	// A visited commit that turns out to be known is visited again, so that
	// what leads from it becomes known as well.
	n.known = known
	n.queued = true
	if !known {
		w.open++
	}
	heap.Push(&w.queue, n)
	return nil
}

// next visits the next commit, and returns nil when only known ones are left.
func (w *walk) next() (*node, error) {
	if w.open == 0 {
		return nil, nil
	}
	n := heap.Pop(&w.queue).(*node)
	n.queued = false
	if !n.known {
		w.open--
	}
	for _, p := range n.commit.Parents {
		if err := w.add(p, n.known); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// A queue is a heap with the newest commit on top.
type queue []*node

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].commit.Committer.Time.After(q[j].commit.Committer.Time)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*node)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	n := (*q)[last]
	*q = (*q)[:last]
	return n
}

// readCommit reads a commit.
func readCommit(objs store.Objects, h datakit.Hash) (*object.Commit, error) {
	raw, err := readObject(objs, h, object.CommitType)
	if err != nil {
		return nil, err
	}
	return object.ParseCommit(raw)
}

// readObject reads an object that must have a type.
func readObject(objs store.Objects, h datakit.Hash, want object.Type) ([]byte, error) {
	t, raw, err := objs.Read(h)
	if err != nil {
		return nil, err
	}
	if t != want {
		return nil, &datakit.Error{Op: "read", Subject: h.String(), Kind: datakit.Internal, Err: fmt.Errorf("it is a %s, not a %s", t, want)}
	}
	return raw, nil
}
