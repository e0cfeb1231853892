package treedb

import (
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// diffTrees returns the files that differ between two trees, sorted by path,
// byte by byte. Trees that are equal on both sides are not read.
func diffTrees(src source, from, to datakit.Hash) ([]datakit.Change, error) {
	d := &differ{src: src}
	if err := d.dirs(datakit.Root, from, to); err != nil {
		return nil, err
	}
	slices.SortFunc(d.changes, func(a, b datakit.Change) int {
		return strings.Compare(string(a.Path), string(b.Path))
	})
	return d.changes, nil
}

type differ struct {
	src     source
	changes []datakit.Change
}

// dirs compares two trees place by place.
func (d *differ) dirs(path datakit.Path, from, to datakit.Hash) error {
	if from == to {
		return nil
	}
	a, err := d.src.tree(from)
	if err != nil {
		return inside(from, err)
	}
	b, err := d.src.tree(to)
	if err != nil {
		return inside(to, err)
	}
	for i, j := 0, 0; i < a.Len() || j < b.Len(); {
		var x, y object.TreeEntry
		order := 0
		switch {
		case i == a.Len():
			order = 1
		case j == b.Len():
			order = -1
		default:
			order = a.Entry(i).Compare(b.Entry(j))
		}
		if order <= 0 {
			x = a.Entry(i)
			i++
		}
		if order >= 0 {
			y = b.Entry(j)
			j++
		}
		if err := d.entries(path, x, y); err != nil {
			return err
		}
	}
	return nil
}

// entries compares two entries of one place: both directories, or neither; one
// may be absent.
func (d *differ) entries(dir datakit.Path, x, y object.TreeEntry) error {
	name := x.Name
	if name == nil {
		name = y.Name
	}
	if x.Equal(y) || !validName(name) {
		return nil
	}
	path := dir.Join(datakit.Path(name))
	if x.Mode == datakit.Dir || y.Mode == datakit.Dir {
		return d.dirs(path, treeOf(x), treeOf(y))
	}
	was, is := isShown(x.Mode), isShown(y.Mode)
	switch {
	case was && is:
		d.changes = append(d.changes, datakit.Change{Path: path, Op: datakit.Updated})
	case was:
		d.changes = append(d.changes, datakit.Change{Path: path, Op: datakit.Removed})
	case is:
		d.changes = append(d.changes, datakit.Change{Path: path, Op: datakit.Added})
	}
	return nil
}

// treeOf returns the tree of an entry, which is empty if it is no directory.
func treeOf(e object.TreeEntry) datakit.Hash {
	if e.Mode == datakit.Dir {
		return e.Hash
	}
	return datakit.EmptyTree
}

// isShown reports whether entries of mode m can be seen at all.
func isShown(m datakit.Mode) bool { return m != datakit.Absent && m != datakit.Submodule }

// validName reports whether an entry of that name can be seen: one that cannot
// be made is only kept (specification, FS-20).
func validName[S string | []byte](name S) bool { return datakit.CheckName(string(name)) == nil }
