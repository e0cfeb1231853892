package treedb

import (
	"context"
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// A tree is an immutable tree, or a single file or link.
type tree struct {
	objs *objects
	root object.TreeEntry
}

var _ datakit.TreeDriver = (*tree)(nil)

// find returns the entry at path.
func (t *tree) find(path datakit.Path) (object.TreeEntry, error) {
	e := t.root
	for step := range path.Steps() {
		if e.Mode != datakit.Dir {
			return e, datakit.NotDir
		}
		children, err := t.objs.tree(e.Hash)
		if err != nil {
			return e, inside(e.Hash, err)
		}
		e = children.Find(step)
		if !isShown(e.Mode) || !validName(step) {
			return e, datakit.NotExist
		}
	}
	return e, nil
}

// Lookup implements datakit.TreeDriver.
func (t *tree) Lookup(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	e, err := t.find(path)
	if err != nil {
		return datakit.Entry{}, err
	}
	return datakit.Entry{Name: path.Base(), Mode: e.Mode, Hash: e.Hash}, nil
}

// Stat implements datakit.TreeDriver.
func (t *tree) Stat(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	e, err := t.Lookup(ctx, path)
	if err == nil && e.Mode != datakit.Dir {
		e.Size, err = t.objs.size(e.Hash)
	}
	return e, err
}

// size returns the size of a blob that a tree has.
func (o *objects) size(h datakit.Hash) (int64, error) {
	_, size, err := o.Header(h)
	return size, inside(h, err)
}

// ReadDir implements datakit.TreeDriver.
func (t *tree) ReadDir(ctx context.Context, path datakit.Path) ([]datakit.Entry, error) {
	e, err := t.find(path)
	if err != nil {
		return nil, err
	}
	if e.Mode != datakit.Dir {
		return nil, datakit.NotDir
	}
	children, err := t.objs.tree(e.Hash)
	if err != nil {
		return nil, inside(e.Hash, err)
	}
	return shownEntries(children), nil
}

// shownEntries returns the entries of a tree that are shown, sorted by name.
// Their names share memory.
func shownEntries(t *object.Tree) []datakit.Entry {
	var names strings.Builder
	for i := range t.Len() {
		names.Write(t.Entry(i).Name)
	}
	rest := names.String()
	entries := make([]datakit.Entry, 0, t.Len())
	for i := range t.Len() {
		e := t.Entry(i)
		name := rest[:len(e.Name)]
		rest = rest[len(name):]
		if isShown(e.Mode) && validName(name) {
			entries = append(entries, datakit.Entry{Name: name, Mode: e.Mode, Hash: e.Hash})
		}
	}
	sortEntries(entries)
	return entries
}

func sortEntries(entries []datakit.Entry) {
	slices.SortFunc(entries, func(a, b datakit.Entry) int { return strings.Compare(a.Name, b.Name) })
}

// Open implements datakit.TreeDriver.
func (t *tree) Open(ctx context.Context, path datakit.Path) (datakit.Blob, error) {
	e, err := t.find(path)
	if err != nil {
		return nil, err
	}
	return t.objs.open(e)
}

// open returns the content of an entry of a tree.
func (o *objects) open(e object.TreeEntry) (datakit.Blob, error) {
	if e.Mode == datakit.Dir {
		return nil, datakit.IsDir
	}
	b, err := o.OpenBlob(e.Hash)
	return b, inside(e.Hash, err)
}
