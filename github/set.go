package github

import (
	"cmp"
	"hash/maphash"
	"iter"
)

// A key identifies a member of a set and orders it.
type key[K any] interface {
	comparable
	Compare(K) int
}

// A set is a sorted map from identities to values that never changes: put and
// remove return another one, which shares with the old all but the way to the
// member concerned. The zero set is empty.
//
// It is a treap whose priorities are hashes of the keys. So its shape depends
// on the keys alone and not on its history, which lets diff skip all that two
// sets share: it costs as much as they differ, whatever their size.
type set[K key[K], V any] struct{ root *node[K, V] }

type node[K key[K], V any] struct {
	*entry[K, V]
	left, right *node[K, V]
}

type entry[K key[K], V any] struct {
	key      K
	value    V
	priority uint64
}

// seed makes the shapes of sets unpredictable for those who choose keys.
var seed = maphash.MakeSeed()

// above reports whether a belongs nearer to the root than b.
func (a *entry[K, V]) above(b *entry[K, V]) bool {
	return cmp.Or(cmp.Compare(a.priority, b.priority), a.key.Compare(b.key)) > 0
}

// get returns the value of k.
func (s set[K, V]) get(k K) (v V, ok bool) {
	for n := s.root; n != nil; {
		switch c := k.Compare(n.key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n.value, true
		}
	}
	return v, false
}

// put returns s with v as the value of k.
func (s set[K, V]) put(k K, v V) set[K, V] {
	return set[K, V]{s.root.put(&entry[K, V]{k, v, maphash.Comparable(seed, k)})}
}

func (n *node[K, V]) put(e *entry[K, V]) *node[K, V] {
	if n == nil {
		return &node[K, V]{entry: e}
	}
	switch c := e.key.Compare(n.key); {
	case c < 0:
		l := n.left.put(e)
		if l.above(n.entry) {
			return &node[K, V]{l.entry, l.left, &node[K, V]{n.entry, l.right, n.right}}
		}
		return &node[K, V]{n.entry, l, n.right}
	case c > 0:
		r := n.right.put(e)
		if r.above(n.entry) {
			return &node[K, V]{r.entry, &node[K, V]{n.entry, n.left, r.left}, r.right}
		}
		return &node[K, V]{n.entry, n.left, r}
	}
	return &node[K, V]{e, n.left, n.right}
}

// remove returns s without k.
func (s set[K, V]) remove(k K) set[K, V] {
	if _, ok := s.get(k); !ok {
		return s
	}
	return set[K, V]{s.root.remove(k)}
}

func (n *node[K, V]) remove(k K) *node[K, V] {
	switch c := k.Compare(n.key); {
	case c < 0:
		return &node[K, V]{n.entry, n.left.remove(k), n.right}
	case c > 0:
		return &node[K, V]{n.entry, n.left, n.right.remove(k)}
	}
	return join(n.left, n.right)
}

// join returns the members of l and r, all of l being before all of r.
func join[K key[K], V any](l, r *node[K, V]) *node[K, V] {
	switch {
	case l == nil:
		return r
	case r == nil:
		return l
	case l.above(r.entry):
		return &node[K, V]{l.entry, l.left, join(l.right, r)}
	}
	return &node[K, V]{r.entry, join(l, r.left), r.right}
}

// split returns the members before k, that of k, and those after it.
func (n *node[K, V]) split(k K) (before *node[K, V], at *entry[K, V], after *node[K, V]) {
	if n == nil {
		return nil, nil, nil
	}
	switch c := k.Compare(n.key); {
	case c < 0:
		before, at, after = n.left.split(k)
		return before, at, &node[K, V]{n.entry, after, n.right}
	case c > 0:
		before, at, after = n.right.split(k)
		return &node[K, V]{n.entry, n.left, before}, at, after
	}
	return n.left, n.entry, n.right
}

// all yields all members in order.
func (s set[K, V]) all() iter.Seq2[K, V] {
	return s.within(func(K) int { return 0 })
}

// within yields, in order, the members in a range of keys. where is negative
// for keys before the range, zero for those in it and positive for those after.
func (s set[K, V]) within(where func(K) int) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { s.root.walk(where, yield) }
}

func (n *node[K, V]) walk(where func(K) int, yield func(K, V) bool) bool {
	if n == nil {
		return true
	}
	c := where(n.key)
	if c >= 0 && !n.left.walk(where, yield) {
		return false
	}
	if c == 0 && !yield(n.key, n.value) {
		return false
	}
	return c > 0 || n.right.walk(where, yield)
}

// diff calls f, in order, for each member that x and y do not share, with nil
// for the side that has none. It may call it for two equal values.
func diff[K key[K], V any](x, y *node[K, V], f func(x, y *entry[K, V])) {
	if x == y {
		return
	}
	if x == nil {
		y.each(func(e *entry[K, V]) { f(nil, e) })
		return
	}
	before, at, after := y.split(x.key)
	diff(x.left, before, f)
	if x.entry != at {
		f(x.entry, at)
	}
	diff(x.right, after, f)
}

// each calls f for all members in order.
func (n *node[K, V]) each(f func(*entry[K, V])) {
	if n != nil {
		n.left.each(f)
		f(n.entry)
		n.right.each(f)
	}
}
