package treedb

import (
	"bytes"
	"container/heap"
	"errors"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// How a walk has reached a commit.
const (
	fromOne = 1 << iota // from one side
	fromTwo             // from the other
	below               // through a commit that was reached from both
	isBase              // reached from both sides at this commit first
)

// mergeBases returns the best common ancestors of two histories, each given by
// one or more commits: the common ancestors that are not ancestors of another
// common ancestor (specification, FS-127). They are sorted newest first, then
// by name. The walk goes no further down than it must to know (FS-219), which
// the dates of commits tell; wrong dates make it longer and not wrong.
func mergeBases(src source, ones, twos []datakit.Hash) ([]datakit.Hash, error) {
	bases, err := commonAncestors(src, ones, twos)
	if err != nil || len(bases) < 2 {
		return bases, err
	}
	return dropAncestors(src, bases)
}

// dropAncestors returns those of the commits that are no ancestor of another.
// There are such where commits have wrong dates.
func dropAncestors(src source, commits []datakit.Hash) ([]datakit.Hash, error) {
	var best []datakit.Hash
	for i, h := range commits {
		others := slices.Concat(commits[:i], commits[i+1:])
		common, err := commonAncestors(src, []datakit.Hash{h}, others)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(common, h) {
			best = append(best, h)
		}
	}
	return best, nil
}

// isAncestor reports whether a is b, or an ancestor of it.
func isAncestor(src source, a, b datakit.Hash) (bool, error) {
	if a == b {
		return true, nil
	}
	common, err := commonAncestors(src, []datakit.Hash{a}, []datakit.Hash{b})
	return slices.Contains(common, a), err
}

// commonAncestors returns common ancestors of two histories, the best ones
// among them, newest first, then by name.
func commonAncestors(src source, ones, twos []datakit.Hash) ([]datakit.Hash, error) {
	w := &walk{src: src, reached: make(map[datakit.Hash]*visit)}
	for _, h := range ones {
		if err := w.reach(h, fromOne); err != nil {
			return nil, err
		}
	}
	for _, h := range twos {
		if err := w.reach(h, fromTwo); err != nil {
			return nil, err
		}
	}
	for w.open > 0 {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	return w.bases(), nil
}

// A visit is a commit that a walk has reached.
type visit struct {
	hash   datakit.Hash
	commit *commitInfo
	flags  uint8
	queued bool
}

// A walk goes from two sets of commits down the history, newest commits first,
// and notes for each commit from where it was reached.
type walk struct {
	src     source
	reached map[datakit.Hash]*visit
	queue   visitHeap
	open    int // how many in the queue are not below a common ancestor
}

// reach notes that a commit was reached. One that the database lacks ends the
// history, as in a shallow clone.
func (w *walk) reach(h datakit.Hash, flags uint8) error {
	v := w.reached[h]
	if v == nil {
		c, err := w.src.commit(h)
		if errors.Is(err, datakit.NotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		v = &visit{hash: h, commit: c}
		w.reached[h] = v
	}
	if v.flags|flags == v.flags {
		return nil
	}
	if v.queued && v.flags&below == 0 {
		w.open--
	}
	v.flags |= flags
	if v.flags&below == 0 {
		w.open++
	}
	if !v.queued {
		v.queued = true
		heap.Push(&w.queue, v)
	}
	return nil
}

// step takes the newest commit of the queue and reaches its parents.
func (w *walk) step() error {
	v := heap.Pop(&w.queue).(*visit)
	v.queued = false
	if v.flags&below == 0 {
		w.open--
	}
	flags := v.flags & (fromOne | fromTwo | below)
	if flags&(fromOne|fromTwo) == fromOne|fromTwo {
		v.flags |= isBase
		flags |= below
	}
	for _, p := range v.commit.parents {
		if err := w.reach(p, flags); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) bases() []datakit.Hash {
	var vs []*visit
	for _, v := range w.reached {
		if v.flags&isBase != 0 && v.flags&below == 0 {
			vs = append(vs, v)
		}
	}
	slices.SortFunc(vs, func(a, b *visit) int {
		if a.commit.date != b.commit.date {
			return int(max(-1, min(1, b.commit.date-a.commit.date)))
		}
		return bytes.Compare(a.hash[:], b.hash[:])
	})
	hs := make([]datakit.Hash, len(vs))
	for i, v := range vs {
		hs[i] = v.hash
	}
	return hs
}

// visitHeap is a heap of visits, newest commit first.
type visitHeap []*visit

// Len implements heap.Interface.
func (q visitHeap) Len() int { return len(q) }

// Less implements heap.Interface.
func (q visitHeap) Less(i, j int) bool { return q[i].commit.newer(q[j].commit) }

// Swap implements heap.Interface.
func (q visitHeap) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *visitHeap) Push(v any) { *q = append(*q, v.(*visit)) }

// Pop implements heap.Interface.
func (q *visitHeap) Pop() any {
	last := len(*q) - 1
	v := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return v
}

// A base is what two sides of a merge have in common: a tree, and the paths in
// it at which nobody can tell, because several best common ancestors do not
// merge there.
type base struct {
	tree      datakit.Hash
	undefined map[datakit.Path]bool
}

// findBase returns the base for merging two histories, each given by one or
// more commits (specification, FS-127). Commits and trees that are made only
// for it stay in s.
func findBase(s *scratch, ones, twos []datakit.Hash) (base, error) {
	return (&baseFinder{s, make(map[datakit.Hash]base)}).find(ones, twos)
}

type baseFinder struct {
	s       *scratch
	virtual map[datakit.Hash]base // by the name of a commit made for it
}

func (f *baseFinder) find(ones, twos []datakit.Hash) (base, error) {
	best, err := mergeBases(f.s, ones, twos)
	if err != nil || len(best) == 0 {
		return base{tree: datakit.EmptyTree}, err
	}
	acc := best[0]
	for _, next := range best[1:] {
		if acc, err = f.merge(acc, next); err != nil {
			return base{}, err
		}
	}
	return f.at(acc)
}

// at returns the tree of a commit as a base.
func (f *baseFinder) at(h datakit.Hash) (base, error) {
	if b, ok := f.virtual[h]; ok {
		return b, nil
	}
	c, err := f.s.commit(h)
	if err != nil {
		return base{}, err
	}
	return base{tree: c.tree}, nil
}

// merge makes a commit that merges two, only to be a base.
func (f *baseFinder) merge(a, b datakit.Hash) (datakit.Hash, error) {
	between, err := f.find([]datakit.Hash{a}, []datakit.Hash{b})
	if err != nil {
		return datakit.Hash{}, err
	}
	ours, err := f.at(a)
	if err != nil {
		return datakit.Hash{}, err
	}
	theirs, err := f.at(b)
	if err != nil {
		return datakit.Hash{}, err
	}
	m, err := mergeTrees(f.s, ours.tree, theirs.tree, between)
	if err != nil {
		return datakit.Hash{}, err
	}
	undefined := make(map[datakit.Path]bool)
	for _, c := range m.conflicts {
		undefined[c.Path] = true
	}
	for p := range ours.undefined {
		undefined[p] = true
	}
	return f.pretend(a, b, base{m.tree, undefined})
}

// pretend makes the history of a commit known that exists only as a base.
func (f *baseFinder) pretend(a, b datakit.Hash, is base) (datakit.Hash, error) {
	c := &object.Commit{Tree: is.tree, Parents: []datakit.Hash{a, b}, Message: "base"}
	info := &commitInfo{tree: is.tree, parents: c.Parents, seq: 1 << 63}
	for _, p := range c.Parents {
		pi, err := f.s.commit(p)
		if err != nil {
			return datakit.Hash{}, err
		}
		info.date = max(info.date, pi.date)
	}
	h := object.Name(object.CommitType, c.Bytes())
	f.s.commits[h] = info
	f.virtual[h] = is
	return h, nil
}
