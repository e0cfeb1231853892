package treedb

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/internal/object"
)

// A tree is an immutable tree, or a single file or link.
type tree struct {
	objs *objects
	root object.TreeEntry
	last atomic.Pointer[deep] // the deep directory that was found last
}

// A deep is a directory more than deepSteps below the root of a tree.
type deep struct {
	path datakit.Path
	dir  object.TreeEntry
}

const deepSteps = 8

var _ datakit.TreeDriver = (*tree)(nil)

// find returns the entry at path. What is in the deep directory found last is
// found at once.
func (t *tree) find(path datakit.Path) (object.TreeEntry, error) {
	e, rest, steps := t.root, path, 0
	if last := t.last.Load(); last != nil && path.Within(last.path) {
		e, rest = last.dir, datakit.Path(strings.TrimPrefix(string(path[len(last.path):]), "/"))
		steps = deepSteps
	}
	above := e
	for step := range rest.Steps() {
		if e.Mode != datakit.Dir {
			return e, datakit.NotDir
		}
		above = object.TreeEntry{Mode: e.Mode, Hash: e.Hash}
		steps++
		children, err := t.objs.tree(e.Hash)
		if err != nil {
			return e, inside(e.Hash, err)
		}
		e = children.Find(step)
		if !isShown(e.Mode) || !validName(step) {
			return e, datakit.NotExist
		}
	}
	switch {
	case steps <= deepSteps || rest == datakit.Root:
	case e.Mode == datakit.Dir:
		t.last.Store(&deep{path, object.TreeEntry{Mode: e.Mode, Hash: e.Hash}})
	case rest.Dir() != datakit.Root:
		t.last.Store(&deep{path.Dir(), above})
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
