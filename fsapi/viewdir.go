package fsapi

import (
	"context"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A viewDir is a directory of a view.
type viewDir struct{ viewEntry }

var _ vfs.StatDir = (*viewDir)(nil)

// Parent implements vfs.Dir.
func (d *viewDir) Parent() vfs.Dir {
	if d.up == nil {
		return d.v.in
	}
	return d.up
}

// Lookup implements vfs.Dir.
func (d *viewDir) Lookup(ctx context.Context, name string) (vfs.Node, error) {
	return d.lookup(ctx, name)
}

// LookupStat implements vfs.StatDir.
func (d *viewDir) LookupStat(ctx context.Context, name string) (vfs.Node, vfs.Stat, error) {
	n, err := d.lookup(ctx, name)
	if err != nil {
		return nil, vfs.Stat{}, err
	}
	st, err := n.statFound(ctx)
	return n, st, err
}

func (d *viewDir) lookup(ctx context.Context, name string) (viewNode, error) {
	st, err := d.v.current(ctx)
	if err != nil {
		return nil, err
	}
	if datakit.CheckName(name) != nil {
		return nil, vfs.ErrNotExist
	}
	e, err := st.tree.Sub(d.path).Lookup(ctx, datakit.Path(name))
	if err != nil {
		return nil, entryError(err)
	}
	path := d.path.Join(datakit.Path(name))
	hash := vfs.ChildPath(d.hash, name, e.Mode == datakit.Dir)
	return newViewNode(viewEntry{v: d.v, up: d, path: path, hash: hash, at: st, mode: e.Mode, id: e.Hash}), nil
}

// List implements vfs.Dir.
func (d *viewDir) List(ctx context.Context) ([]vfs.Dirent, error) {
	st, err := d.v.current(ctx)
	if err != nil {
		return nil, err
	}
	in, err := d.v.in.Qid(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := st.tree.ReadDir(ctx, d.path)
	if err != nil {
		return nil, entryError(err)
	}
	root := vfs.ChildPath(in.Path, d.v.name, true)
	list := make([]vfs.Dirent, len(entries))
	for i, e := range entries {
		hash := vfs.ChildPath(d.hash, e.Name, e.Mode == datakit.Dir)
		list[i] = vfs.Dirent{Name: e.Name, Qid: st.qid(e, root+hash)}
	}
	return list, nil
}

// Stat implements vfs.Node.
func (d *viewDir) Stat(ctx context.Context) (vfs.Stat, error) {
	st, e, err := d.find(ctx)
	if err != nil {
		return vfs.Stat{}, err
	}
	return d.stat(ctx, st, e)
}

func (d *viewDir) statFound(ctx context.Context) (vfs.Stat, error) {
	return d.stat(ctx, d.at, datakit.Entry{Mode: d.mode, Hash: d.id})
}

// Open implements vfs.Node.
func (d *viewDir) Open(ctx context.Context, flags vfs.OpenFlags) (vfs.File, error) {
	if _, _, err := d.find(ctx); err != nil {
		return nil, err
	}
	return nil, vfs.CheckDirOpen(flags)
}

// SetLength implements vfs.Node.
func (d *viewDir) SetLength(ctx context.Context, length uint64) error {
	return d.refuse(ctx, vfs.CheckDirLength(length))
}

// Chmod implements vfs.Node.
func (d *viewDir) Chmod(ctx context.Context, mode vfs.Mode) error {
	return d.refuse(ctx, vfs.CheckDirMode(mode, vfs.ErrPermission))
}

// Remove implements vfs.Node.
func (d *viewDir) Remove(ctx context.Context, _ bool) error {
	return d.refuse(ctx, vfs.ErrDirReadOnly)
}

// Create implements vfs.Dir.
func (d *viewDir) Create(ctx context.Context, _ string, _, _ bool) (vfs.Node, error) {
	return nil, d.refuse(ctx, vfs.ErrDirReadOnly)
}

// Mkdir implements vfs.Dir.
func (d *viewDir) Mkdir(ctx context.Context, _ string) (vfs.Node, error) {
	return nil, d.refuse(ctx, vfs.ErrDirReadOnly)
}

// Symlink implements vfs.Dir.
func (d *viewDir) Symlink(ctx context.Context, _, _ string) (vfs.Node, error) {
	return nil, d.refuse(ctx, vfs.ErrDirReadOnly)
}
