package p9db

import (
	"context"
	"slices"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// A place is a directory of the served tree that shows the tree of a commit, or
// of a transaction, or a single file that does.
type place struct {
	d    *driver
	from *p9.Fid
	dir  []string // steps from there
}

// steps returns the steps to a path, and whether all of them can be names.
func (p *place) steps(path datakit.Path) (names []string, ok bool) {
	names = slices.Clone(p.dir)
	for step := range path.Steps() {
		if datakit.CheckName(step) != nil {
			return names, false
		}
		names = append(names, step)
	}
	return names, true
}

// walk returns a fid of what is at path. Release it.
func (p *place) walk(ctx context.Context, path datakit.Path) (*p9.Fid, error) {
	names, ok := p.steps(path)
	f, err := p.from.Walk(ctx, names...)
	if err != nil {
		return nil, p.d.fail(err)
	}
	if ok {
		return f, nil
	}
	defer f.Release()
	if f.Qid().Kind != vfs.KindDir {
		return nil, datakit.NotDir
	}
	f.Keep() // as it waits for others
	return nil, datakit.NotExist
}

// stat returns the entry at path.
func (p *place) stat(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	f, err := p.walk(ctx, path)
	if err != nil {
		return datakit.Entry{}, err
	}
	defer f.Release()
	st, err := f.Stat(ctx)
	if err != nil {
		return datakit.Entry{}, p.d.fail(err)
	}
	return entryOf(path.Base(), &st), nil
}

// list returns the entries of the directory at path, with their sizes.
func (p *place) list(ctx context.Context, path datakit.Path) ([]datakit.Entry, error) {
	f, err := p.walk(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	if f.Qid().Kind != vfs.KindDir {
		return nil, datakit.NotDir
	}
	stats, err := f.ReadDirStats(ctx)
	if err != nil {
		return nil, p.d.fail(err)
	}
	entries := make([]datakit.Entry, len(stats))
	for i := range stats {
		entries[i] = entryOf(stats[i].Name, &stats[i])
	}
	slices.SortFunc(entries, func(a, b datakit.Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

// entryOf returns what a stat says of an entry.
func entryOf(name string, st *vfs.Stat) datakit.Entry {
	e := datakit.Entry{Name: name, Mode: datakit.Normal, Size: int64(st.Size)}
	switch {
	case st.Qid.Kind == vfs.KindDir:
		e.Mode, e.Size = datakit.Dir, 0
	case st.Qid.Kind == vfs.KindSymlink:
		e.Mode = datakit.Symlink
	case st.Perm&0o100 != 0:
		e.Mode = datakit.Executable
	}
	return e
}

// A tree never changes. It is datakit.TreeDriver. What is known of it is kept
// under the name of the tree, whatever commit it was reached by.
type tree struct {
	place
	id  datakit.TreeID
	key string // what keys begin with
}

// Tree implements datakit.Driver.
func (d *driver) Tree(ctx context.Context, id datakit.TreeID) (datakit.TreeDriver, error) {
	t := &tree{place: place{d, d.c.Root(), []string{"trees", id.String()}}, id: id, key: id.String() + "/"}
	if id.String() == "" {
		return nil, datakit.NotExist
	}
	_, err := keep(d.kept, "tree "+t.key, func() (bool, int, error) {
		f, err := t.walk(ctx, datakit.Root)
		if err != nil {
			return false, 0, err
		}
		f.Release()
		return true, 0, nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Stat implements datakit.TreeDriver.
func (t *tree) Stat(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	if path == datakit.Root && t.id.Mode == datakit.Dir {
		return datakit.Entry{Mode: datakit.Dir, Hash: t.id.Hash}, nil
	}
	key := "entry " + t.key + string(path)
	if f, ok := find[found](t.d.kept, key); ok {
		return f.entry()
	}
	e, err := t.stat(ctx, path)
	switch {
	case err == nil:
		if path == datakit.Root {
			e.Hash = t.id.Hash
		}
		add(t.d.kept, key, found{e: e}, 100)
	case lasting(err):
		add(t.d.kept, key, found{missing: datakit.KindOf(err)}, 100)
	}
	return e, err
}

func (f found) entry() (datakit.Entry, error) {
	if f.missing != 0 {
		return datakit.Entry{}, f.missing
	}
	return f.e, nil
}

// Lookup implements datakit.TreeDriver.
func (t *tree) Lookup(ctx context.Context, path datakit.Path) (datakit.Entry, error) {
	e, err := t.Stat(ctx, path)
	e.Size = 0
	return e, err
}

// ReadDir implements datakit.TreeDriver.
func (t *tree) ReadDir(ctx context.Context, path datakit.Path) ([]datakit.Entry, error) {
	entries, err := t.children(ctx, path)
	entries = slices.Clone(entries)
	for i := range entries {
		entries[i].Size = 0
	}
	return entries, err
}

// children returns the entries of the directory at path with their sizes. The
// result must not be changed.
func (t *tree) children(ctx context.Context, path datakit.Path) ([]datakit.Entry, error) {
	return keep(t.d.kept, "list "+t.key+string(path), func() ([]datakit.Entry, int, error) {
		entries, err := t.list(ctx, path)
		cost := 0
		for _, e := range entries {
			cost += 100 + len(e.Name)
			add(t.d.kept, "entry "+t.key+string(path.Join(datakit.Path(e.Name))), found{e: e}, 100)
		}
		return entries, cost, err
	})
}

// maxKept is the size in bytes up to which the content of a file is kept.
const maxKept = 256 << 10

// Open implements datakit.TreeDriver.
func (t *tree) Open(ctx context.Context, path datakit.Path) (datakit.Blob, error) {
	key := t.contentKey(path)
	if b, ok := find[[]byte](t.d.kept, key); ok {
		t.readAhead(path)
		return memBlob(b), nil
	}
	e, err := t.Stat(ctx, path)
	switch {
	case err != nil:
		return nil, err
	case e.Mode == datakit.Dir:
		return nil, datakit.IsDir
	case e.Size > maxKept:
		return t.openLarge(ctx, path, e.Size)
	}
	t.readAhead(path)
	b, err := t.d.flights.do(ctx, key, func(ctx context.Context) ([]byte, error) { return t.fetch(ctx, path, e.Size, key) })
	if err != nil {
		return nil, err
	}
	return memBlob(b), nil
}

func (t *tree) contentKey(path datakit.Path) string { return "content " + t.key + string(path) }

// fetch reads a small file of a known size and keeps its content.
func (t *tree) fetch(ctx context.Context, path datakit.Path, size int64, key string) ([]byte, error) {
	b := make([]byte, size)
	if size > 0 {
		f, err := t.openFile(ctx, path, size)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if _, err := f.ReadAt(ctx, b, 0); err != nil {
			return nil, err
		}
	}
	add(t.d.kept, key, b, len(b))
	return b, nil
}

func (t *tree) openLarge(ctx context.Context, path datakit.Path, size int64) (datakit.Blob, error) {
	b, err := t.openFile(ctx, path, size)
	if err != nil {
		return nil, err
	}
	b.f.Keep()
	return b, nil
}

// openFile opens a file of a known size.
func (t *tree) openFile(ctx context.Context, path datakit.Path, size int64) (*fidBlob, error) {
	f, err := t.walk(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := f.Open(ctx, p9.ReadOnly); err != nil {
		f.Release()
		return nil, t.d.fail(err)
	}
	return &fidBlob{t.d, f, size}, nil
}

// walkFile is walk to what is no directory.
func (p *place) walkFile(ctx context.Context, path datakit.Path) (*p9.Fid, error) {
	f, err := p.walk(ctx, path)
	if err == nil && f.Qid().Kind == vfs.KindDir {
		f.Release()
		return nil, datakit.IsDir
	}
	return f, err
}

// chmod is what is asked for to make a file normal or executable.
func chmod(mode datakit.Mode) vfs.Mode {
	if mode == datakit.Executable {
		return vfs.Mode{Perm: executablePerm}
	}
	return vfs.Mode{Perm: filePerm}
}
