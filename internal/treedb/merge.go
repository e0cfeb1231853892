package treedb

import (
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// The reasons for conflicts (specification, section 5.2).
const (
	addDel       = "option: add/del"
	addAdd       = "default: add/add and no common ancestor"
	fileVsDir    = "File vs dir"
	bothChanged  = "Changed on both branches"
	markerHeader = "** Conflict **\n"
)

// A merged is the result of merging two trees.
type merged struct {
	tree      datakit.Hash
	conflicts []datakit.MergeConflict // sorted by path, byte by byte
}

// mergeTrees merges two trees by the rules of the specification's section 5.2.
// At conflicting paths the result has markers (section 5.3). What is equal on
// two of the three sides is not read.
func mergeTrees(s *scratch, ours, theirs datakit.Hash, b base) (merged, error) {
	m := &merger{s: s, undefined: b.undefined}
	root := func(h datakit.Hash) object.TreeEntry { return object.TreeEntry{Mode: datakit.Dir, Hash: h} }
	e, err := m.entry(datakit.Root, root(ours), root(theirs), root(b.tree))
	if err != nil {
		return merged{}, err
	}
	slices.SortFunc(m.conflicts, func(a, b datakit.MergeConflict) int {
		return strings.Compare(string(a.Path), string(b.Path))
	})
	if e.Mode == datakit.Absent {
		e.Hash = datakit.EmptyTree
	}
	return merged{e.Hash, m.conflicts}, nil
}

type merger struct {
	s         *scratch
	undefined map[datakit.Path]bool
	conflicts []datakit.MergeConflict
}

// entry merges what three directories have under one name. The comments number
// the rules of the table.
func (m *merger) entry(path datakit.Path, o, t, b object.TreeEntry) (object.TreeEntry, error) {
	known := !m.undefinedWithin(path)
	switch {
	case o.Equal(t): // 1
		return o, nil
	case known && o.Equal(b): // 2
		return t, nil
	case known && t.Equal(b): // 3
		return o, nil
	}
	oDir, tDir, bDir := o.Mode == datakit.Dir, t.Mode == datakit.Dir, b.Mode == datakit.Dir
	oNone, tNone, bNone := o.Mode == datakit.Absent, t.Mode == datakit.Absent, b.Mode == datakit.Absent
	switch {
	case m.undefined[path] && !(oDir && tDir): // 4
		return m.conflict(path, undefinedReason(o, t)), nil
	case oDir && tDir, oDir && tNone, tDir && oNone: // 5
		return m.dir(path, o, t, b)
	case oDir || tDir: // 6
		return m.conflict(path, fileVsDir), nil
	case (oNone || tNone) && !bNone && !bDir: // 7
		return m.conflict(path, addDel), nil
	case oNone: // 8
		return t, nil
	case tNone: // 8
		return o, nil
	case bNone || bDir: // 9
		return m.conflict(path, addAdd), nil
	case o.Mode.IsFile() && t.Mode.IsFile() && b.Mode.IsFile(): // 10
		return m.file(path, o, t, b), nil
	}
	return m.conflict(path, bothChanged), nil // 11
}

func undefinedReason(o, t object.TreeEntry) string {
	switch {
	case o.Mode == datakit.Absent || t.Mode == datakit.Absent:
		return addDel
	case o.Mode == datakit.Dir || t.Mode == datakit.Dir:
		return fileVsDir
	}
	return bothChanged
}

// undefinedWithin reports whether the base is undefined at path or below.
func (m *merger) undefinedWithin(path datakit.Path) bool {
	if m.undefined[path] {
		return true
	}
	for p := range m.undefined {
		if p.Within(path) {
			return true
		}
	}
	return false
}

// conflict notes a conflict and returns the marker for it.
func (m *merger) conflict(path datakit.Path, reason string) object.TreeEntry {
	m.conflicts = append(m.conflicts, datakit.MergeConflict{Path: path, Reason: reason})
	return object.TreeEntry{Mode: datakit.Normal, Hash: m.s.addBlob([]byte(markerHeader + reason + "\n"))}
}

// file merges three files: content and mode each by itself. Of the modes two
// are always equal.
func (m *merger) file(path datakit.Path, o, t, b object.TreeEntry) object.TreeEntry {
	e := object.TreeEntry{Mode: o.Mode, Hash: o.Hash}
	if o.Mode == b.Mode {
		e.Mode = t.Mode
	}
	switch {
	case o.Hash == t.Hash:
	case o.Hash == b.Hash:
		e.Hash = t.Hash
	case t.Hash != b.Hash:
		return m.conflict(path, bothChanged)
	}
	return e
}

// dir merges three directories name by name. What is none counts as empty.
func (m *merger) dir(path datakit.Path, o, t, b object.TreeEntry) (object.TreeEntry, error) {
	trees, err := m.children(o, t, b)
	if err != nil {
		return object.TreeEntry{}, err
	}
	var out object.TreeBuilder
	for name, es := range alignNames(trees) {
		e, err := m.entry(path.Join(datakit.Path(name)), es[0], es[1], es[2])
		if err != nil {
			return object.TreeEntry{}, err
		}
		e.Name = name
		out.Add(e)
	}
	h, err := m.s.addTree(&out)
	if err != nil || h == datakit.EmptyTree {
		return object.TreeEntry{}, err // a directory without entries is none
	}
	return object.TreeEntry{Mode: datakit.Dir, Hash: h}, nil
}

func (m *merger) children(es ...object.TreeEntry) (trees [3]*object.Tree, err error) {
	for i, e := range es {
		trees[i] = emptyTree
		if e.Mode != datakit.Dir {
			continue
		}
		if trees[i], err = m.s.tree(e.Hash); err != nil {
			return trees, inside(e.Hash, err)
		}
	}
	return trees, nil
}

// alignNames yields the names of three trees, each once, with what each tree
// has there.
//
// The trees are walked in Git's order, in which a file and a directory of one
// name have different places: the file comes first. Where not all three trees
// have an entry at a place, the others are asked by name, and at a directory's
// place what has been handled at the file's is passed over.
func alignNames(trees [3]*object.Tree) func(yield func([]byte, [3]object.TreeEntry) bool) {
	return func(yield func([]byte, [3]object.TreeEntry) bool) {
		var at [3]int
		for {
			first, es, ok := nextPlace(trees, &at)
			if !ok {
				return
			}
			if es[0].Name == nil || es[1].Name == nil || es[2].Name == nil {
				handled := false
				for i, t := range trees {
					es[i] = t.Find(string(first.Name))
					handled = handled || first.Mode == datakit.Dir && es[i].Name != nil && es[i].Mode != datakit.Dir
				}
				if handled {
					continue
				}
			}
			if !yield(first.Name, es) {
				return
			}
		}
	}
}

// nextPlace returns the first entry in Git's order that has not been passed,
// and what each tree has at the same place, and passes them.
func nextPlace(trees [3]*object.Tree, at *[3]int) (first object.TreeEntry, es [3]object.TreeEntry, ok bool) {
	for i, t := range trees {
		if at[i] == t.Len() {
			continue
		}
		es[i] = t.Entry(at[i])
		if !ok || es[i].Compare(first) < 0 {
			first, ok = es[i], true
		}
	}
	for i := range es {
		switch {
		case es[i].Name == nil:
		case es[i].Compare(first) == 0:
			at[i]++
		default:
			es[i] = object.TreeEntry{}
		}
	}
	return first, es, ok
}
