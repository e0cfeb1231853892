package dbtest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/datakit/datakit"
)

// A node is an entry of a tree as the merge rules see it: a file, or a
// directory with its children. Nil is nothing.
type node struct {
	file
	children map[string]*node
}

// undefined is a base whose own merge had a conflict. It equals nothing.
var undefined = new(node)

// nodeOf returns the tree of fs. The Root is a directory, even an empty one.
func nodeOf(fs files) *node {
	root := &node{directory, map[string]*node{}}
	for path, f := range fs.stored() {
		at := root
		for step := range path.Dir().Steps() {
			if at.children[step] == nil {
				at.children[step] = &node{directory, map[string]*node{}}
			}
			at = at.children[step]
		}
		at.children[path.Base()] = &node{file: f}
	}
	return root
}

// files returns the contents of n, the reverse of nodeOf.
func (n *node) files() files {
	fs := files{}
	n.collect(datakit.Root, fs)
	return fs
}

func (n *node) collect(at datakit.Path, into files) {
	for name, child := range n.children {
		path := at.Join(datakit.Path(name))
		if child.isDir() {
			child.collect(path, into)
		} else {
			into[path] = child.file
		}
	}
}

func (n *node) isDir() bool { return n != nil && n.mode == datakit.Dir }

func (n *node) isFile() bool { return n != nil && n.mode.IsFile() }

func (n *node) equal(m *node) bool {
	if n == undefined || m == undefined {
		return false
	}
	if n == nil || m == nil {
		return n == m
	}
	return n.file == m.file && maps.EqualFunc(n.children, m.children, (*node).equal)
}

// A model merges by the specification's table 5.2, as plainly as possible.
type model struct {
	conflicts []datakit.MergeConflict
	inBase    bool // conflicts leave undefined instead of markers
}

// modelMerge returns the result of merging and its conflicts, sorted.
func modelMerge(ours, theirs, base *node) (files, []datakit.MergeConflict) {
	var m model
	root := m.mergeDirs(datakit.Root, ours, theirs, base)
	slices.SortFunc(m.conflicts, func(a, b datakit.MergeConflict) int { return cmp.Compare(a.Path, b.Path) })
	return root.files(), m.conflicts
}

// modelBase returns the base that is merged from two best common ancestors.
func modelBase(a, b, base *node) *node {
	m := model{inBase: true}
	return m.mergeDirs(datakit.Root, a, b, base)
}

func (m *model) conflict(at datakit.Path, reason string) *node {
	m.conflicts = append(m.conflicts, datakit.MergeConflict{Path: at, Reason: reason})
	if m.inBase {
		return undefined
	}
	return &node{file: marker(reason)}
}

// merge decides about one entry. The numbers are those of the rules.
func (m *model) merge(at datakit.Path, o, t, b *node) *node {
	oneAbsent := o == nil || t == nil
	oneDir := o.isDir() != t.isDir()
	switch {
	case o.equal(t): // 1
		return o
	case o.equal(b): // 2
		return t
	case t.equal(b): // 3
		return o
	case b == undefined && !(o.isDir() && t.isDir()): // 4
		switch {
		case oneAbsent:
			return m.conflict(at, addDel)
		case oneDir:
			return m.conflict(at, fileVsDir)
		}
		return m.conflict(at, changedOnBoth)
	case o.isDir() && t.isDir() || oneDir && oneAbsent: // 5
		if d := m.mergeDirs(at, o, t, b); len(d.children) > 0 {
			return d
		}
		return nil
	case oneDir: // 6
		return m.conflict(at, fileVsDir)
	case oneAbsent && b != nil && !b.isDir(): // 7
		return m.conflict(at, addDel)
	case oneAbsent: // 8
		return cmp.Or(o, t)
	case b == nil || b.isDir(): // 9
		return m.conflict(at, addAdd)
	case o.isFile() && t.isFile() && b.isFile(): // 10
		return m.mergeFiles(at, o.file, t.file, b.file)
	}
	return m.conflict(at, changedOnBoth) // 11
}

// mergeDirs merges name by name. What is no directory counts as an empty one.
func (m *model) mergeDirs(at datakit.Path, o, t, b *node) *node {
	merged := &node{directory, map[string]*node{}}
	var oc, tc, bc map[string]*node
	if o.isDir() {
		oc = o.children
	}
	if t.isDir() {
		tc = t.children
	}
	if b.isDir() {
		bc = b.children
	}
	for _, names := range []map[string]*node{oc, tc} { // what is in the base alone is removed by both
		for name := range names {
			if _, done := merged.children[name]; done {
				continue
			}
			merged.children[name] = m.merge(at.Join(datakit.Path(name)), oc[name], tc[name], bc[name])
		}
	}
	maps.DeleteFunc(merged.children, func(_ string, n *node) bool { return n == nil })
	return merged
}

func (m *model) mergeFiles(at datakit.Path, o, t, b file) *node {
	data, ok := pick(o.data, t.data, b.data)
	if !ok {
		return m.conflict(at, changedOnBoth)
	}
	mode, _ := pick(o.mode, t.mode, b.mode) // of two values one is always the base's
	return &node{file: file{mode, data}}
}

// pick returns what both agree on, or else the one that differs from b.
func pick[T comparable](o, t, b T) (T, bool) {
	switch {
	case o == t:
		return o, true
	case o == b:
		return t, true
	case t == b:
		return o, true
	}
	return o, false
}
