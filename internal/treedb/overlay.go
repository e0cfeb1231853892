package treedb

import (
	"maps"
	"slices"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
	"github.com/datakit/datakit/internal/store"
)

// A node is an entry of a tree that is being edited. What it shows is in
// content, else in dir, else what hash names.
type node struct {
	mode    datakit.Mode // Absent if the entry was removed
	hash    datakit.Hash
	content *content
	dir     *dir
	rev     uint64
	changed time.Time
}

func nodeOf(e object.TreeEntry) *node { return &node{mode: e.Mode, hash: e.Hash} }

// A dir is a directory that was opened for editing: a tree object, and what
// differs from it, by name.
type dir struct {
	tree  *object.Tree
	edits map[string]*node
}

// child returns the entry with the given name, or nil. It is not to be edited
// unless own has put it among the edits.
func (d *dir) child(name string) *node {
	if n, ok := d.edits[name]; ok {
		if n.mode == datakit.Absent {
			return nil
		}
		return n
	}
	if e := d.tree.Find(name); e.Mode != datakit.Absent {
		return nodeOf(e)
	}
	return nil
}

// set puts n under a name, for which nil means nothing.
func (d *dir) set(name string, n *node) {
	switch {
	case n != nil:
		d.edits[name] = n
	case d.tree.Find(name).Mode == datakit.Absent:
		delete(d.edits, name)
	default:
		d.edits[name] = &node{mode: datakit.Absent}
	}
}

// all yields what the directory has, in no order.
func (d *dir) all(yield func(name string, n *node) bool) {
	for name, n := range d.edits {
		if n.mode != datakit.Absent && !yield(name, n) {
			return
		}
	}
	for i := range d.tree.Len() {
		e := d.tree.Entry(i)
		if _, edited := d.edits[string(e.Name)]; edited {
			continue
		}
		if !yield(string(e.Name), nodeOf(e)) {
			return
		}
	}
}

// isEmpty reports whether the directory has no entries, not even hidden ones.
func (d *dir) isEmpty() bool {
	for range d.all {
		return false
	}
	return true
}

// open makes n, a directory, one that can be edited.
func (n *node) open(src source) (*dir, error) {
	if n.dir == nil {
		t, err := src.tree(n.hash)
		if err != nil {
			return nil, inside(n.hash, err)
		}
		n.dir = &dir{tree: t, edits: make(map[string]*node)}
	}
	return n.dir, nil
}

// contents yields the changed contents at and below n.
func (n *node) contents(yield func(*node) bool) bool {
	if n.content != nil && !yield(n) {
		return false
	}
	if n.dir != nil {
		for _, c := range n.dir.edits {
			if !c.contents(yield) {
				return false
			}
		}
	}
	return true
}

// discard releases the contents at and below n.
func (n *node) discard() {
	for c := range func(yield func(*node) bool) { n.contents(yield) } {
		c.content.discard()
	}
}

// emptyDirs appends the paths of the directories at and below n that have no
// entries.
func (n *node) emptyDirs(at datakit.Path, paths []datakit.Path) []datakit.Path {
	if n.dir == nil {
		if n.mode == datakit.Dir && n.hash == datakit.EmptyTree {
			paths = append(paths, at)
		}
		return paths
	}
	if n.dir.isEmpty() {
		return append(paths, at)
	}
	for name, c := range n.dir.edits {
		paths = c.emptyDirs(at.Join(datakit.Path(name)), paths)
	}
	return paths
}

// A dated is an entry that was changed, and when.
type dated struct {
	path datakit.Path
	at   time.Time
}

// changes appends the entries below n that were changed.
func (n *node) changes(at datakit.Path, all []dated) []dated {
	if n.dir == nil {
		return all
	}
	for name, c := range n.dir.edits {
		path := at.Join(datakit.Path(name))
		if !c.changed.IsZero() && c.mode != datakit.Absent {
			all = append(all, dated{path, c.changed})
		}
		all = c.changes(path, all)
	}
	return all
}

// A builder makes the objects of an edited tree.
type builder struct {
	s *scratch

	// kept are the objects that were not edited but stand beside what was, and
	// so are named by the new trees.
	kept []datakit.Hash
}

// build returns what n is as an entry of a tree object, with the objects for
// that added to the scratch. Empty directories come out as EmptyTree.
func (b *builder) build(n *node) (object.TreeEntry, error) {
	e := object.TreeEntry{Mode: n.mode, Hash: n.hash}
	var err error
	switch {
	case n.content != nil:
		var o store.Object
		if o, err = n.content.object(); err == nil {
			e.Hash = o.Hash
			err = b.s.add(o)
		}
	case n.dir != nil:
		e.Hash, err = b.dir(n.dir)
	}
	return e, err
}

func (b *builder) dir(d *dir) (datakit.Hash, error) {
	out := object.TreeBuilder{}
	names := slices.Sorted(maps.Keys(d.edits))
	for _, name := range names {
		e, err := b.build(d.edits[name])
		if err != nil {
			return e.Hash, err
		}
		e.Name = []byte(name)
		out.Add(e)
	}
	for i := range d.tree.Len() {
		e := d.tree.Entry(i)
		if _, edited := d.edits[string(e.Name)]; edited {
			continue
		}
		out.Add(e)
		if e.Mode != datakit.Submodule {
			b.kept = append(b.kept, e.Hash)
		}
	}
	return b.s.addTree(&out)
}
